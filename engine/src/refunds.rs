//! How much of what was paid is given back, and what a repeated reference means.
//!
//! Keeps: the refunds of a fulfillment never exceed its cost; a reference refunds once, and so does an item
//! that is named.

use crate::money::Money;

/// What is known of a fulfillment and of the reference when a refund is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    pub cost: Money,
    /// What was given back before.
    pub refunded: Money,
    /// One of the items that are named was refunded by name before, under another reference.
    pub item_refunded: bool,
    pub earlier: Option<Earlier>,
}

/// The refund that the reference made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    /// It was one of this fulfillment, for the same items.
    pub same: bool,
    pub amount: Money,
}

/// What becomes of a refund. Whatever was taken is to be credited, now or again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Fresh(Money),
    /// It was taken before.
    Again(Money),
    /// The reference belongs to another refund.
    Mismatch,
    /// The price of an item is given back once.
    ItemAgain,
    /// There is less left than this.
    Excess {
        rest: Money,
    },
}

/// What is taken of so much; none is the rest.
pub fn take(facts: &Facts, wanted: Option<Money>) -> Taken {
    if let Some(earlier) = facts.earlier {
        let same = earlier.same && wanted.is_none_or(|wanted| wanted == earlier.amount);
        return if same {
            Taken::Again(earlier.amount)
        } else {
            Taken::Mismatch
        };
    }
    if facts.item_refunded {
        return Taken::ItemAgain;
    }
    let rest = facts.cost.checked_sub(facts.refunded).unwrap_or_default();
    let rest = rest.max(Money::ZERO);
    let amount = wanted.unwrap_or(rest);
    if amount <= Money::ZERO || amount > rest {
        return Taken::Excess { rest };
    }
    Taken::Fresh(amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor: i64) -> Money {
        Money::from_minor(minor).unwrap()
    }

    fn taken(refunded: i64, wanted: Option<i64>, earlier: Option<(bool, i64)>) -> Taken {
        let facts = Facts {
            cost: money(100),
            refunded: money(refunded),
            item_refunded: false,
            earlier: earlier.map(|(same, amount)| Earlier {
                same,
                amount: money(amount),
            }),
        };
        take(&facts, wanted.map(money))
    }

    #[test]
    fn no_more_is_taken_than_is_left() {
        for (refunded, wanted, expected) in [
            (0, None, Taken::Fresh(money(100))),
            (0, Some(100), Taken::Fresh(money(100))),
            (60, None, Taken::Fresh(money(40))),
            (60, Some(40), Taken::Fresh(money(40))),
            (60, Some(41), Taken::Excess { rest: money(40) }),
            (100, None, Taken::Excess { rest: money(0) }),
            (100, Some(1), Taken::Excess { rest: money(0) }),
            (0, Some(0), Taken::Excess { rest: money(100) }),
            (0, Some(-1), Taken::Excess { rest: money(100) }),
        ] {
            assert_eq!(
                taken(refunded, wanted, None),
                expected,
                "{refunded} {wanted:?}"
            );
        }
    }

    #[test]
    fn item_is_refunded_once_and_its_reference_means_what_it_meant() {
        let facts = Facts {
            cost: money(100),
            refunded: money(40),
            item_refunded: true,
            earlier: None,
        };
        assert_eq!(take(&facts, Some(money(40))), Taken::ItemAgain);
        let earlier = Some(Earlier {
            same: true,
            amount: money(40),
        });
        let again = Facts { earlier, ..facts };
        assert_eq!(take(&again, Some(money(40))), Taken::Again(money(40)));
    }

    #[test]
    fn reference_means_what_it_meant_before() {
        for (wanted, same, expected) in [
            (Some(60), true, Taken::Again(money(60))),
            (None, true, Taken::Again(money(60))),
            (Some(1), true, Taken::Mismatch),
            (Some(60), false, Taken::Mismatch),
            (None, false, Taken::Mismatch),
        ] {
            assert_eq!(
                taken(100, wanted, Some((same, 60))),
                expected,
                "{wanted:?} {same}"
            );
        }
    }
}
