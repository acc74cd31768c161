//! The one value that the edge holds.
//!
//! [`Engine`] admits requests, owns the tasks that execute them, and answers from what is durable.
//! Whoever stops waiting may only say that the outcome is unknown: the work goes on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    sync::{oneshot, watch},
    time::{sleep, timeout, timeout_at},
};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::{
    actors::{
        Arbiters, Permits, Registry,
        ask::{answer, ask},
    },
    balances::{
        self, BalanceHandle, Balances, Cover, Credit, CreditEntry, Spending,
        messages::{Find, Forget, Found, TermsChanged},
    },
    catalog::{self, Product, Sku},
    clock::{Clock, Deadline},
    config::{Config, ms},
    fault::Fault,
    fulfillments::{
        Delivery, Error, Fulfillment, OrderId, Outcome, Refusal, Request, fulfiller::Fulfiller,
    },
    ids::{BalanceId, MerchantId, ProductId, RelationshipId, SerialId, WithdrawalId},
    inventory::{
        self, Inventory, Pulled, Purpose, Reach, Removed, Reservation, ReserveCall, Reserved,
        Reserver, Restock, WithdrawalCall, Withdrawer,
    },
    journal::{Journal, Lanes, Owner, Ownership, Tripwire, tripwire},
    merchants::{self, Merchant},
    metrics::{self, Ending},
    money::Money,
    random::Random,
    relationships::{self, RelationshipScope, Terms},
    snapshots::Snapshots,
    supervise,
    vault::Vault,
    verifier::{self, Verifier},
};

/// Everything outside of the engine.
#[derive(Clone)]
pub struct Ports {
    pub journal: Arc<dyn Journal>,
    /// None: a database that went back in time is noticed only by a process that saw it before.
    pub tripwire: Option<Arc<dyn Tripwire>>,
    pub merchants: Arc<dyn merchants::Source>,
    pub relationships: Arc<dyn relationships::Source>,
    pub catalog: Arc<dyn catalog::Source>,
    pub balances: Arc<dyn balances::Source>,
    pub inventory: Arc<dyn inventory::Source>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
}

/// A balance as its actor sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    pub posted: Money,
    pub held: Money,
    /// The version of the last entry.
    pub version: i64,
    pub spending: Spending,
}

impl Balance {
    pub fn available(&self) -> Money {
        self.posted
            .checked_sub(self.held)
            .expect("held is at most posted")
    }
}

/// How many serials of one sku there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stock {
    /// Unclaimed, those included that are held right now.
    pub stock: u64,
    /// What an order could have now: what nobody holds or has reserved.
    pub available: u64,
}

/// A credit as the answer to one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credited {
    Fresh(CreditEntry),
    /// The reference was credited before, by this entry; nothing was changed.
    Replayed(CreditEntry),
}

/// A debit as the answer to one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Debited {
    Fresh(CreditEntry),
    /// The reference was debited before, by this entry; nothing was changed.
    Replayed(CreditEntry),
    /// There is less than it takes; nothing was changed.
    Short {
        available: Money,
    },
    /// Another call debits this reference.
    Running,
}

/// Whether requests can be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    pub owner: bool,
    pub lanes: bool,
    pub draining: bool,
}

/// The engine of one process. Cloning shares it.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    owner: Owner,
    arbiters: Arc<Arbiters>,
    fulfiller: Arc<Fulfiller>,
    permits: Permits,
    vault: Vault,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    config: Config,
    tasks: TaskTracker,
    keeper: TaskTracker,
    draining: AtomicBool,
    ended: watch::Sender<bool>,
}

