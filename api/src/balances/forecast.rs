//! When a balance will be empty if its reseller goes on as it did.
//!
//! Pure: available money over the spending of the last 24 hours, or of 7 days if those had none.

use chrono::TimeDelta;
use engine::{clock::Timestamp, money::Money};

/// What was spent up to now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    pub(crate) in_24h: Money,
    pub(crate) in_7d: Money,
}

/// When it ends; nothing if nothing was spent, or if it lasts longer than a calendar does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forecast {
    pub(crate) hours_left: i64,
    pub(crate) empty_at: Timestamp,
}

const DAY_SECONDS: i64 = 24 * 3600;

pub(crate) fn forecast(available: Money, spent: Spent, now: Timestamp) -> Option<Forecast> {
    let (spent, over_seconds) = if spent.in_24h > Money::ZERO {
        (spent.in_24h, DAY_SECONDS)
    } else {
        (spent.in_7d, 7 * DAY_SECONDS)
    };
    // An amount has at most twelve digits, so this product fits.
    let seconds = available
        .minor()
        .checked_mul(over_seconds)?
        .checked_div(spent.minor())?;
    let empty_at = now.checked_add_signed(TimeDelta::try_seconds(seconds)?)?;
    Some(Forecast {
        hours_left: seconds / 3600,
        empty_at,
    })
}

#[cfg(test)]
mod tests {
    use engine::clock::EPOCH;

    use super::*;

    fn check(available: i64, in_24h: i64, in_7d: i64) -> Option<(i64, i64)> {
        let money = |minor| Money::from_minor(minor).unwrap();
        let spent = Spent {
            in_24h: money(in_24h),
            in_7d: money(in_7d),
        };
        let forecast = forecast(money(available), spent, EPOCH)?;
        Some((forecast.hours_left, forecast.empty_at.timestamp()))
    }

    #[test]
    fn last_day_counts_before_the_last_week() {
        assert_eq!(check(10_000, 2_400, 99_999), Some((100, 360_000)));
        assert_eq!(check(10_000, 0, 16_800), Some((100, 360_000)));
    }

    #[test]
    fn hours_are_rounded_down() {
        assert_eq!(check(199, 2_400, 2_400), Some((1, 7_164)));
        assert_eq!(check(0, 1, 1), Some((0, 0)));
    }

    #[test]
    fn nothing_spent_forecasts_nothing() {
        assert_eq!(check(10_000, 0, 0), None);
    }

    #[test]
    fn end_beyond_any_calendar_is_none() {
        assert_eq!(check(999_999_999_999, 0, 1), None);
    }
}
