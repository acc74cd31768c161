//! The actor of one balance: every hold and capture of it passes here, one after the other.
//!
//! Whichever of a request and a change of terms comes first in the mailbox came first. A broken
//! promise is a panic: it ends this actor, and its successor starts from what is durable.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use actix::{Actor, ActorContext, AsyncContext, Context, Handler};
use tokio::sync::oneshot;

use super::{
    Loaded, Spending,
    hold::{Account, CreditHold, LedgerEnd, MoneyHold},
    ledger::Ledger,
    messages::{
        Capture, Close, CloseDebit, Cover, Credited, DebitHeld, DebitReference, Find, Forget,
        Found, Held, Hold, OpenCredit, OpenDebit, Prove, Read, TermsChanged, Void,
    },
    order_ids::{OrderIds, Running, SettledBudget},
};
use crate::{
    actors::{Changes, Latch, Poison, Retire, ask::answer},
    engine::Balance,
    fulfillments::{Delivery, OrderId, Outcome, Refusal},
    ids::BalanceId,
    money::Money,
    relationships::{Committed, Terms},
};

/// See the module.
pub(crate) struct BalanceActor {
    id: BalanceId,
    ledger: Ledger,
    orders: OrderIds,
    /// Debits under way, and what is held for each.
    debits: HashMap<DebitReference, Money>,
    spending: Spending,
    terms: Arc<Terms>,
    versions: Versions,
    end: Arc<LedgerEnd>,
    latch: Arc<Latch>,
    changes: Changes,
    joined_max: usize,
}

/// What an actor starts with.
pub(crate) struct Start {
    pub(crate) id: BalanceId,
    pub(crate) loaded: Loaded,
    pub(crate) terms: Arc<Terms>,
    pub(crate) end: Arc<LedgerEnd>,
    pub(crate) latch: Arc<Latch>,
    pub(crate) budget: Arc<SettledBudget>,
    pub(crate) changes: Changes,
    pub(crate) joined_max: usize,
}

impl BalanceActor {
    pub(crate) fn new(start: Start) -> Self {
        Self {
            id: start.id,
            ledger: Ledger::new(start.loaded.posted),
            orders: OrderIds::new(start.budget),
            debits: HashMap::new(),
            spending: start.loaded.spending,
            terms: start.terms,
            versions: Versions {
                through: start.loaded.version,
                ahead: BTreeMap::new(),
            },
            end: start.end,
            latch: start.latch,
            changes: start.changes,
            joined_max: start.joined_max,
        }
    }

    fn account(&self, ctx: &Context<Self>) -> Account {
        Account {
            id: self.id,
            actor: ctx.address(),
            end: Arc::clone(&self.end),
        }
    }

    fn hold(&mut self, ask: &Hold, ctx: &Context<Self>) -> Held {
        if ask.deadline.passed() {
            return Held::Late;
        }
        let id = ask.request.order_id();
        if let Some(running) = self.orders.running(id) {
            return join(running, ask, self.joined_max);
        }
        if let Some(settled) = self.orders.settled(id) {
            return Held::Settled(Arc::clone(settled));
        }
        if ask.terms.version < self.terms.version {
            return Held::TermsChanged;
        }
        if ask.terms.version > self.terms.version {
            self.terms = Arc::clone(&ask.terms);
        }
        if ask.seen != self.changes.seen() {
            return Held::Outdated;
        }
        self.spending.advance(ask.now);
        let held = ask.quote.clone().and_then(|cost| self.reserve(ask, cost));
        let cost = *held.as_ref().unwrap_or(&Money::ZERO);
        let running = Running {
            request: Arc::clone(&ask.request),
            cost,
            stale: false,
            day: self.spending.day,
            joined: Vec::new(),
        };
        self.orders.begin(id.clone(), running);
        let hold = MoneyHold::new(
            self.account(ctx),
            id.clone(),
            held.is_ok(),
            self.latch.hold(),
        );
        match held {
            Ok(_) => Held::Money(hold),
            Err(refusal) => Held::Refused(hold, refusal),
        }
    }