impl Engine {
    /// Takes the shard over, numbers imports that a crash left unnumbered, and serves. Waits while
    /// another process owns the shard.
    pub async fn start(
        config: Config,
        vault: Vault,
        ports: Ports,
        arbiters: Arbiters,
    ) -> Result<Self, StartError> {
        config.check()?;
        let mut owner = [0; 16];
        ports.random.fill(&mut owner);
        let ownership = Ownership::new(
            Owner(Uuid::from_bytes(owner)),
            ms(config.heartbeat_age_max_ms),
        );
        let lease = ports
            .journal
            .take_over(ownership.owner, config.lanes)
            .await?;
        let positions = lease.positions();
        tripwire::check(ports.tripwire.as_ref(), &ports.journal, positions).await?;
        let tasks = TaskTracker::new();
        let lanes = Lanes::start(
            lease.positions(),
            &ports.journal,
            &ownership,
            (&ports.clock, &ports.random),
            &config,
        );
        let (ended, ending) = watch::channel(false);
        let keeper = TaskTracker::new();
        let owner = ownership.owner;
        keeper.spawn(ownership.kept(lease, ending.clone()));
        let arbiters = Arc::new(arbiters);
        let engine = Self(Arc::new(Inner {
            owner,
            fulfiller: Arc::new(fulfiller(&config, &ports, &arbiters, lanes, &tasks)),
            arbiters,
            permits: Permits::new(
                config.in_flight_max,
                config.relationship_in_flight_max,
                ms(config.admission_wait_ms),
            ),
            vault,
            clock: ports.clock,
            random: ports.random,
            config,
            tasks,
            keeper,
            draining: AtomicBool::new(false),
            ended,
        }));
        let (guarded, journal) = (Arc::clone(&engine.0.fulfiller), ports.journal);
        let guard = tripwire::guard(guarded, journal, ports.tripwire, ending.clone());
        engine.0.keeper.spawn(guard);
        let sweeping = engine.clone();
        engine.0.keeper.spawn(async move {
            supervise::restarted("sweep", || sweeping.sweep(ending.clone())).await;
        });
        engine
            .restock_waiting()
            .await
            .map_err(StartError::Restock)?;
        Ok(engine)
    }

    /// Executes a request, or answers it from what was executed before. Dropping the future, or its
    /// deadline, does not end the work: whoever stops waiting repeats the same order id.
    pub async fn fulfill(&self, request: Request) -> Outcome {
        let deadline = Deadline::after(ms(self.0.config.answer_deadline_ms));
        let outcome = self.admitted(request, deadline).await;
        metrics::fulfillment(match &outcome {
            Ok(Delivery::Fresh(_)) => Ending::Delivered,
            Ok(Delivery::Replayed(_)) => Ending::Replayed,
            Err(Error::Refused(_)) => Ending::Refused,
            Err(Error::Faulted(fault)) => fault.into(),
        });
        outcome
    }

