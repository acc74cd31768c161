//! Pure: posted and held money.
//!
//! Keeps `0 <= held <= posted`, asserted in release builds too: what breaks it is a defect, and ends
//! the actor before anything is told.

use crate::money::Money;

/// What is in the balance, and how much of it is spoken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ledger {
    posted: Money,
    held: Money,
}

impl Ledger {
    pub(crate) fn new(posted: Money) -> Self {
        let ledger = Self {
            posted,
            held: Money::ZERO,
        };
        ledger.check();
        ledger
    }

    pub(crate) const fn posted(&self) -> Money {
        self.posted
    }

    pub(crate) const fn held(&self) -> Money {
        self.held
    }

    pub(crate) fn available(&self) -> Money {
        self.posted
            .checked_sub(self.held)
            .expect("held is at most posted")
    }

    /// Holds the cost; `false`, and nothing changed, if there is less.
    pub(crate) fn hold(&mut self, cost: Money) -> bool {
        if cost > self.available() {
            return false;
        }
        self.held = self.held.checked_add(cost).expect("held is at most posted");
        self.check();
        true
    }

    /// Gives a held cost back.
    pub(crate) fn void(&mut self, cost: Money) {
        self.held = self
            .held
            .checked_sub(cost)
            .expect("only what was held is given back");
        self.check();
    }

    /// Takes a held cost out of the balance, after its commit.
    pub(crate) fn capture(&mut self, cost: Money) {
        self.held = self
            .held
            .checked_sub(cost)
            .expect("only what was held is captured");
        self.posted = self
            .posted
            .checked_sub(cost)
            .expect("what is held is posted");
        self.check();
    }

    /// Adds to the balance, after the commit.
    pub(crate) fn credit(&mut self, amount: Money) {
        self.posted = self
            .posted
            .checked_add(amount)
            .expect("the lane checked the sum");
        self.check();
    }

    fn check(&self) {
        assert!(
            !self.held.is_negative() && self.held <= self.posted,
            "0 <= held <= posted"
        );
    }
}