    fn reserve(&mut self, ask: &Hold, cost: Money) -> Result<Money, Refusal> {
        let counted = if crate::sabotage::breaks("limit_ignores_held") {
            let rest = cost.checked_sub(self.ledger.held()).unwrap_or_default();
            rest.max(Money::ZERO)
        } else {
            cost
        };
        let committed = if ask.request.scope().test {
            Committed::NONE
        } else {
            self.terms.committed
        };
        let judged = (&*self.terms, committed);
        self.spending.check(judged, ask.request.key(), counted)?;
        let available = self.ledger.available();
        if !self.ledger.hold(cost) {
            return Err(Refusal::InsufficientBalance {
                required: cost,
                available,
            });
        }
        self.spending.add(ask.request.key(), cost);
        Ok(cost)
    }

    fn void(&mut self, id: &OrderId) {
        let running = self
            .orders
            .running(id)
            .expect("who voids an order id began it");
        let cost = std::mem::take(&mut running.cost);
        let (key, day) = (running.request.key(), running.day);
        self.ledger.void(cost);
        self.spending.remove(key, cost, day);
    }

    fn open_debit(&mut self, ask: &OpenDebit, ctx: &Context<Self>) -> DebitHeld {
        if self.debits.contains_key(&ask.reference) {
            return DebitHeld::Running;
        }
        let available = self.ledger.available();
        let amount = match ask.cover {
            Cover::Whole => ask.amount,
            Cover::Available => ask.amount.min(available),
        };
        if !self.ledger.hold(amount) {
            return DebitHeld::Short { available };
        }
        self.debits.insert(ask.reference.clone(), amount);
        DebitHeld::Money(CreditHold {
            account: self.account(ctx),
            debit: Some((ask.reference.clone(), amount)),
            _guard: self.latch.hold(),
        })
    }

    /// The amount that was held for a debit, which is under way no more.
    fn end_debit(&mut self, reference: &DebitReference) -> Money {
        self.debits
            .remove(reference)
            .expect("who ends a debit began it")
    }

    fn note(&mut self, version: i64, balance_after: Money) {
        if let Some(end) = self.versions.note(version, balance_after) {
            assert_eq!(
                self.ledger.posted(),
                end,
                "posted is the balance after the last entry"
            );
        }
    }
}

/// Callers with the same request wait for its outcome; others are told that it is another one.
fn join(running: &mut Running, ask: &Hold, joined_max: usize) -> Held {
    if running.request.fingerprint() != ask.request.fingerprint() {
        let fields = ask.request.differing_fields(&running.request);
        return Held::Busy(Refusal::OrderMismatch { fields });
    }
    if running.joined.len() >= joined_max {
        return Held::Busy(Refusal::OrderInProgress);
    }
    let (waiter, outcome) = oneshot::channel();
    running.joined.push(waiter);
    Held::Joined(outcome)
}

/// Which versions were settled. Settlements come in any order; without a gap they must add up.
struct Versions {
    through: i64,
    ahead: BTreeMap<i64, Money>,
}

impl Versions {
    /// Notes a settled entry; the balance after the last one, if no lower version is outstanding.
    fn note(&mut self, version: i64, balance_after: Money) -> Option<Money> {
        assert!(version > self.through, "a version is settled once");
        let before = self.ahead.insert(version, balance_after);
        assert!(before.is_none(), "a version is settled once");
        let mut end = None;
        while let Some(balance) = self.ahead.remove(&(self.through + 1)) {
            self.through += 1;
            end = Some(balance);
        }
        end.filter(|_| self.ahead.is_empty())
    }
}

fn tell_joined(joined: Vec<oneshot::Sender<Outcome>>, outcome: &Outcome) {
    for waiter in joined {
        // Who hung up meanwhile does not want to know.
        answer(waiter, outcome.clone());
    }
}

impl Actor for BalanceActor {
    type Context = Context<Self>;
}

impl Handler<Hold> for BalanceActor {
    type Result = ();

    fn handle(&mut self, ask: Hold, ctx: &mut Context<Self>) {
        let held = self.hold(&ask, ctx);
        // A hold in a reply that nobody takes is dropped, and gives the money back.
        answer(ask.reply, held);
    }
}

impl Handler<Void> for BalanceActor {
    type Result = ();

    fn handle(&mut self, void: Void, _: &mut Context<Self>) {
        self.void(&void.order_id);
    }
}

impl Handler<Close> for BalanceActor {
    type Result = ();

    fn handle(&mut self, close: Close, _: &mut Context<Self>) {
        self.void(&close.order_id);
        let ended = self.orders.end(&close.order_id);
        tell_joined(ended.joined, &close.outcome);
    }
}

impl Handler<Capture> for BalanceActor {
    type Result = ();

