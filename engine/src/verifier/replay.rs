//! Pure: does a slice of a ledger add up?

use super::{Drift, Line};
use crate::money::Money;

/// Checks the lines from `from` through `through`; the first of them, unless it is version 1, is where
/// the sum begins. An empty ledger is from 0 through 0.
pub(super) fn check(from: i64, through: i64, lines: &[Line]) -> Option<Drift> {
    first_wrong(from, through, lines).map(|(_, drift)| drift)
}

/// The same, with the version at which it is seen: of the first line that does not follow, or where the slice
/// was to begin or to end.
pub(crate) fn first_wrong(from: i64, through: i64, lines: &[Line]) -> Option<(i64, Drift)> {
    let mut lines = lines.iter();
    let (mut version, mut posted) = (0, Money::ZERO);
    if from > 0 {
        let Some(first) = lines.next() else {
            return Some((from, Drift::Versions));
        };
        (version, posted) = (first.version, first.balance_after);
        if version != from {
            return Some((from, Drift::Versions));
        }
    }
    for line in lines {
        let follows = posted.checked_add(line.amount) == Some(line.balance_after);
        let broken = [
            (line.version != version + 1, Drift::Versions),
            (!follows, Drift::Sum),
            (line.balance_after.is_negative(), Drift::BelowZero),
            (!is_claimed(line), Drift::Claims),
        ];
        if let Some((_, drift)) = broken.into_iter().find(|(broken, _)| *broken) {
            return Some((line.version, drift));
        }
        (version, posted) = (line.version, line.balance_after);
    }
    (version != through).then_some((through, Drift::Versions))
}

fn is_claimed(line: &Line) -> bool {
    line.delivered.is_none_or(|delivered| {
        delivered.serials == delivered.claims
            && delivered.serials > 0
            && delivered.cost == -line.amount
    })
}
