//! A withdrawal on its way into storage, with the serials it stands on.
//!
//! As every intent: undecided in a lane it can neither be given back nor taken, and dropping it ends the
//! process; decided, dropping it does what was decided.

use std::sync::Arc;

use super::{Ownership, intent::Fate};
use crate::inventory::{StockHold, Withdrawal};

/// See the module.
pub(crate) struct WithdrawalIntent {
    pub(crate) withdrawal: Arc<Withdrawal>,
    hold: Option<StockHold>,
    fate: Fate<()>,
    ownership: Arc<Ownership>,
}

impl WithdrawalIntent {
    pub(crate) const fn new(
        withdrawal: Arc<Withdrawal>,
        hold: StockHold,
        ownership: Arc<Ownership>,
    ) -> Self {
        Self {
            withdrawal,
            hold: Some(hold),
            fate: Fate::Open,
            ownership,
        }
    }

    pub(super) const fn enter_lane(&mut self) {
        self.fate = Fate::Undecided;
    }

    pub(super) const fn decide_committed(&mut self) {
        self.fate = Fate::Committed(());
    }

    pub(super) const fn decide_not_executed(&mut self) {
        self.fate = Fate::Open;
    }

    /// Ends the actor whose serials these are.
    pub(super) fn poison(&self) {
        self.hold.iter().for_each(StockHold::poison);
    }

    /// The memory behind the hold is being discarded.
    pub(super) fn disown(mut self) {
        self.fate = Fate::Open;
        self.hold.take().into_iter().for_each(StockHold::forget);
    }

    /// The serials are gone from the shelf for ever.
    pub(crate) fn settle(mut self) {
        self.hold.take().into_iter().for_each(StockHold::confirm);
    }
}

impl Drop for WithdrawalIntent {
    fn drop(&mut self) {
        let Some(hold) = self.hold.take() else {
            return;
        };
        match self.fate {
            Fate::Open => drop(hold),
            Fate::Committed(()) => hold.confirm(),
            Fate::Undecided if self.ownership.is_discarded() => hold.forget(),
            Fate::Undecided => {
                tracing::error!("an undecided withdrawal was dropped");
                std::process::abort();
            }
        }
    }
}
