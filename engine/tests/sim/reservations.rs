//! Invoices that hold units while they wait for money: reserved, stored, then paid, expired, or both at
//! once.
//!
//! Keeps: what is paid while its reservation has no end is delivered, unless that was made while there was
//! nothing. Only a serial that does not open is an excuse.

use std::time::Duration;

use engine::{
    ids::WithdrawalId,
    inventory::{Reach, ReserveCall, Reserved, WithdrawalCall},
};
use tokio::time::sleep;

use crate::{
    cast::Ware,
    clients::Clients,
    history::{Asked, Heard},
    stage::{Process, Stage},
    tally::{Kind, Sometimes},
};

/// Most units of one invoice.
const UNITS_MAX: u32 = 5;

impl Clients {
    /// One invoice, from its opening to its end, if it has one.
    pub(crate) async fn invoices(&self) {
        let (stage, dice) = (&self.stage, &self.stage.dice);
        sleep(Duration::from_millis(dice.below(self.horizon))).await;
        if !stage.weather.may(Kind::ReservationAgainstSale) {
            return;
        }
        stage.weather.struck(Kind::ReservationAgainstSale);
        // Several of one shelf, so that they meet.
        let ware = if dice.percent(60) {
            stage.cast.wares[0].clone()
        } else {
            dice.pick(&stage.cast.wares).clone()
        };
        let call = ReserveCall {
            id: self.fresh_id(),
            merchant: ware.merchant,
            sku: ware.sku,
            quantity: dice.small(1, UNITS_MAX),
        };
        let reach = if dice.percent(50) {
            Reach::Share
        } else {
            Reach::Shelf
        };
        self.open(call, reach).await;
        sleep(dice.millis(0, 3000)).await;
        if reach == Reach::Share && dice.percent(40) {
            self.settle(&ware, call.id).await;
        }
        match dice.below(4) {
            0 => {}
            1 => self.expire(&ware, call.id).await,
            2 => self.pay(call).await,
            _ => {
                if is_live(stage, call.id) {
                    stage.weather.struck(Kind::ReservationExpires);
                }
                let expiry = async {
                    sleep(dice.millis(0, 30)).await;
                    self.expire(&ware, call.id).await;
                };
                tokio::join!(self.pay(call), expiry);
            }
        }
    }

    /// Reserves, and stores it.
    async fn open(&self, call: ReserveCall, reach: Reach) {
        let stage = &self.stage;
        let Some(process) = stage.any() else { return };
        let opened = async {
            let reserved = match reach {
                Reach::Shelf => process.engine.reserve(call).await,
                Reach::Share => process.engine.reserve_unpaid(call).await,
                Reach::Beyond => {
                    let waits = process.engine.wait_for_stock(call).await;
                    waits.map(Reserved::Held)
                }
            };
            match reserved {
                Ok(Reserved::Held(reservation)) => {
                    stage.db.store(&process.power, reservation).await;
                }
                Ok(Reserved::OutOfStock) => stage.weather.reached(Sometimes::ReservationShort),
                Err(_) => {}
            }
        };
        tokio::select! {
            biased;
            () = process.power.died() => {}
            () = opened => {}
        }
    }

    /// Pays. An invoice for which there is nothing waits for what comes; perhaps another waits behind it.
    async fn pay(&self, call: ReserveCall) {
        if !self.waits(call).await {
            return;
        }
        if self.stage.dice.percent(50) {
            tokio::join!(self.collect(call), self.pay_behind(call));
        } else {
            self.collect(call).await;
        }
    }

    /// A younger one of the same shelf waits, something comes, and the younger asks at once.
    async fn pay_behind(&self, older: ReserveCall) {
        let younger = ReserveCall {
            id: self.fresh_id(),
            quantity: self.stage.dice.small(1, 2),
            ..older
        };
        if self.waits(younger).await {
            let ware = Ware {
                merchant: older.merchant,
                sku: older.sku,
            };
            self.import(&ware).await;
            self.collect(younger).await;
        }
    }

