//! Pure: over which days figures are told, and into which parts a time is cut.
//!
//! Keeps: days are UTC; the parts of a period touch and cover it, so sums over them are the sum over all.

use chrono::{Datelike as _, Days, Months, NaiveDate, TimeDelta};

use crate::clock::Timestamp;

/// Longest time that figures are told over, in days.
pub const DAYS_MAX: i64 = 366;
/// Over so many days figures are told if nobody says.
pub const DAYS: i64 = 30;

/// Into which parts a time is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    Day,
    /// From Monday on.
    Week,
    Month,
}

impl Interval {
    const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The word for it in the contract, and in storage's own dates.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// In any case.
    pub fn parse(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|one| one.name().eq_ignore_ascii_case(name))
    }

    /// The first day of the part that a day is in.
    fn begin(self, day: NaiveDate) -> NaiveDate {
        let back = match self {
            Self::Day => 0,
            Self::Week => day.weekday().num_days_from_monday(),
            Self::Month => day.day0(),
        };
        day - Days::new(u64::from(back))
    }

    fn next(self, begin: NaiveDate) -> NaiveDate {
        match self {
            Self::Day => begin + Days::new(1),
            Self::Week => begin + Days::new(7),
            Self::Month => begin + Months::new(1),
        }
    }
}

/// A time, from its first moment up to its last, which it is without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// Why it is no period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPeriod {
    #[error("must be before `to`")]
    Backwards,
    #[error("must be at most 366 days before `to`")]
    TooLong,
}

impl Period {
    /// What is asked for; the last [`DAYS`] days before its end, or before now, where that is not said.
    pub fn of(
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Self, NotPeriod> {
        let to = to.unwrap_or(now);
        let from = from.unwrap_or(to - TimeDelta::days(DAYS));
        if from >= to {
            return Err(NotPeriod::Backwards);
        }
        if to - from > TimeDelta::days(DAYS_MAX) {
            return Err(NotPeriod::TooLong);
        }
        Ok(Self { from, to })
    }

    /// The first days of its parts, in order.
    pub fn parts(self, interval: Interval) -> Vec<NaiveDate> {
        let mut parts = Vec::new();
        let mut part = interval.begin(self.from.date_naive());
        while part.and_time(chrono::NaiveTime::MIN).and_utc() < self.to {
            parts.push(part);
            part = interval.next(part);
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn parts(from: &str, to: &str, interval: Interval) -> Vec<String> {
        let period = Period::of(Some(at(from)), Some(at(to)), at(to)).unwrap();
        let parts = period.parts(interval).into_iter();
        parts.map(|part| part.to_string()).collect()
    }

    #[test]
    fn parts_begin_where_their_day_week_or_month_does() {
        let (from, to) = ("2026-02-27T23:59:59Z", "2026-03-02T00:00:01Z");
        let days = ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"];
        assert_eq!(parts(from, to, Interval::Day), days);
        assert_eq!(
            parts(from, to, Interval::Week),
            ["2026-02-23", "2026-03-02"]
        );
        assert_eq!(
            parts(from, to, Interval::Month),
            ["2026-02-01", "2026-03-01"]
        );
        // The end is no part of it.
        assert_eq!(
            parts(
                "2026-03-01T00:00:00Z",
                "2026-03-02T00:00:00Z",
                Interval::Day
            ),
            ["2026-03-01"]
        );
    }

    #[test]
    fn period_is_thirty_days_if_nobody_says_and_a_year_at_most() {
        let now = at("2026-03-31T12:00:00Z");
        let period = Period::of(None, None, now).unwrap();
        assert_eq!((period.from, period.to), (at("2026-03-01T12:00:00Z"), now));
        assert_eq!(Period::of(Some(now), None, now), Err(NotPeriod::Backwards));
        let year = now - TimeDelta::days(DAYS_MAX);
        assert!(Period::of(Some(year), None, now).is_ok());
        let longer = year - TimeDelta::seconds(1);
        assert_eq!(Period::of(Some(longer), None, now), Err(NotPeriod::TooLong));
    }
}
