//! What callers do: order, repeat, give up, credit, import, read, change terms.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use engine::{
    balances::{Cover, Credit, EntryKind},
    catalog::Sku,
    clock::instant,
    engine::{Balance, Credited},
    fulfillments::{Channel, Draft, Email, Fulfillment, Line, OrderId, Request},
    ids::KeyId,
    money::Money,
    testing::credit,
};
use futures_util::future::join_all;
use tokio::time::sleep;

use crate::{
    cast::{Purse, Ware, minor},
    history::{Asked, Body, Heard, debited, faulted, outcome},
    stage::{Process, Stage},
    tally::{Kind, Sometimes},
};

/// Most units of one line.
const QUANTITY_MAX: u32 = 5;

/// How much later than its deadline an answer may be: terms and products may have to be loaded first.
const DEADLINE_SLACK: Duration = Duration::from_millis(500);

/// All callers of a run.
pub(crate) struct Clients {
    pub(crate) stage: Rc<Stage>,
    /// What was asked under each order id, by balance: repeats ask for the same.
    bodies: RefCell<BTreeMap<(usize, String), Body>>,
    /// No order begins later than so many milliseconds after the start.
    pub(crate) horizon: u64,
}

impl Clients {
    pub(crate) fn new(stage: &Rc<Stage>) -> Rc<Self> {
        Rc::new(Self {
            stage: Rc::clone(stage),
            bodies: RefCell::default(),
            horizon: stage.dice.between(300, 6000),
        })
    }

    /// Everything that callers do in the chaos, to its end.
    pub(crate) async fn all(self: &Rc<Self>) {
        let dice = &self.stage.dice;
        let orders = dice.between(15, 70);
        let orders = join_all((0..orders).map(|number| self.order(number)));
        let credits = join_all((0..dice.between(1, 8)).map(|number| self.credits(number)));
        let imports = join_all((0..dice.between(0, 3)).map(|_| self.imports()));
        let reads = join_all((0..dice.between(2, 10)).map(|_| self.reads()));
        let withdrawals = join_all((0..dice.between(0, 6)).map(|_| self.withdrawals()));
        let invoices = join_all((0..dice.between(0, 6)).map(|_| self.invoices()));
        tokio::join!(orders, credits, imports, reads, withdrawals, invoices);
    }

    async fn some_time(&self) {
        sleep(Duration::from_millis(self.stage.dice.below(self.horizon))).await;
    }

    async fn order(&self, number: u64) {
        let (stage, dice) = (&self.stage, &self.stage.dice);
        self.some_time().await;
        let purse = dice.index(stage.cast.purses.len());
        let repeated = dice.percent(12) || stage.weather.may(Kind::OtherBody) && dice.percent(3);
        let number = if repeated {
            dice.below(number + 1)
        } else {
            number
        };
        let id = format!("order-{number}");
        let key = *dice.pick(&stage.cast.purses[purse].keys);
        let body = self.body(purse, &id);
        let twins = self.twins();
        join_all((0..twins).map(|_| self.ask(purse, key, &id, body.clone()))).await;
    }

    /// How many callers send the same order at once.
    fn twins(&self) -> u64 {
        let (weather, dice) = (&self.stage.weather, &self.stage.dice);
        if weather.may(Kind::Twins) && dice.per_mille(4) {
            weather.struck(Kind::Twins);
            return dice.between(65, 90);
        }
        if weather.strikes(Kind::Twins, 50) {
            return dice.between(2, 6);
        }
        1
    }

    /// What is asked for under an order id: what was asked before, but now and then something else.
    fn body(&self, purse: usize, id: &str) -> Body {
        let stage = &self.stage;
        let key = (purse, id.to_owned());
        let known = self.bodies.borrow().get(&key).cloned();
        match known {
            Some(mut body) if stage.weather.strikes(Kind::OtherBody, 120) => {
                body.lines[0].1 = body.lines[0].1 % QUANTITY_MAX + 1;
                body
            }
            Some(body) => body,
            None => {
                let body = self.fresh_body(&stage.cast.purses[purse]);
                self.bodies.borrow_mut().insert(key, body.clone());
                body
            }
        }
    }