    /// Pays for the first time; false if it does not wait then.
    async fn waits(&self, call: ReserveCall) -> bool {
        let heard = self.withdraw(paid(call)).await;
        let waits = matches!(heard, Some(Heard::Refused("OUT_OF_STOCK")));
        if waits {
            self.stage.weather.reached(Sometimes::InvoiceWaits);
            self.stage.db.begins_to_wait(call.id);
            self.open(call, Reach::Beyond).await;
        }
        waits
    }

    /// Asks for what it waits for, a few times.
    async fn collect(&self, call: ReserveCall) {
        let stage = &self.stage;
        for longest in [30, 3000, 3000] {
            sleep(stage.dice.millis(0, longest)).await;
            let waited = is_live(stage, call.id);
            let heard = self.withdraw(paid(call)).await;
            if !matches!(heard, Some(Heard::Refused("OUT_OF_STOCK"))) {
                if waited && matches!(heard, Some(Heard::Withdrawn(_))) {
                    stage.weather.reached(Sometimes::InvoiceServed);
                }
                return;
            }
        }
    }

    /// Money came for what was reserved out of the share, and the units are given out later: first its row says so,
    /// then whoever serves hears of it, or nobody does.
    async fn settle(&self, ware: &Ware, id: WithdrawalId) {
        let stage = &self.stage;
        if !is_live(stage, id) {
            return;
        }
        stage.db.tables().pay_reservation(id);
        stage.weather.reached(Sometimes::SharePaid);
        let Some(process) = stage.any() else { return };
        if stage.dice.percent(30) {
            return;
        }
        tokio::select! {
            biased;
            () = process.power.died() => {}
            _ = process.engine.compare(ware.merchant, ware.sku, id) => {}
        }
    }

    /// The invoice ends: first its row, then whoever serves hears of it, or nobody does.
    async fn expire(&self, ware: &Ware, id: WithdrawalId) {
        let stage = &self.stage;
        let ended = stage.db.tables().end_reservation(id);
        if !ended || stage.weather.strikes(Kind::EndUntold, 300) {
            return;
        }
        let Some(process) = stage.any() else { return };
        tokio::select! {
            biased;
            () = process.power.died() => {}
            _ = process.engine.compare(ware.merchant, ware.sku, id) => {}
        }
    }

    /// Pays: what was live all the time must be delivered.
    pub(crate) async fn redeem(
        &self,
        process: &Process,
        call: &WithdrawalCall,
        answer: impl Future<Output = Heard>,
    ) -> Heard {
        let stage = &self.stage;
        let before = is_covered(stage, call.id);
        let heard = answer.await;
        let refused = matches!(heard, Heard::Refused("OUT_OF_STOCK"));
        if refused && before && is_covered(stage, call.id) && all_open(stage, call) {
            let owner = process.power.owner();
            let text = format!("N20: {call:?} was reserved, and {owner:?} had nothing for it");
            stage.broken.borrow_mut().push(text);
        }
        heard
    }
}

/// What whoever paid is to have.
const fn paid(call: ReserveCall) -> Asked {
    Asked::Redeem {
        id: call.id,
        sku: call.sku,
        quantity: call.quantity,
    }
}

/// Whether its row is there, without an end and not redeemed.
fn is_live(stage: &Stage, id: WithdrawalId) -> bool {
    let tables = stage.db.tables();
    let row = tables.reservations.get(&id);
    row.is_some_and(|row| !row.ended) && !tables.withdrawals.contains_key(&id)
}

/// The same of one that had its units when it was made.
fn is_covered(stage: &Stage, id: WithdrawalId) -> bool {
    let reach = stage.db.tables().reservations.get(&id).map(|row| row.reach);
    matches!(reach, Some(Reach::Shelf | Reach::Share)) && is_live(stage, id)
}

/// Whether every serial that ever was on the shelf opens.
fn all_open(stage: &Stage, call: &WithdrawalCall) -> bool {
    let tables = stage.db.tables();
    let mut of_shelf = tables.imports.iter().filter(|(_, row)| row.sku == call.sku);
    of_shelf.all(|(id, row)| {
        let mut serials = (0..).zip(&row.serials);
        serials.all(|(ordinal, sealed)| stage.cast.opens(call.merchant, id.serial(ordinal), sealed))
    })
}
