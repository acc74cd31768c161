//! What is handed to a lane, with the holds it stands on.
//!
//! While a lane has an intent undecided, its holds can neither be given back nor taken: dropping it
//! then ends the process. Once it is decided, dropping it does what was decided. So whoever panics, is
//! late or forgets loses and doubles nothing.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Ownership;
use crate::{
    actors::{
        Poison,
        ask::{ask, tell},
    },
    balances::{Account, Credit, CreditEntry, CreditHold, MoneyHold, messages::Credited},
    fulfillments::{Contents, Fulfillment, Stamp},
    inventory::{Restock, StockHold},
    money::Money,
};

/// What became of something handed to a lane.
pub(crate) enum Verdict<I, S> {
    /// Durable.
    Committed(I, S),
    /// Its reference was there already: this one was not executed, an earlier one was.
    Duplicate(I),
    /// Not executed, for certain.
    Aborted(I, crate::fault::Fault),
    /// The lane has lost its shard with this one undecided: the next owner will know.
    Disowned,
}

/// A fulfillment on its way into the ledger.
pub(crate) struct Intent {
    pub(crate) contents: Arc<Contents>,
    holds: Option<Holds>,
    fate: Fate,
    ownership: Arc<Ownership>,
}

struct Holds {
    money: MoneyHold,
    stock: Vec<StockHold>,
}

pub(super) enum Fate<S = Stamp> {
    /// With whoever made it: dropping gives the holds back.
    Open,
    /// In a lane, undecided.
    Undecided,
    Committed(S),
}

impl Intent {
    pub(crate) fn new(
        contents: Arc<Contents>,
        money: MoneyHold,
        stock: Vec<StockHold>,
        ownership: Arc<Ownership>,
    ) -> Self {
        Self {
            contents,
            holds: Some(Holds { money, stock }),
            fate: Fate::Open,
            ownership,
        }
    }

    pub(super) fn account(&self) -> &Account {
        self.holds
            .as_ref()
            .expect("an intent has its holds until it is settled")
            .money
            .account()
    }

    pub(super) fn enter_lane(&mut self) {
        self.fate = Fate::Undecided;
    }

    pub(super) fn decide_committed(&mut self, stamp: Stamp) {
        self.fate = Fate::Committed(stamp);
    }

    pub(super) fn decide_not_executed(&mut self) {
        self.fate = Fate::Open;
    }

    /// Ends the actors that this intent came from.
    pub(super) fn poison(&self) {
        tell(&self.account().actor, Poison);
        for stock in self.holds.iter().flat_map(|holds| &holds.stock) {
            stock.poison();
        }
    }

    /// The memory behind the holds is being discarded.
    pub(super) fn disown(mut self) {
        self.fate = Fate::Open;
        if let Some(holds) = self.holds.take() {
            holds.money.forget();
            holds.stock.into_iter().for_each(StockHold::forget);
        }
    }

    /// Takes money and serials, tells who joined, and says what was delivered.
    pub(crate) fn settle(mut self, stamp: Stamp) -> Arc<Fulfillment> {
        let holds = self.holds.take().expect("an intent is settled once");
        settle(&self.contents, holds, stamp)
    }

    /// Puts the serials back and gives the money back; the order id stays ours.
    pub(crate) fn void(mut self) -> MoneyHold {
        let Holds { mut money, stock } = self.holds.take().expect("an intent is settled once");
        drop(stock);
        money.void();
        money
    }
}

fn settle(contents: &Arc<Contents>, holds: Holds, stamp: Stamp) -> Arc<Fulfillment> {
    let fulfillment = Arc::new(Fulfillment {
        stamp,
        contents: Arc::clone(contents),
        refunded: Money::ZERO,
        revealed: std::collections::BTreeMap::new(),
        replaced: Vec::new(),
        refunded_items: std::collections::BTreeSet::new(),
    });
    holds.stock.into_iter().for_each(StockHold::confirm);
    holds.money.capture(Arc::clone(&fulfillment));
    fulfillment
}

impl Drop for Intent {
    fn drop(&mut self) {
        let Some(holds) = self.holds.take() else {
            return;
        };
        match self.fate {
            Fate::Open => drop(holds),
            Fate::Committed(stamp) => drop(settle(&self.contents, holds, stamp)),
            Fate::Undecided if self.ownership.is_discarded() => {
                holds.money.forget();
                holds.stock.into_iter().for_each(StockHold::forget);
            }
            Fate::Undecided => {
                tracing::error!("an undecided intent was dropped");
                std::process::abort();
            }
        }
    }
}

/// A credit or a debit on its way into the ledger. A credit holds nothing: memory gains after the commit.
pub(crate) struct CreditIntent {
    pub(crate) credit: Arc<Credit>,
    hold: CreditHold,
    fate: Fate,
    ownership: Arc<Ownership>,
}

impl CreditIntent {
    pub(crate) fn new(credit: Arc<Credit>, hold: CreditHold, ownership: Arc<Ownership>) -> Self {
        let taken = hold.held().unwrap_or_default();
        let takes = credit.kind.takes();
        assert!(!takes || taken == -credit.amount, "a debit takes its hold");
        Self {
            credit,
            hold,
            fate: Fate::Open,
            ownership,
        }
    }

    pub(super) const fn account(&self) -> &Account {
        &self.hold.account
    }

    pub(super) const fn enter_lane(&mut self) {
        self.fate = Fate::Undecided;
    }

    pub(super) const fn decide_committed(&mut self, stamp: Stamp) {
        self.fate = Fate::Committed(stamp);
    }

    pub(super) const fn decide_not_executed(&mut self) {
        self.fate = Fate::Open;
    }

    /// The memory behind the hold is being discarded.
    pub(super) fn disown(mut self) {
        self.fate = Fate::Open;
        self.hold.release();
    }

    /// Ends the actor that this intent came from.
    pub(super) fn poison(&self) {
        tell(&self.hold.account.actor, Poison);
    }

    /// Lets the money be spent, and returns once it can be. If the actor died meanwhile, its successor
    /// starts with the money.
    pub(crate) async fn settle(mut self, stamp: Stamp) -> CreditEntry {
        self.fate = Fate::Open;
        self.hold.release();
        let entry = CreditEntry {
            stamp,
            credit: Arc::clone(&self.credit),
        };
        let told = entry.clone();
        // Gone: its successor starts with the money.
        let _gone = ask(&self.hold.account.actor, |reply| Credited {
            entry: told,
            reply,
        })
        .await
        .err();
        entry
    }
}

impl Drop for CreditIntent {
    fn drop(&mut self) {
        match self.fate {
            Fate::Open => {}
            Fate::Committed(stamp) => {
                self.hold.release();
                let entry = CreditEntry {
                    stamp,
                    credit: Arc::clone(&self.credit),
                };
                let (reply, _) = oneshot::channel();
                tell(&self.hold.account.actor, Credited { entry, reply });
            }
            Fate::Undecided if self.ownership.is_discarded() => self.hold.release(),
            Fate::Undecided if self.hold.held().is_none() => {}
            Fate::Undecided => {
                tracing::error!("an undecided debit was dropped");
                std::process::abort();
            }
        }
    }
}

/// An import on its way onto the shelf.
pub(crate) struct RestockIntent {
    pub(crate) restock: Restock,
}