    fn fresh_body(&self, purse: &Purse) -> Body {
        let dice = &self.stage.dice;
        let lines = *dice.pick(&[1, 1, 1, 2, 2, 3, 4]);
        let line = |_| -> (Sku, u32) { (dice.pick(&purse.wares).sku, dice.small(1, QUANTITY_MAX)) };
        let lines = (0..lines).map(line).collect();
        let email = dice
            .percent(15)
            .then(|| format!("buyer{}@example.com", dice.below(9)));
        Body { lines, email }
    }

    /// Sends an order, and again if it is not answered as it should be.
    async fn ask(&self, purse: usize, key: KeyId, id: &str, body: Body) {
        let stage = &self.stage;
        let mut heard = self.send(purse, key, id, &body).await;
        for _ in 0..3 {
            match heard {
                None | Some(Heard::Unknown | Heard::Refused("OVERLOADED")) => {}
                Some(_) => return,
            }
            if stage.weather.strikes(Kind::RetryLate, 300) {
                sleep(stage.dice.millis(50, 5000)).await;
            } else if !stage.weather.strikes(Kind::RetryAtOnce, 400) {
                return;
            }
            heard = self.send(purse, key, id, &body).await;
        }
    }

    /// Sends an order once. None: no answer came.
    pub(crate) async fn send(
        &self,
        purse: usize,
        key: KeyId,
        id: &str,
        body: &Body,
    ) -> Option<Heard> {
        let stage = &self.stage;
        let request = self.request(&stage.cast.purses[purse], key, id, body);
        let process = stage.any()?;
        let (id, body) = (id.to_owned(), body.clone());
        let asked = Asked::Order {
            id: id.clone(),
            body,
        };
        let callers = stage.history.under_way(purse, &id, true);
        if callers > 64 {
            stage.weather.reached(Sometimes::ManyJoined);
        }
        if stage.history.all_under_way() >= process.config.in_flight_max {
            stage.weather.reached(Sometimes::PermitsOut);
        }
        let began = instant();
        let relationship = stage.cast.purses[purse].scope.relationship;
        let fulfilled = async {
            // The edge lets no key in that the terms do not know.
            match process.engine.terms(relationship).await {
                Ok(Some(terms)) if terms.keys.contains_key(&key) => {
                    outcome(process.engine.fulfill(request).await)
                }
                Ok(_) => Heard::Refused("UNAUTHORIZED"),
                Err(fault) => faulted(&fault),
            }
        };
        let heard = self
            .call(&process, (Some(purse), Some(key)), asked, fulfilled)
            .await;
        let deadline = Duration::from_millis(process.config.answer_deadline_ms);
        let took = instant() - began;
        if matches!(heard, Some(Heard::Unknown)) && took >= deadline {
            stage.weather.struck(Kind::DeadlinePassed);
        }
        if let Some(Heard::Delivered { fulfillment, .. }) = &heard {
            self.opens(purse, fulfillment);
        }
        let frozen = stage.weather.tally.strikes(Kind::OwnerFrozen) > 0;
        if heard.is_some() && took > deadline + DEADLINE_SLACK && !frozen {
            let text = format!("C20: order {id} of balance {purse} was answered after {took:?}");
            stage.broken.borrow_mut().push(text);
        }
        stage.history.under_way(purse, &id, false);
        heard
    }

    /// What was delivered must open: the answer is made of it.
    fn opens(&self, purse: usize, fulfillment: &Fulfillment) {
        let merchant = self.stage.cast.purses[purse].scope.merchant;
        for serial in fulfillment.contents.serials() {
            if !self.stage.cast.opens(merchant, serial.id, &serial.sealed) {
                let text = format!("I11: {:?} was sold and does not open", serial.id);
                self.stage.broken.borrow_mut().push(text);
            }
        }
    }