    fn handle(&mut self, Capture { fulfillment }: Capture, _: &mut Context<Self>) {
        let ended = self.orders.end(&fulfillment.contents.order_id);
        assert_eq!(
            ended.cost, fulfillment.contents.total,
            "what is captured was held"
        );
        self.ledger.capture(ended.cost);
        self.note(fulfillment.stamp.version, fulfillment.stamp.balance_after);
        if !crate::sabotage::breaks("forget_joined") {
            tell_joined(
                ended.joined,
                &Ok(Delivery::Replayed(Arc::clone(&fulfillment))),
            );
        }
        if !ended.stale {
            self.orders.settle(fulfillment);
        }
    }
}

impl Handler<OpenCredit> for BalanceActor {
    type Result = ();

    fn handle(&mut self, OpenCredit { reply }: OpenCredit, ctx: &mut Context<Self>) {
        let hold = CreditHold {
            account: self.account(ctx),
            debit: None,
            _guard: self.latch.hold(),
        };
        answer(reply, hold);
    }
}

impl Handler<OpenDebit> for BalanceActor {
    type Result = ();

    fn handle(&mut self, ask: OpenDebit, ctx: &mut Context<Self>) {
        let held = self.open_debit(&ask, ctx);
        // A hold in a reply that nobody takes is dropped, and gives the money back.
        answer(ask.reply, held);
    }
}

impl Handler<CloseDebit> for BalanceActor {
    type Result = ();

    fn handle(&mut self, CloseDebit { reference }: CloseDebit, _: &mut Context<Self>) {
        let held = self.end_debit(&reference);
        self.ledger.void(held);
    }
}

impl Handler<Forget> for BalanceActor {
    type Result = ();

    fn handle(&mut self, Forget { order_id, reply }: Forget, _: &mut Context<Self>) {
        self.orders.forget(&order_id);
        answer(reply, ());
    }
}

impl Handler<Credited> for BalanceActor {
    type Result = ();

    fn handle(&mut self, Credited { entry, reply }: Credited, _: &mut Context<Self>) {
        let credit = &entry.credit;
        if credit.kind.takes() {
            let held = self.end_debit(&(credit.kind, credit.reference.clone()));
            assert_eq!(held, -credit.amount, "what is debited was held");
            self.ledger.capture(held);
        } else {
            self.ledger.credit(credit.amount);
        }
        self.note(entry.stamp.version, entry.stamp.balance_after);
        answer(reply, ());
    }
}

impl Handler<TermsChanged> for BalanceActor {
    type Result = ();

    fn handle(&mut self, TermsChanged { terms, reply }: TermsChanged, _: &mut Context<Self>) {
        if terms.version > self.terms.version {
            self.terms = terms;
        }
        answer(reply, ());
    }
}

impl Handler<Read> for BalanceActor {
    type Result = ();

    fn handle(&mut self, Read { now, reply }: Read, _: &mut Context<Self>) {
        self.spending.advance(now);
        let balance = Balance {
            posted: self.ledger.posted(),
            held: self.ledger.held(),
            version: self.versions.through,
            spending: self.spending.clone(),
        };
        answer(reply, balance);
    }
}

impl Handler<Prove> for BalanceActor {
    type Result = ();

    fn handle(&mut self, Prove { reply }: Prove, _: &mut Context<Self>) {
        let whole = self.versions.ahead.is_empty();
        let end = whole.then(|| (self.versions.through, self.ledger.posted()));
        answer(reply, end);
    }
}

impl Handler<Find> for BalanceActor {
    type Result = ();

    fn handle(&mut self, Find { order_id, reply }: Find, _: &mut Context<Self>) {
        let found = if self.orders.running(&order_id).is_some() {
            Found::Running
        } else {
            let settled = self.orders.settled(&order_id);
            settled.map_or(Found::Unknown, |settled| {
                Found::Settled(Arc::clone(settled))
            })
        };
        answer(reply, found);
    }
}

impl Handler<Retire> for BalanceActor {
    type Result = ();

    fn handle(&mut self, Retire { reply }: Retire, ctx: &mut Context<Self>) {
        let idle = self.orders.is_idle() && self.latch.is_zero();
        if idle {
            ctx.stop();
        }
        answer(reply, idle);
    }
}

impl Handler<Poison> for BalanceActor {
    type Result = ();

    fn handle(&mut self, _: Poison, _: &mut Context<Self>) {
        panic!("storage contradicts memory");
    }
}
