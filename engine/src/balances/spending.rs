//! What was bought today and this month, held purchases included, against the limits.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, Months, NaiveDate, NaiveTime};

use crate::{
    clock::Timestamp,
    fulfillments::Refusal,
    ids::KeyId,
    money::Money,
    relationships::{Committed, Terms},
};

/// Purchases of one UTC day and of its calendar month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spending {
    pub day: NaiveDate,
    pub today: Money,
    pub month: Money,
    /// Today, by key.
    pub keys_today: BTreeMap<KeyId, Money>,
}

impl Spending {
    /// Nothing bought yet.
    pub const fn none(day: NaiveDate) -> Self {
        Self {
            day,
            today: Money::ZERO,
            month: Money::ZERO,
            keys_today: BTreeMap::new(),
        }
    }

    /// Moves on to the day of `now`. A clock that goes back does not bring a day back.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        let day = now.date_naive();
        if day <= self.day {
            return;
        }
        if month_of(day) != month_of(self.day) {
            self.month = Money::ZERO;
        }
        self.today = Money::ZERO;
        self.keys_today.clear();
        self.day = day;
    }

    /// Whether the limits of the relationship, then the cap of the key, leave room for this cost beside what
    /// is committed.
    pub(crate) fn check(
        &self,
        (terms, committed): (&Terms, Committed),
        key: KeyId,
        cost: Money,
    ) -> Result<(), Refusal> {
        let (today, month) = committed.on(self.day);
        let all = |bought: Money, beside| bought.checked_add(beside).unwrap_or(Money::MAX);
        let exceeds =
            |used: Money, limit: Money| used.checked_add(cost).is_none_or(|sum| sum > limit);
        let tomorrow = self.day + Days::new(1);
        let next_month = self.day.with_day(1).expect("every month has a first") + Months::new(1);
        let limits = [
            (terms.purchase_limit_daily, all(self.today, today), tomorrow),
            (
                terms.purchase_limit_monthly,
                all(self.month, month),
                next_month,
            ),
        ];
        for (limit, used, reset) in limits {
            if let Some(limit) = limit.filter(|limit| exceeds(used, *limit)) {
                return Err(Refusal::PurchaseLimitExceeded {
                    limit,
                    used,
                    resets_at: midnight(reset),
                });
            }
        }
        let used = self.keys_today.get(&key).copied().unwrap_or_default();
        match terms.keys.get(&key).and_then(|key| key.daily_spend_cap) {
            Some(limit) if exceeds(used, limit) => Err(Refusal::SpendCapExceeded {
                limit,
                used,
                resets_at: midnight(tomorrow),
            }),
            Some(_) | None => Ok(()),
        }
    }

    pub(crate) fn add(&mut self, key: KeyId, cost: Money) {
        let add = |sum: Money| {
            sum.checked_add(cost)
                .expect("a sum of debits of a bounded balance")
        };
        self.today = add(self.today);
        self.month = add(self.month);
        let of_key = self.keys_today.entry(key).or_default();
        *of_key = add(*of_key);
    }

    /// Takes back what was added on `day` and not bought after all.
    pub(crate) fn remove(&mut self, key: KeyId, cost: Money, day: NaiveDate) {
        if cost == Money::ZERO {
            return;
        }
        let take = |sum: Money| {
            sum.checked_sub(cost)
                .expect("only what was added is taken back")
        };
        if month_of(day) == month_of(self.day) {
            self.month = take(self.month);
        }
        if day == self.day {
            self.today = take(self.today);
            let of_key = self
                .keys_today
                .get_mut(&key)
                .expect("only what was added is taken back");
            *of_key = take(*of_key);
        }
    }
}

fn month_of(day: NaiveDate) -> (i32, u32) {
    (day.year(), day.month())
}

/// When the day of `now` is over.
pub(crate) fn midnight_after(now: Timestamp) -> Timestamp {
    midnight(now.date_naive() + Days::new(1))
}

fn midnight(day: NaiveDate) -> Timestamp {
    day.and_time(NaiveTime::MIN).and_utc()
}