    /// One call to a process: answered, or not if it dies or the caller gives up.
    pub(crate) async fn call(
        &self,
        process: &Process,
        who: (Option<usize>, Option<KeyId>),
        asked: Asked,
        answer: impl Future<Output = Heard>,
    ) -> Option<Heard> {
        let stage = &self.stage;
        let call = stage.history.sent(&stage.weather, who, asked);
        let vanishes = stage.weather.strikes(Kind::ClientVanishes, 30);
        let patience = if vanishes {
            stage.dice.millis(0, 40)
        } else {
            Duration::from_hours(1)
        };
        let heard = async {
            let heard = answer.await;
            process.power.thawed().await;
            heard
        };
        tokio::select! {
            biased;
            () = process.power.died() => None,
            () = sleep(patience) => None,
            heard = heard => {
                stage.history.heard(&stage.weather, call, heard.clone());
                Some(heard)
            }
        }
    }

    fn request(&self, purse: &Purse, key: KeyId, id: &str, body: &Body) -> Request {
        let line = |&(sku, quantity): &(Sku, u32)| Line {
            sku,
            quantity,
            max_unit_price: None,
            custom_fields: BTreeMap::new(),
        };
        let email = body.email.as_deref();
        let draft = Draft {
            scope: purse.scope,
            key,
            order_id: OrderId::parse(id).expect("an order id"),
            channel: Channel::Api,
            lines: body.lines.iter().map(line).collect(),
            customer_email: email.map(|email| Email::parse(email).expect("an address")),
            max_total: None,
            metadata: BTreeMap::new(),
            idempotency_key: None,
            notify_customer: None,
        };
        Request::new(draft, &self.stage.cast.vault).expect("a request within bounds")
    }

    async fn credits(&self, number: u64) {
        let stage = &self.stage;
        self.some_time().await;
        let purse = stage.dice.index(stage.cast.purses.len());
        let takes = stage.dice.percent(40);
        let name = if !takes {
            "payment"
        } else if stage.dice.percent(70) {
            "withdrawal"
        } else {
            *stage.dice.pick(&["reversal", "settlement"])
        };
        let reference = format!("{name}-{number}");
        let amount = minor(stage.dice.between(100, 4000));
        let amount = if takes { -amount } else { amount };
        let twice = stage.weather.strikes(Kind::CreditTwice, 250);
        let calls = 1 + usize::from(twice);
        join_all((0..calls).map(|_| self.credit(purse, &reference, amount))).await;
    }

    pub(crate) async fn credit(
        &self,
        purse: usize,
        reference: &str,
        amount: Money,
    ) -> Option<Heard> {
        let stage = &self.stage;
        let process = stage.any()?;
        let scope = stage.cast.purses[purse].scope;
        let asked = Asked::Credit {
            reference: reference.to_owned(),
            amount,
        };
        let engine = process.engine.clone();
        let credit = credit(scope.balance, reference, amount);
        let answer = async move {
            if amount.is_negative() {
                let (kind, cover) = kind_of(&credit.reference);
                let debit = Credit { kind, ..credit };
                return debited(engine.debit(scope, debit, cover).await);
            }
            match engine.credit(scope, credit).await {
                Ok(credited) => Heard::Credited(credited),
                Err(fault) => faulted(&fault),
            }
        };
        let heard = self
            .call(&process, (Some(purse), None), asked, answer)
            .await;
        match heard {
            Some(Heard::Refused("INSUFFICIENT_BALANCE")) => {
                stage.weather.reached(Sometimes::DebitShort);
            }
            Some(Heard::Credited(Credited::Fresh(ref entry)))
                if amount.is_negative() && entry.credit.amount != amount =>
            {
                stage.weather.reached(Sometimes::DebitPart);
            }
            Some(Heard::Refused("REQUEST_IN_PROGRESS")) => {
                stage.weather.reached(Sometimes::DebitRunning);
            }
            _ => {}
        }
        heard
    }

