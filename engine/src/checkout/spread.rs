//! An amount of a whole invoice, in parts of its lines.

use super::Line;
use crate::{
    money::Money,
    payments::{Invoice, Status},
};

/// Parts of an amount, each as its own share is of all shares: they add up to the amount, or to all shares if
/// those are less, and none is more than its share.
pub fn spread(amount: Money, shares: &[Money]) -> Vec<Money> {
    let sum = |upto: usize| {
        let shares = shares.iter().take(upto);
        shares.fold(Money::ZERO, |sum, share| {
            sum.checked_add(*share).unwrap_or(Money::MAX)
        })
    };
    let all = sum(shares.len());
    let amount = amount.min(all);
    // Rounded where the parts end, so that no rounding is lost or counted twice.
    let end = |upto: usize| {
        if all == Money::ZERO {
            Money::ZERO
        } else {
            amount.in_proportion(sum(upto), all)
        }
    };
    let parts = (0..shares.len()).map(|at| end(at + 1).checked_sub(end(at)));
    parts
        .map(|part| part.expect("a sum of shares only grows"))
        .collect()
}

/// The lines of an invoice that is paid: what is missing of its price was let go, of each a part.
#[must_use]
pub fn paid(mut lines: Vec<Line>, invoice: &Invoice) -> Vec<Line> {
    let totals: Vec<_> = lines.iter().map(|line| line.total).collect();
    let missing = spread(invoice.missing(), &totals);
    for (line, missing) in lines.iter_mut().zip(missing) {
        line.missing = missing;
    }
    lines
}

/// What goes back of each line, once so much of its invoice did: all that is left if its price went back, or else of
/// each a part of what the money that is left does not pay any more, or all of it of one line. Of what nobody has
/// paid, nothing.
pub fn going_back(
    lines: &[Line],
    invoice: &Invoice,
    (amount, of): (Money, Option<usize>),
) -> Vec<Money> {
    if invoice.paid_at.is_none() {
        return vec![Money::ZERO; lines.len()];
    }
    let mut rests: Vec<_> = lines.iter().map(Line::rest).collect();
    if invoice.status == Status::Refunded {
        return rests;
    }
    if let Some(of) = of {
        let others = rests.iter_mut().enumerate();
        let others = others.filter(|(place, _)| *place != of);
        others.for_each(|(_, rest)| *rest = Money::ZERO);
        return spread(amount, &rests);
    }
    let sum = |part: fn(&Line) -> Money| {
        lines.iter().fold(Money::ZERO, |sum, line| {
            sum.checked_add(part(line)).unwrap_or(Money::MAX)
        })
    };
    // What went back of a line was of its price, though more than the price may be left then.
    let (price, rest) = (sum(Line::paid), sum(Line::rest));
    let unpaid = rest.checked_sub(rest.min(invoice.left()));
    let amount = invoice.of_price(price, amount);
    spread(amount.min(unpaid.unwrap_or_default()), &rests)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(minor: i64) -> Money {
        Money::from_minor(minor).unwrap()
    }

    fn sum(parts: &[Money]) -> i64 {
        parts.iter().map(|part| part.minor()).sum()
    }

    #[test]
    fn parts_are_as_the_shares_are() {
        for (amount, shares, expected) in [
            (100, &[300, 100][..], &[75, 25][..]),
            (1, &[1, 1, 1], &[0, 1, 0]),
            (2, &[1, 1, 1], &[1, 0, 1]),
            (500, &[300, 100], &[300, 100]),
            (0, &[300, 100], &[0, 0]),
            (7, &[0, 0], &[0, 0]),
            (7, &[], &[]),
        ] {
            let shares: Vec<_> = shares.iter().map(|minor| money(*minor)).collect();
            let parts = spread(money(amount), &shares);
            let parts: Vec<_> = parts.iter().map(|part| part.minor()).collect();
            assert_eq!(parts, expected, "{amount}");
        }
    }

    proptest! {
        #[test]
        fn parts_add_up_and_none_is_above_its_share(
            amount in 0..1_000_000_i64,
            shares in prop::collection::vec(0..100_000_i64, 0..11),
        ) {
            let shares: Vec<_> = shares.into_iter().map(money).collect();
            let parts = spread(money(amount), &shares);
            prop_assert_eq!(sum(&parts), amount.min(sum(&shares)));
            for (part, share) in parts.iter().zip(&shares) {
                prop_assert!(*part >= Money::ZERO && part <= share);
            }
        }
    }
}
