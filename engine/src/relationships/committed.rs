//! What a relationship bound itself to buy, and no ledger shows.

use chrono::{Datelike as _, NaiveDate};

use crate::money::Money;

/// Wholesale purchases that wait for money, or were paid elsewhere than from the balance: of one UTC day, and of
/// its calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    pub day: NaiveDate,
    pub today: Money,
    pub month: Money,
}

impl Committed {
    pub const NONE: Self = Self {
        day: NaiveDate::MIN,
        today: Money::ZERO,
        month: Money::ZERO,
    };

    /// What of it counts on a day, and in the day's month.
    pub fn on(self, day: NaiveDate) -> (Money, Money) {
        let month = |date: NaiveDate| (date.year(), date.month());
        let today = if day == self.day {
            self.today
        } else {
            Money::ZERO
        };
        let so_far = if month(day) == month(self.day) {
            self.month
        } else {
            Money::ZERO
        };
        (today, so_far)
    }
}