    async fn imports(&self) {
        let (stage, dice) = (&self.stage, &self.stage.dice);
        self.some_time().await;
        if stage.weather.may(Kind::ImportAgainstSale) {
            stage.weather.struck(Kind::ImportAgainstSale);
        }
        self.import(dice.pick(&stage.cast.wares)).await;
    }

    /// A merchant uploads serials, and puts them on sale.
    pub(crate) async fn import(&self, ware: &Ware) {
        let (stage, dice) = (&self.stage, &self.stage.dice);
        let serials = dice.small(1, 12);
        let restock = {
            let mut tables = stage.db.tables();
            stage
                .cast
                .import(&stage.weather, &mut tables, ware, serials)
        };
        sleep(dice.latency()).await;
        let Some(process) = stage.any() else { return };
        let asked = Asked::Import {
            sku: ware.sku,
            import: restock.import,
            serials,
        };
        let answer = async {
            match process.engine.restock(restock).await {
                Ok(()) => Heard::Done,
                Err(fault) => faulted(&fault),
            }
        };
        self.call(&process, (None, None), asked, answer).await;
    }

    async fn reads(&self) {
        let (stage, dice) = (&self.stage, &self.stage.dice);
        self.some_time().await;
        let Some(process) = stage.any() else { return };
        let purse = dice.index(stage.cast.purses.len());
        let scope = stage.cast.purses[purse].scope;
        if dice.percent(60) {
            let answer = async {
                match process.engine.balance(scope).await {
                    Ok(balance) => self.told(&process, balance),
                    Err(fault) => faulted(&fault),
                }
            };
            self.call(&process, (Some(purse), None), Asked::Balance, answer)
                .await;
            return;
        }
        let id = format!("order-{}", dice.below(40));
        self.look_up(purse, &id).await;
    }

    /// An owner that was replaced may tell what it knows until its last heartbeat is too old, and not
    /// a moment longer; what it tells until then may be behind its successor.
    fn told(&self, process: &Process, balance: Balance) -> Heard {
        let (stage, power) = (&self.stage, &process.power);
        match power.owner().and_then(|owner| stage.db.replaced_for(owner)) {
            None => Heard::Balance(balance),
            Some(replaced) => {
                stage.weather.reached(Sometimes::StaleRead);
                if replaced > Duration::from_millis(process.config.heartbeat_age_max_ms) {
                    let text = format!("C12: told by an owner replaced for {replaced:?}");
                    stage.broken.borrow_mut().push(text);
                }
                Heard::Refused("STALE")
            }
        }
    }

    pub(crate) async fn look_up(&self, purse: usize, id: &str) -> Option<Heard> {
        let process = self.stage.any()?;
        let scope = self.stage.cast.purses[purse].scope;
        let order = OrderId::parse(id).expect("an order id");
        let answer = async {
            match process.engine.find(scope, &order).await {
                Ok(Some(fulfillment)) => Heard::Delivered {
                    fulfillment,
                    replayed: true,
                },
                Ok(None) => Heard::Absent,
                Err(error) => crate::history::failure(error),
            }
        };
        let asked = Asked::LookUp { id: id.to_owned() };
        self.call(&process, (Some(purse), None), asked, answer)
            .await
    }
}

/// What a debit is, by how its reference begins, and what it does if there is less than it takes.
fn kind_of(reference: &str) -> (EntryKind, Cover) {
    match reference.split('-').next() {
        Some("reversal") => (EntryKind::TopUpReversal, Cover::Available),
        Some("settlement") => (EntryKind::DebtSettlement, Cover::Available),
        _ => (EntryKind::Debit, Cover::Whole),
    }
}
