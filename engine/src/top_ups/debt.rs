//! What a reseller owes because a top-up was taken back after its money was spent.
//!
//! Keeps: a debt grows by what could not be taken and shrinks by what was, and is never below zero. Top-ups
//! that race never take more of it than there is.

use crate::{
    balances::EntryKind,
    money::Money,
    relationships::{Status, Step},
};

/// The debt of one relationship.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Debt {
    pub amount: Money,
    /// The relationship was suspended for it, and nobody decided otherwise since.
    pub suspended: bool,
}

/// What was asked of a balance, and what was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    pub kind: EntryKind,
    pub asked: Money,
    pub taken: Money,
}

impl Debt {
    /// What a top-up of this amount is asked for, where others that were asked may not have paid yet.
    pub fn share(self, asked_already: Money, top_up: Money) -> Money {
        let open = self.amount.checked_sub(asked_already).unwrap_or_default();
        open.max(Money::ZERO).min(top_up)
    }

    /// The debt after a balance was asked, and the step that its relationship takes because of it.
    pub fn after(self, taken: Taken, status: Status) -> (Self, Option<Step>) {
        let amount = match taken.kind {
            EntryKind::TopUpReversal => {
                let missing = taken.asked.checked_sub(taken.taken).unwrap_or_default();
                self.amount.checked_add(missing)
            }
            EntryKind::DebtSettlement => self.amount.checked_sub(taken.taken),
            EntryKind::Fulfillment
            | EntryKind::TopUp
            | EntryKind::Credit
            | EntryKind::Refund
            | EntryKind::Debit
            | EntryKind::StockRefund
            | EntryKind::StockPurchase => None,
        };
        let amount =
            amount.expect("a debt is asked for by reversals and settlements, within amounts");
        assert!(!amount.is_negative(), "no more is settled than is owed");
        let owes = amount > Money::ZERO;
        let step = match status {
            Status::Active if owes && self.amount == Money::ZERO => Some(Step::Suspend),
            Status::Suspended if !owes && self.suspended => Some(Step::Reactivate),
            Status::Active | Status::Suspended | Status::Invited | Status::Terminated => None,
        };
        let suspended = match step {
            Some(Step::Suspend) => true,
            Some(Step::Reactivate | Step::Terminate) => false,
            None => self.suspended && owes,
        };
        (Self { amount, suspended }, step)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(minor: i64) -> Money {
        Money::from_minor(minor).unwrap()
    }

    fn after(
        owed: (i64, bool),
        kind: EntryKind,
        asked: (i64, i64),
        status: Status,
    ) -> (i64, bool, Option<Step>) {
        let debt = Debt {
            amount: money(owed.0),
            suspended: owed.1,
        };
        let taken = Taken {
            kind,
            asked: money(asked.0),
            taken: money(asked.1),
        };
        let (debt, step) = debt.after(taken, status);
        (debt.amount.minor(), debt.suspended, step)
    }

    #[test]
    fn what_is_missing_is_owed_and_suspends_what_is_paid_reactivates() {
        let (back, settled) = (EntryKind::TopUpReversal, EntryKind::DebtSettlement);
        let (active, off) = (Status::Active, Status::Suspended);
        for (owed, kind, asked, status, expected) in [
            ((0, false), back, (50, 50), active, (0, false, None)),
            (
                (0, false),
                back,
                (50, 20),
                active,
                (30, true, Some(Step::Suspend)),
            ),
            ((0, false), back, (50, 20), off, (30, false, None)),
            (
                (0, false),
                back,
                (50, 20),
                Status::Terminated,
                (30, false, None),
            ),
            // The merchant let it sell again in spite of its debt, and knows of it.
            ((30, false), back, (50, 0), active, (80, false, None)),
            ((30, true), settled, (30, 10), off, (20, true, None)),
            (
                (30, true),
                settled,
                (30, 30),
                off,
                (0, false, Some(Step::Reactivate)),
            ),
            // The merchant suspended it as well.
            ((30, false), settled, (30, 30), off, (0, false, None)),
            (
                (30, true),
                settled,
                (30, 30),
                Status::Terminated,
                (0, false, None),
            ),
        ] {
            assert_eq!(
                after(owed, kind, asked, status),
                expected,
                "{owed:?} {asked:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn top_ups_never_pay_more_than_is_owed(
            owed in 0_i64..1000,
            top_ups in prop::collection::vec((1_i64..500, 0_i64..500), 0..8),
        ) {
            let mut debt = Debt { amount: money(owed), suspended: true };
            let mut asked = Vec::new();
            let mut waiting = Money::ZERO;
            for (amount, _) in &top_ups {
                let share = debt.share(waiting, money(*amount));
                waiting = waiting.checked_add(share).unwrap();
                asked.push(share);
            }
            prop_assert!(waiting <= money(owed));
            for (asked, (_, there)) in asked.into_iter().zip(top_ups) {
                let taken = Taken { kind: EntryKind::DebtSettlement, asked, taken: asked.min(money(there)) };
                (debt, _) = debt.after(taken, Status::Suspended);
            }
            prop_assert!(!debt.amount.is_negative());
        }
    }
}
