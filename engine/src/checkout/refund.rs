//! Money of a customer's purchase that goes back, of all of its lines or of one.
//!
//! Keeps: of a line goes no more back than was paid for it; a purchase whose price went back is over, whether that was
//! at once, in parts or line by line.

use super::{Line, going_back};
use crate::{
    clock::Timestamp,
    money::Money,
    payments::{Invoice, NotTakenBack, Status},
};

/// Why money goes back, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Going {
    /// Its merchant gives as much, or the rest.
    Given(Option<Money>),
    /// The same of the line at this place; its rest at most.
    OfLine(usize, Option<Money>),
    /// A payment of this much did not come after all: as much of it goes back as did not before.
    Reversed(Money),
}

/// A purchase after money went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WentBack {
    pub invoice: Invoice,
    pub amount: Money,
    /// What of the price of each line is among it.
    pub of_lines: Vec<Money>,
}

/// Money of a purchase that went back before, since it was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    pub amount: Money,
    /// It was of one line.
    pub of_line: bool,
}

/// Gives money back, after what went back before, the oldest first.
pub fn give_back(
    (invoice, lines): (Invoice, &[Line]),
    going: Going,
    earlier: &[Earlier],
    now: Timestamp,
) -> Result<WentBack, NotTakenBack> {
    let (of, (mut invoice, amount)) = match going {
        Going::Given(wanted) => (None, invoice.refund(wanted, now)?),
        Going::Reversed(payment) => (None, invoice.reverse(payment, now)?),
        Going::OfLine(at, wanted) => {
            let rest = lines.get(at).map(Line::rest).unwrap_or_default();
            let amount = wanted.unwrap_or(rest);
            if amount <= Money::ZERO || amount > rest {
                return Err(NotTakenBack::Excess { rest });
            }
            (Some(at), invoice.refund(Some(amount), now)?)
        }
    };
    // Of what went back line by line, the lines know how much is left.
    let whole = of.is_none() && !earlier.iter().any(|one| one.of_line);
    let mut refunds: Vec<_> = earlier.iter().map(|one| one.amount).collect();
    refunds.push(amount);
    if invoice.paid_at.is_some() && whole && invoice.is_price_back(&refunds) {
        invoice.status = Status::Refunded;
    }
    let of_lines = going_back(lines, &invoice, (amount, of));
    let some = of_lines.iter().any(|part| *part > Money::ZERO);
    let mut rests = lines.iter().map(Line::rest).zip(&of_lines);
    if some && rests.all(|(rest, part)| rest == *part) {
        invoice.status = Status::Refunded;
    }
    Ok(WentBack {
        invoice,
        amount,
        of_lines,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checkout::{
            paid,
            tests::{at, invoice_of, line_at},
        },
        payments::{Event, Stepped},
        sales::Rate,
    };

    fn money(minor: i64) -> Money {
        Money::from_minor(minor).unwrap()
    }

    /// An invoice that is paid with so much and waits, for lines at these prices.
    fn bought(prices: &[i64], arrived: i64) -> (Invoice, Vec<Line>) {
        let lines = prices.iter().map(|price| Line {
            total: money(*price),
            ..line_at(Rate::Above {
                wholesale: Money::ZERO,
            })
        });
        let invoice = invoice_of(prices.iter().sum(), arrived);
        let Ok(Stepped::To(waits)) = invoice.clone().step(Event::Short, at(3)) else {
            panic!("it was paid");
        };
        (*waits, paid(lines.collect(), &invoice))
    }

    /// Where it stands, and what is left of each line, once this went back.
    fn left(prices: &[i64], arrived: i64, goings: &[Going]) -> (Status, Vec<i64>) {
        let (mut invoice, mut lines) = bought(prices, arrived);
        let mut earlier = Vec::new();
        for going in goings {
            let went = give_back((invoice, &lines), *going, &earlier, at(4)).unwrap();
            for (line, part) in lines.iter_mut().zip(&went.of_lines) {
                line.refunded = line.refunded.checked_add(*part).unwrap();
            }
            earlier.push(Earlier {
                amount: went.amount,
                of_line: matches!(going, Going::OfLine(..)),
            });
            invoice = went.invoice;
            let rests = lines.iter().map(|line| line.rest().minor());
            assert!(rests.sum::<i64>() <= invoice.left().minor(), "{going:?}");
        }
        let rests = lines.iter().map(|line| line.rest().minor());
        (invoice.status, rests.collect())
    }

    #[test]
    fn purchase_is_over_once_its_price_went_back_however_it_did() {
        use Status::{AwaitingStock as Waits, Refunded as Over};
        let all = |minor| Going::Given(Some(money(minor)));
        let line = |at, minor| Going::OfLine(at, Some(money(minor)));
        let rest = |at| Going::OfLine(at, None);
        for (prices, arrived, goings, expected) in [
            (
                &[2_100][..],
                2_000,
                &[all(1_000)][..],
                (Waits, &[1_000][..]),
            ),
            (&[2_100], 2_000, &[all(1_000), all(1_000)], (Over, &[0])),
            (&[2_000], 2_100, &[all(2_000)], (Over, &[0])),
            // In parts as at once, beside what was paid beyond the price.
            (&[2_000], 2_100, &[all(1_000)], (Waits, &[1_100])),
            (&[2_000], 2_100, &[all(1_000), all(1_000)], (Over, &[0])),
            // What was paid beyond it goes back first, and then a part of the price.
            (&[2_000], 2_100, &[all(100), all(1_900)], (Waits, &[100])),
            (&[2_000], 3_900, &[all(1_900), all(500)], (Waits, &[1_500])),
            (&[2_000], 4_000, &[all(2_000), all(500)], (Waits, &[1_500])),
            // Line by line.
            (&[1_200, 800], 2_000, &[rest(0)], (Waits, &[0, 800])),
            (&[1_200, 800], 2_000, &[rest(0), rest(1)], (Over, &[0, 0])),
            (&[1_200, 800], 2_100, &[rest(0)], (Waits, &[0, 800])),
            (
                &[1_200, 800],
                2_100,
                &[rest(0), all(100)],
                (Waits, &[0, 800]),
            ),
            (
                &[1_200, 800],
                2_100,
                &[rest(0), all(100), line(1, 700)],
                (Waits, &[0, 100]),
            ),
            (&[1_200, 800], 2_100, &[rest(0), rest(1)], (Over, &[0, 0])),
            // A half of all, and then the rest of one.
            (
                &[1_200, 800],
                2_000,
                &[all(1_000), rest(1)],
                (Waits, &[600, 0]),
            ),
            (
                &[1_200, 800],
                2_000,
                &[Going::Reversed(money(2_000))],
                (Over, &[0, 0]),
            ),
        ] {
            let (status, rests) = left(prices, arrived, goings);
            assert_eq!(
                (status, &rests[..]),
                expected,
                "{prices:?} {arrived} {goings:?}"
            );
        }
    }

    #[test]
    fn of_a_line_goes_no_more_back_than_is_left_of_it() {
        for (wanted, rest) in [(Some(801), 800), (Some(0), 800), (Some(-1), 800)] {
            let (invoice, lines) = bought(&[1_200, 800], 2_100);
            let going = Going::OfLine(1, wanted.map(money));
            let refused = give_back((invoice, &lines), going, &[], at(4));
            assert_eq!(refused, Err(NotTakenBack::Excess { rest: money(rest) }));
        }
    }
}
