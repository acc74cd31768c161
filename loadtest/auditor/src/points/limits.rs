//! C18: purchase limits and caps of keys, by replay in the order of the ledger.
//!
//! Days are those of UTC. What was entered within a minute after midnight may have been held, and
//! counted, the day before; it is left out of both days.

use std::collections::HashMap;

use crate::{
    Change, EntryKind, Finding, Id, Run,
    index::{Index, Known},
    verdict::Check,
};

use super::values::Values;

const DAY_MICROS: i64 = 86_400_000_000;
const AFTER_MIDNIGHT_MICROS: i64 = 60_000_000;

/// None is no limit.
type Limit = Values<Option<i64>>;

pub(crate) fn kept(index: &Index<'_>, _: &Run) -> Finding {
    let limits = purchase_limits(index);
    let caps = key_caps(index);
    let mut check = Check::new();
    for (balance, range) in &index.ledgers {
        let relationship = index.balances.get(balance).map(|row| row.relationship);
        let limit = relationship.and_then(|id| limits.get(&id));
        let (mut days, mut months) = (HashMap::new(), HashMap::new());
        let mut keys = HashMap::<(Option<Id>, i64), i64>::new();
        for known in &index.entries[range.clone()] {
            let row = known.row;
            let after_midnight = row.created_at.rem_euclid(DAY_MICROS) < AFTER_MIDNIGHT_MICROS;
            if row.kind != EntryKind::Fulfillment || after_midnight {
                continue;
            }
            let (day, cost) = (
                row.created_at.div_euclid(DAY_MICROS),
                row.amount.saturating_neg(),
            );
            let today = add(days.entry(day).or_default(), cost);
            let month = add(months.entry(month_of(day)).or_default(), cost);
            let of_key = add(keys.entry((row.key, day)).or_default(), cost);
            if let Some((daily, monthly)) = limit {
                check.that(allows(daily, known, today), "over the daily limit", || {
                    names(known)
                });
                check.that(
                    allows(monthly, known, month),
                    "over the monthly limit",
                    || names(known),
                );
            }
            if let Some(cap) = row.key.and_then(|key| caps.get(&key)) {
                check.that(
                    allows(cap, known, of_key),
                    "over the cap of the key",
                    || names(known),
                );
            }
        }
    }
    check.finding()
}

fn add(sum: &mut i64, cost: i64) -> i64 {
    *sum = sum.saturating_add(cost);
    *sum
}

fn allows(limit: &Limit, known: &Known<'_>, sum: i64) -> bool {
    limit.may(known, |value| value.is_none_or(|limit| sum <= limit))
}

fn limit(changes: Vec<(u64, u64, Option<i64>)>, last: Option<i64>) -> Limit {
    if changes.is_empty() {
        return Values::constant(last);
    }
    Values::changed(changes)
}

fn purchase_limits(index: &Index<'_>) -> HashMap<Id, (Limit, Limit)> {
    let mut changes = HashMap::<Id, Vec<_>>::new();
    for call in &index.history.invocations {
        if let Some(Change::PurchaseLimits {
            relationship,
            daily,
            monthly,
        }) = call.change()
        {
            let change = (call.sent_at, call.changed_at(), *daily, *monthly);
            changes.entry(*relationship).or_default().push(change);
        }
    }
    let rows = index.store.limits.iter();
    rows.map(|row| {
        let changes = changes
            .get(&row.relationship)
            .map_or(&[][..], Vec::as_slice);
        let daily = changes.iter().map(|change| (change.0, change.1, change.2));
        let monthly = changes.iter().map(|change| (change.0, change.1, change.3));
        let both = (
            limit(daily.collect(), row.daily),
            limit(monthly.collect(), row.monthly),
        );
        (row.relationship, both)
    })
    .collect()
}

fn key_caps(index: &Index<'_>) -> HashMap<Id, Limit> {
    let mut changes = HashMap::<Id, Vec<_>>::new();
    for call in &index.history.invocations {
        if let Some(Change::KeyCap { key, daily }) = call.change() {
            let change = (call.sent_at, call.changed_at(), *daily);
            changes.entry(*key).or_default().push(change);
        }
    }
    let rows = index.store.key_caps.iter();
    rows.map(|row| {
        let changes = changes.remove(&row.key).unwrap_or_default();
        (row.key, limit(changes, Some(row.daily)))
    })
    .collect()
}

/// Months since 1970 of a day since 1970, by the civil calendar.
const fn month_of(day: i64) -> i64 {
    // Days are counted from the first of March of year 0, so that a leap day ends its year.
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    (era * 400 + year_of_era) * 12 + from_march
}

fn names(known: &Known<'_>) -> String {
    let row = known.row;
    format!(
        "`{}`, version {} of balance {}",
        row.reference, row.version, row.balance
    )
}

#[cfg(test)]
mod tests {
    use super::month_of;

    #[test]
    fn months_change_on_their_first() {
        // 1970-01-31, 02-01, 02-28, 03-01; 2024-02-29, 03-01; 2026-11-23, 12-01.
        let month = |day| month_of(day) - month_of(0);
        let days = [30, 31, 58, 59, 19_782, 19_783, 20_780, 20_788];
        assert_eq!(days.map(month), [0, 1, 1, 2, 649, 650, 682, 683]);
    }
}