    async fn admitted(&self, request: Request, deadline: Deadline) -> Outcome {
        self.0
            .fulfiller
            .lanes
            .admit(request.scope().balance)
            .await?;
        let permit = self.0.permits.take(request.scope().relationship).await?;
        let fulfiller = Arc::clone(&self.0.fulfiller);
        let (reply, outcome) = oneshot::channel();
        let arbiter = self.0.arbiters.of(request.scope().balance);
        // On the thread of the balance's actor: a question to a neighbour needs no other thread to
        // wake, and wake-ups are what a request costs most.
        arbiter.spawn(self.0.tasks.track_future(async move {
            let outcome = fulfiller.run(Arc::new(request), deadline).await;
            drop(permit);
            // Whoever hung up finds the outcome under the order id.
            answer(reply, outcome);
        }));
        match timeout_at(deadline.instant(), outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) if crate::sabotage::breaks("waiter_says_no") => {
                Err(Fault::overloaded().into())
            }
            Ok(Err(_)) | Err(_) => Err(Fault::OutcomeUnknown.into()),
        }
    }

    /// Adds money to a balance, once per reference. Answers once it can be spent.
    pub async fn credit(
        &self,
        scope: RelationshipScope,
        credit: Credit,
    ) -> Result<Credited, Fault> {
        let permit = self.0.permits.take(scope.relationship).await?;
        let fulfiller = Arc::clone(&self.0.fulfiller);
        let crediting = self.0.tasks.spawn(async move {
            let credited = balances::credit(&fulfiller, scope, Arc::new(credit)).await;
            drop(permit);
            credited
        });
        crediting.await.unwrap_or(Err(Fault::OutcomeUnknown))
    }

    /// Takes money out of a balance without delivering anything, once per reference. The amount is below
    /// zero. It is held like an order's cost, so it never meets money that somebody else spends.
    pub async fn debit(
        &self,
        scope: RelationshipScope,
        debit: Credit,
        cover: Cover,
    ) -> Result<Debited, Fault> {
        let permit = self.0.permits.take(scope.relationship).await?;
        let fulfiller = Arc::clone(&self.0.fulfiller);
        let debiting = self.0.tasks.spawn(async move {
            let debited = balances::debit(&fulfiller, scope, debit, cover).await;
            drop(permit);
            debited
        });
        debiting.await.unwrap_or(Err(Fault::OutcomeUnknown))
    }

    /// Something was recorded about a fulfillment after its commit, such as a refund: from now on its
    /// replays tell it.
    pub async fn fulfillment_changed(
        &self,
        scope: RelationshipScope,
        order_id: &OrderId,
    ) -> Result<(), Fault> {
        loop {
            let handle = self.handle(scope).await?;
            let forgotten = ask(&handle.actor, |reply| Forget {
                order_id: order_id.clone(),
                reply,
            });
            match forgotten.await {
                Ok(()) => return self.still_owner().await,
                Err(_) => self.bury(scope.balance, &handle),
            }
        }
    }

    /// Puts a stored import on sale.
    pub async fn restock(&self, restock: Restock) -> Result<(), Fault> {
        let fulfiller = Arc::clone(&self.0.fulfiller);
        let restocking = self.0.tasks.spawn(async move {
            let merchant = fulfiller.snapshots.merchant(restock.merchant).await?;
            let merchant = merchant.ok_or(Fault::Aborted {
                reason: "no such merchant",
            })?;
            inventory::restock(
                &fulfiller.inventory,
                &fulfiller.lanes,
                restock,
                &merchant.key,
            )
            .await
        });
        restocking.await.unwrap_or(Err(Fault::OutcomeUnknown))
    }

    /// Puts every stored import on sale that was left off it, and says how many there were. One that
    /// fails is left to the next call: it must keep neither the others off sale nor the engine from
    /// starting.
    pub async fn restock_waiting(&self) -> Result<usize, Fault> {
        let waiting = self.0.fulfiller.inventory.source.unnumbered().await?;
        let (count, mut left) = (waiting.len(), 0);
        for restock in waiting {
            if let Err(fault) = self.restock(restock).await {
                tracing::error!(import.id = %restock.import, "left an import off sale: {fault}");
                left += 1;
            }
        }
        metrics::imports_off_sale(left);
        Ok(count)
    }

    /// Takes those of these serials off the shelf that nobody has, once per id. Once it returns, none of
    /// them is sold any more.
    pub async fn remove(
        &self,
        call: WithdrawalCall,
        serials: Vec<SerialId>,
    ) -> Result<Removed, Fault> {
        let merchant = call.merchant;
        let removing = async move |fulfiller: Arc<Fulfiller>, merchant: Arc<Merchant>| {
            withdrawer(&fulfiller, &merchant, &call)
                .remove(serials)
                .await
        };
        self.withdrawing(merchant, removing).await
    }

    /// Takes so many serials from the front of the shelf, all or none, once per id. What is reserved under
    /// the id it has; what is reserved under others it leaves.
    pub async fn pull(
        &self,
        call: WithdrawalCall,
        purpose: Purpose,
        quantity: u32,
    ) -> Result<Pulled, Fault> {
        let deadline = Deadline::after(ms(self.0.config.claim_deadline_ms));
        let merchant = call.merchant;
        let pulling = async move |fulfiller: Arc<Fulfiller>, merchant: Arc<Merchant>| {
            let withdrawer = withdrawer(&fulfiller, &merchant, &call);
            withdrawer.pull(purpose, quantity, deadline).await
        };
        self.withdrawing(merchant, pulling).await
    }

    /// Keeps units of a shelf for the withdrawal of this id. Nobody else gets them while the reservation
    /// lives, nor while its row has no end.
    pub async fn reserve(&self, call: ReserveCall) -> Result<Reserved, Fault> {
        self.reserving(call, Reach::Shelf).await
    }

    /// The same for somebody who has neither paid nor anybody's yes: out of a share of the shelf.
    pub async fn reserve_unpaid(&self, call: ReserveCall) -> Result<Reserved, Fault> {
        self.reserving(call, Reach::Share).await
    }

    /// The same for what was paid and refused: it waits for what comes, before anybody else but those that
    /// wait already.
    pub async fn wait_for_stock(&self, call: ReserveCall) -> Result<Reservation, Fault> {
        match self.reserving(call, Reach::Beyond).await? {
            Reserved::Held(reservation) => Ok(reservation),
            Reserved::OutOfStock => Err(Fault::Aborted {
                reason: "what is still to come was called out of stock",
            }),
        }
    }

    async fn reserving(&self, call: ReserveCall, reach: Reach) -> Result<Reserved, Fault> {
        let deadline = Deadline::after(ms(self.0.config.claim_deadline_ms));
        let reserving = async move |fulfiller: Arc<Fulfiller>, merchant: Arc<Merchant>| {
            let reserver = reserver(&fulfiller, &merchant);
            reserver.reserve(call, reach, deadline).await
        };
        self.withdrawing(call.merchant, reserving).await
    }

    /// The end of a reservation's row is durable: its units are free. Repeating it is harmless; if it is
    /// left out or fails, they are free a while later.
    pub async fn release(
        &self,
        merchant: MerchantId,
        sku: Sku,
        id: WithdrawalId,
    ) -> Result<(), Fault> {
        let releasing = async move |fulfiller: Arc<Fulfiller>, merchant: Arc<Merchant>| {
            reserver(&fulfiller, &merchant).release(sku, id).await
        };
        self.withdrawing(merchant, releasing).await
    }

    /// In a task of its own: what was begun goes on, whoever stops waiting.
    async fn withdrawing<T: Send + 'static, F>(
        &self,
        merchant: MerchantId,
        work: impl FnOnce(Arc<Fulfiller>, Arc<Merchant>) -> F + Send + 'static,
    ) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>> + Send,
    {
        let fulfiller = Arc::clone(&self.0.fulfiller);
        let withdrawing = self.0.tasks.spawn(async move {
            let merchant = fulfiller.snapshots.merchant(merchant).await?;
            let merchant = merchant.ok_or(Fault::Aborted {
                reason: "no such merchant",
            })?;
            work(fulfiller, merchant).await
        });
        withdrawing.await.unwrap_or(Err(Fault::OutcomeUnknown))
    }

    /// What is bound to an order id: the fulfillment, or none if nothing is and nothing is running.
    pub async fn find(
        &self,
        scope: RelationshipScope,
        order_id: &OrderId,
    ) -> Result<Option<Arc<Fulfillment>>, Error> {
        loop {
            let handle = self.handle(scope).await?;
            let asked = ask(&handle.actor, |reply| Find {
                order_id: order_id.clone(),
                reply,
            });
            match asked.await {
                Ok(Found::Running) => return Err(Refusal::OrderInProgress.into()),
                Ok(Found::Settled(settled)) => return Ok(Some(settled)),
                Ok(Found::Unknown) => break,
                Err(_) => self.bury(scope.balance, &handle),
            }
        }
        let lanes = &self.0.fulfiller.lanes;
        let reader = lanes
            .reader(scope.balance)
            .await
            .map_err(|_| Fault::OutcomeUnknown)?;
        let found = reader.fulfillment(scope.balance, order_id).await;
        if let Err(fault) = &found {
            lanes.look_up_failed(scope.balance, &reader, fault);
        }
        let found = found.map_err(|_| Fault::OutcomeUnknown)?;
        if found.is_none() && !lanes.ownership.is_fresh() {
            return Err(Fault::OutcomeUnknown.into());
        }
        Ok(found.map(Arc::new))
    }

    /// The balance with what is held of it right now.
    pub async fn balance(&self, scope: RelationshipScope) -> Result<Balance, Fault> {
        if !self.0.fulfiller.lanes.ownership.is_fresh() {
            return Err(Fault::Unavailable);
        }
        loop {
            let handle = self.handle(scope).await?;
            let now = self.0.clock.now();
            let read = ask(&handle.actor, |reply| balances::messages::Read {
                now,
                reply,
            });
            match read.await {
                // Loading it may have taken longer than this process could be sure to own it.
                Ok(_) if !self.0.fulfiller.lanes.ownership.is_fresh() => {
                    return Err(Fault::Unavailable);
                }
                Ok(balance) => return Ok(balance),
                Err(_) => self.bury(scope.balance, &handle),
            }
        }
    }

    /// How many serials of a sku there are. The sku must be of this merchant.
    pub async fn stock(&self, merchant: MerchantId, sku: Sku) -> Result<Stock, Fault> {
        let merchant = self.merchant(merchant).await?;
        let merchant = merchant.ok_or(Fault::Aborted {
            reason: "no such merchant",
        })?;
        inventory::stock(&self.0.fulfiller.inventory, sku, &merchant.key).await
    }

    pub async fn merchant(&self, id: MerchantId) -> Result<Option<Arc<Merchant>>, Fault> {
        self.0.fulfiller.snapshots.merchant(id).await
    }

    pub async fn product(&self, id: ProductId) -> Result<Option<Arc<Product>>, Fault> {
        self.0.fulfiller.snapshots.product(id).await
    }

    pub async fn terms(&self, id: RelationshipId) -> Result<Option<Arc<Terms>>, Fault> {
        self.0.fulfiller.snapshots.terms(id).await
    }

    /// Takes changed terms (status, access, limits, keys) into force. Once it returns, nothing is
    /// accepted under the old ones; what was accepted before may finish. An error means that it is not
    /// known to be in force: tell it again.
    pub async fn terms_changed(
        &self,
        id: RelationshipId,
        balances: &[BalanceId],
    ) -> Result<(), Fault> {
        if crate::sabotage::breaks("revoke_in_cache_only") {
            return Ok(());
        }
        let terms = self.0.fulfiller.snapshots.refresh_terms(id).await?;
        let terms = terms.ok_or(Fault::Aborted {
            reason: "no such relationship",
        })?;
        let mut told = Ok(());
        for &balance in balances {
            // One that cannot be told is no reason not to tell the others.
            let this = self.tell_terms(balance, &terms).await;
            told = told.and(this);
        }
        told?;
        self.still_owner().await
    }

    /// Takes a stored change of a product (price, status, title, quantities, variants) into force. Once it
    /// returns, nothing is accepted under the old one; what was accepted before may finish. An error
    /// means that it is not known to be in force: tell it again.
    pub async fn product_changed(&self, id: ProductId) -> Result<(), Fault> {
        self.0.fulfiller.snapshots.product_changed(id);
        self.still_owner().await
    }

    /// Takes a stored change of a merchant's program into force, for all its relationships. Once it
    /// returns, nothing is accepted under the old one; what was accepted before may finish. An error
    /// means that it is not known to be in force: tell it again.
    pub async fn program_changed(&self, merchant: MerchantId) -> Result<(), Fault> {
        self.0.fulfiller.snapshots.program_changed(merchant).await;
        self.still_owner().await
    }

    /// An owner that was replaced in the meantime has told nobody who counts.
    async fn still_owner(&self) -> Result<(), Fault> {
        if self.0.fulfiller.lanes.ownership.confirm().await {
            Ok(())
        } else {
            Err(Fault::OutcomeUnknown)
        }
    }

    async fn tell_terms(&self, balance: BalanceId, terms: &Arc<Terms>) -> Result<(), Fault> {
        let balances = &self.0.fulfiller.balances;
        loop {
            let handle = match balances.handle(balance, terms.relationship).await {
                Ok(handle) => handle,
                // It accepts nothing at all, and whoever serves it again begins with what is stored.
                Err(_) if balances.registry.is_quarantined(&balance) => return Ok(()),
                Err(fault) => return Err(fault),
            };
            let told = Arc::clone(terms);
            match ask(&handle.actor, |reply| TermsChanged { terms: told, reply }).await {
                Ok(()) => return Ok(()),
                // Its successor may have been loaded by a request under the old terms.
                Err(_) => self.bury(balance, &handle),
            }
        }
    }

    fn bury(&self, balance: BalanceId, dead: &BalanceHandle) {
        self.0.fulfiller.balances.registry.bury(balance, dead);
    }

    /// The name under which this process owns its shard.
    pub fn owner(&self) -> Owner {
        self.0.owner
    }

    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    pub fn random(&self) -> &Arc<dyn Random> {
        &self.0.random
    }

    /// Whether requests can be served.
    pub fn readiness(&self) -> Readiness {
        let lanes = &self.0.fulfiller.lanes;
        Readiness {
            owner: lanes.ownership.is_fresh(),
            lanes: lanes.are_ready(),
            draining: self.0.draining.load(Ordering::Relaxed),
        }
    }

    /// Returns once another process has taken the shard, or its data went back in time: this process
    /// can do nothing any more and should end.
    pub async fn lost(&self) {
        self.0.fulfiller.lanes.ownership.lost().await;
    }

    /// Whether the shard was given up because its data went back in time, or somebody writes beside
    /// this process: nobody may serve it before an operator has looked.
    pub fn is_halted(&self) -> bool {
        self.0.fulfiller.lanes.ownership.is_halted()
    }

    /// Closes admission, lets what runs end, empties the lanes and gives the shard up. What does not
    /// end in time is left to the next owner, as after a crash. Actors live on until [`Engine::stop`]:
    /// whoever reads while the last connections close must not take them for dead.
    pub async fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
        self.0.permits.close();
        let drained = async {
            self.0.tasks.close();
            self.0.tasks.wait().await;
            self.0.fulfiller.lanes.close().await;
        };
        if timeout(ms(self.0.config.drain_ms), drained).await.is_err() {
            tracing::warn!("the drain was cut short");
        }
        // The next owner may sell from here on: what this memory says must not be told any more.
        self.0.fulfiller.lanes.ownership.discard();
        self.0.ended.send_replace(true);
        self.0.keeper.close();
        let kept = timeout(ms(self.0.config.drain_ms), self.0.keeper.wait()).await;
        if kept.is_err() {
            tracing::warn!("something that runs beside requests did not end in time");
        }
    }

    /// Ends the actors; after a drain, once nobody asks any more.
    pub fn stop(&self) {
        self.0.arbiters.stop();
    }

    async fn handle(&self, scope: RelationshipScope) -> Result<BalanceHandle, Fault> {
        let balances = &self.0.fulfiller.balances;
        balances.handle(scope.balance, scope.relationship).await
    }

    /// Puts away what is idle, and keeps the gauges.
    async fn sweep(&self, mut ended: watch::Receiver<bool>) {
        let every = ms(self.0.config.idle_ms);
        let fulfiller = &self.0.fulfiller;
        while !*ended.borrow() {
            tokio::select! {
                biased;
                _ = ended.changed() => return,
                () = sleep(every) => {}
            }
            fulfiller.balances.registry.sweep().await;
            fulfiller.inventory.registry.sweep().await;
            inventory::compare(&fulfiller.inventory).await;
            fulfiller.snapshots.sweep();
            self.0.permits.sweep();
        }
    }

    /// Checks what is stored and what is in memory against each other from now on, until the drain.
    pub fn verify(&self, source: Arc<dyn verifier::Source>) {
        let config = &self.0.config;
        if config.verify_every_ms > 0 {
            let (every, entries_max) = (ms(config.verify_every_ms), config.verify_entries_max);
            let fulfiller = Arc::clone(&self.0.fulfiller);
            let ended = self.0.ended.subscribe();
            let verifying = move || {
                Verifier::new(Arc::clone(&fulfiller), Arc::clone(&source), entries_max)
                    .run(every, ended.clone())
            };
            self.0
                .keeper
                .spawn(supervise::restarted("verifier", verifying));
        }
    }

    /// What is behind the door, for tests that look at one actor.
    #[cfg(any(test, feature = "simulation"))]
    pub(crate) fn fulfiller(&self) -> &Arc<Fulfiller> {
        &self.0.fulfiller
    }

    /// Brings the gauges up to date; called before each scrape.
    pub fn observe(&self) {
        metrics::permits_in_use(self.0.permits.in_use());
        metrics::actors_active("balance", self.0.fulfiller.balances.registry.len());
        metrics::actors_active("inventory", self.0.fulfiller.inventory.registry.len());
    }
}

