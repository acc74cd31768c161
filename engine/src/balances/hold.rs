//! Money that is spoken for, as a value that cannot be forgotten or used twice.

use std::sync::{Arc, Mutex, PoisonError};

use actix::Addr;

use super::{
    BalanceActor, Credit, CreditEntry,
    messages::{Capture, Close, CloseDebit, Credited, DebitReference, Void},
};
use crate::{
    actors::{LatchGuard, ask::tell},
    clock::EPOCH,
    fault::Fault,
    fulfillments::{Error, Fulfillment, OrderId, Outcome, Stamp},
    ids::{BalanceId, EntryId},
    money::Money,
};

/// The end of a balance's ledger as its lane numbers it: ahead of what is posted by what is under way.
///
/// Lives with the actor's generation and is touched by the balance's lane only.
#[derive(Debug)]
pub(crate) struct LedgerEnd(Mutex<(i64, Money)>);

impl LedgerEnd {
    pub(crate) const fn new(version: i64, balance: Money) -> Self {
        Self(Mutex::new((version, balance)))
    }

    /// Version and balance of the last entry that was decided.
    pub(crate) fn get(&self) -> (i64, Money) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, version: i64, balance: Money) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (version, balance);
    }
}

/// What every hold and credit of one incarnation of a balance's actor carries.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) id: BalanceId,
    pub(crate) actor: Addr<BalanceActor>,
    pub(crate) end: Arc<LedgerEnd>,
}

/// Keeps a balance's actor from being replaced while a credit or a debit of it is under way, and holds
/// what a debit takes: dropped before it was captured, it gives the money back.
#[must_use = "dropping a hold gives the money back"]
pub(crate) struct CreditHold {
    pub(crate) account: Account,
    pub(super) debit: Option<(DebitReference, Money)>,
    pub(super) _guard: LatchGuard,
}

impl CreditHold {
    /// What is held for a debit.
    pub(crate) fn held(&self) -> Option<Money> {
        self.debit.as_ref().map(|(_, amount)| *amount)
    }

    /// The entry is durable, or the memory behind the hold is being discarded: nothing is given back.
    pub(crate) fn release(&mut self) {
        self.debit = None;
    }

    /// Lets the money be spent before it is in the ledger: what the sabotage is for.
    pub(super) fn spend_now(&self, credit: &Arc<Credit>) {
        let (version, posted) = self.account.end.get();
        let stamp = Stamp {
            id: EntryId::from_uuid(uuid::Uuid::nil()),
            version: version + 1,
            balance_after: posted.checked_add(credit.amount).unwrap_or(posted),
            created_at: EPOCH,
        };
        let entry = CreditEntry {
            stamp,
            credit: Arc::clone(credit),
        };
        let (reply, _) = tokio::sync::oneshot::channel();
        tell(&self.account.actor, Credited { entry, reply });
    }
}

impl Drop for CreditHold {
    fn drop(&mut self) {
        if let Some((reference, _)) = self.debit.take() {
            tell(&self.account.actor, CloseDebit { reference });
        }
    }
}

/// An order id of ours and the amount held for it.
///
/// Ends in exactly one of `capture` and `close`; dropped, it gives the money back and tells who joined
/// that nothing was executed.
#[must_use = "dropping a hold gives the money back"]
pub(crate) struct MoneyHold {
    account: Account,
    order_id: OrderId,
    held: bool,
    open: bool,
    _guard: LatchGuard,
}

impl MoneyHold {
    pub(crate) fn new(account: Account, order_id: OrderId, held: bool, guard: LatchGuard) -> Self {
        Self {
            account,
            order_id,
            held,
            open: true,
            _guard: guard,
        }
    }

    pub(crate) const fn account(&self) -> &Account {
        &self.account
    }

    /// Gives the money back; the order id stays ours.
    pub(crate) fn void(&mut self) {
        if std::mem::take(&mut self.held) {
            tell(
                &self.account.actor,
                Void {
                    order_id: self.order_id.clone(),
                },
            );
        }
    }

    /// The fulfillment is durable: takes the money and tells who joined.
    pub(crate) fn capture(mut self, fulfillment: Arc<Fulfillment>) {
        self.open = false;
        if crate::sabotage::breaks("settle_by_send") {
            // Asked, and nobody waits for the answer: the actor skips it.
            drop(self.account.actor.send(Capture { fulfillment }));
            return;
        }
        if crate::sabotage::breaks("settle_twice") {
            let fulfillment = Arc::clone(&fulfillment);
            tell(&self.account.actor, Capture { fulfillment });
        }
        tell(&self.account.actor, Capture { fulfillment });
    }

    /// Gives the money back if any is held, ends the order id and tells who joined.
    pub(crate) fn close(mut self, outcome: Outcome) -> Outcome {
        self.end(outcome.clone());
        outcome
    }

    /// The memory that this hold belongs to is being discarded: there is nothing to give back to.
    pub(crate) fn forget(mut self) {
        self.open = false;
    }

    fn end(&mut self, outcome: Outcome) {
        self.open = false;
        tell(
            &self.account.actor,
            Close {
                order_id: self.order_id.clone(),
                outcome,
            },
        );
    }
}

impl Drop for MoneyHold {
    fn drop(&mut self) {
        if self.open {
            let fault = Fault::Aborted {
                reason: "given up before the commit",
            };
            self.end(Err(Error::Faulted(fault)));
        }
    }
}