const fn reserver<'a>(fulfiller: &'a Fulfiller, merchant: &'a Merchant) -> Reserver<'a> {
    Reserver {
        inventory: &fulfiller.inventory,
        lanes: &fulfiller.lanes,
        merchant,
    }
}

const fn withdrawer<'a>(
    fulfiller: &'a Fulfiller,
    merchant: &'a Merchant,
    call: &'a WithdrawalCall,
) -> Withdrawer<'a> {
    Withdrawer {
        inventory: &fulfiller.inventory,
        lanes: &fulfiller.lanes,
        merchant,
        sku: call.sku,
        id: call.id,
        by: call.by.as_ref(),
    }
}

fn fulfiller(
    config: &Config,
    ports: &Ports,
    arbiters: &Arc<Arbiters>,
    lanes: Lanes,
    tasks: &TaskTracker,
) -> Fulfiller {
    let deadline = ms(config.hydration_deadline_ms);
    let balances = Registry::new("balance", config.hydrations_max, deadline, tasks.clone());
    let inventory = Registry::new("inventory", config.hydrations_max, deadline, tasks.clone());
    let snapshots = Arc::new(Snapshots::new(
        Arc::clone(&ports.merchants),
        Arc::clone(&ports.relationships),
        Arc::clone(&ports.catalog),
    ));
    Fulfiller {
        balances: Balances::new(
            (balances, Arc::clone(&snapshots)),
            Arc::clone(arbiters),
            Arc::clone(&ports.balances),
            Arc::clone(&ports.clock),
            config,
        ),
        inventory: Inventory::new(
            inventory,
            Arc::clone(&ports.inventory),
            Arc::clone(arbiters),
            tasks.clone(),
            config,
        ),
        snapshots,
        lanes,
        clock: Arc::clone(&ports.clock),
        random: Arc::clone(&ports.random),
        claim_deadline: ms(config.claim_deadline_ms),
    }
}

/// Why the engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    #[error(transparent)]
    Journal(#[from] crate::journal::OpenFailure),
    /// What was taken over must not be served.
    #[error(transparent)]
    Tripped(#[from] crate::journal::Tripped),
    #[error("imports that wait for sale could not be listed: {0}")]
    Restock(Fault),
}
