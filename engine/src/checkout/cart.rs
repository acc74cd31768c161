//! What a visit is about: lines of one merchant, which are bought together or not at all.
//!
//! Keeps: a cart has a line at least and [`LINES_MAX`] at most, each of something else, and no more units than
//! [`QUANTITY_MAX`] in all of them: what costs its maker nothing to reserve does not grow with the lines.

use sha2::{Digest as _, Sha256};

use super::{QUANTITY_MAX, Quote};
use crate::{catalog::Sku, money::Money};

/// Lines of one visit.
pub const LINES_MAX: usize = 10;

/// A line of a visit, at the price at which the customer saw it last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    pub sku: Sku,
    pub quantity: u32,
    pub unit_price: Money,
}

/// What a customer is about to buy, in the order in which it was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cart(Vec<Item>);

/// What a customer changes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// So many more, at the price that is shown from now on.
    Add(Item),
    /// So many of each of these; none of it takes the line away.
    Set(Vec<(Sku, u32)>),
}

/// Why a cart stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uncartable {
    /// Nothing would be left in it.
    Empty,
    /// More than [`LINES_MAX`] lines.
    Lines,
    /// None in a line that is added, or more than [`QUANTITY_MAX`] in all of them.
    Units,
    /// A line that is not in it.
    Unknown,
}

impl Cart {
    /// A cart of one line.
    pub fn of(item: Item) -> Self {
        Self(vec![item])
    }

    /// A cart as it was stored.
    pub fn stored(items: Vec<Item>) -> Option<Self> {
        (!items.is_empty()).then_some(Self(items))
    }

    pub fn items(&self) -> &[Item] {
        &self.0
    }

    /// What was there first.
    pub fn first(&self) -> &Item {
        self.0.first().expect("a cart has a line")
    }

    /// What all of it costs; none beyond the bound of amounts.
    pub fn total(&self) -> Option<Money> {
        self.0.iter().try_fold(Money::ZERO, |sum, item| {
            sum.checked_add(item.unit_price.checked_mul(item.quantity)?)
        })
    }

    /// The cart after a change.
    pub fn changed(&self, change: Change) -> Result<Self, Uncartable> {
        let mut items = self.0.clone();
        match change {
            Change::Add(added) if added.quantity == 0 => return Err(Uncartable::Units),
            Change::Add(added) => match items.iter_mut().find(|item| item.sku == added.sku) {
                None => items.push(added),
                Some(known) => {
                    known.quantity = known.quantity.saturating_add(added.quantity);
                    known.unit_price = added.unit_price;
                }
            },
            Change::Set(wanted) => {
                for (sku, quantity) in wanted {
                    let mut lines = items.iter_mut();
                    let line = lines.find(|item| item.sku == sku);
                    line.ok_or(Uncartable::Unknown)?.quantity = quantity;
                }
                items.retain(|item| item.quantity > 0);
            }
        }
        let units = items.iter().map(|item| item.quantity);
        let units = units.fold(0, u32::saturating_add);
        if items.is_empty() {
            return Err(Uncartable::Empty);
        }
        if items.len() > LINES_MAX {
            return Err(Uncartable::Lines);
        }
        if units > QUANTITY_MAX {
            return Err(Uncartable::Units);
        }
        Ok(Self(items))
    }

    /// The same lines at the prices of this moment, as far as they have one.
    #[must_use]
    pub fn repriced(&self, quotes: &[Quote]) -> Self {
        let mut items = self.0.clone();
        for item in &mut items {
            let mut quotes = quotes.iter();
            if let Some(quote) = quotes.find(|quote| quote.sku == item.sku) {
                item.unit_price = quote.unit_price;
            }
        }
        Self(items)
    }

    /// Whether these are its lines, one by one, at the prices that were shown.
    pub fn is_quoted_by(&self, quotes: &[Quote]) -> bool {
        let quoted = quotes.iter().map(|quote| Item {
            sku: quote.sku,
            quantity: quote.quantity,
            unit_price: quote.unit_price,
        });
        quoted.eq(self.0.iter().copied())
    }

    /// What a page says of the cart that it shows: of another one it says something else.
    pub fn seen(&self) -> String {
        let mut hash = Sha256::new();
        for item in &self.0 {
            let (quantity, price) = (item.quantity, item.unit_price.minor());
            hash.update(format!("{} {quantity} {price}\n", item.sku));
        }
        let digest: [u8; 32] = hash.finalize().into();
        let short = digest.first_chunk().copied().unwrap_or_default();
        format!("{:016x}", u64::from_be_bytes(short))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::ids::ProductId;

    fn sku(number: u128) -> Sku {
        Sku {
            product: ProductId::from_uuid(Uuid::from_u128(number)),
            variant: None,
        }
    }

    fn item(number: u128, quantity: u32, minor: i64) -> Item {
        Item {
            sku: sku(number),
            quantity,
            unit_price: Money::from_minor(minor).unwrap(),
        }
    }

    fn lines(cart: &Cart) -> Vec<(u32, i64)> {
        let items = cart.items().iter();
        items
            .map(|item| (item.quantity, item.unit_price.minor()))
            .collect()
    }

    #[test]
    fn lines_are_added_changed_and_taken_away() {
        let one = Cart::of(item(1, 2, 999));
        let two = one.changed(Change::Add(item(2, 1, 500))).unwrap();
        assert_eq!(lines(&two), [(2, 999), (1, 500)]);
        assert_eq!(two.total(), Money::from_minor(2498));
        // What is there already is more of it, at the price that is shown now.
        let more = two.changed(Change::Add(item(1, 3, 1099))).unwrap();
        assert_eq!(lines(&more), [(5, 1099), (1, 500)]);
        let set = Change::Set(vec![(sku(2), 4), (sku(1), 0)]);
        assert_eq!(lines(&more.changed(set).unwrap()), [(4, 500)]);
        assert_ne!(one.seen(), two.seen());
        assert_ne!(
            one.seen(),
            Cart::of(item(1, 2, 998)).seen(),
            "prices are seen"
        );
        assert_eq!(one.seen(), Cart::of(item(1, 2, 999)).seen());
    }

    #[test]
    fn cart_has_its_bounds() {
        let cart = Cart::of(item(1, 2, 999));
        let check = |change, expected| assert_eq!(cart.changed(change), Err(expected));
        check(Change::Set(vec![(sku(1), 0)]), Uncartable::Empty);
        check(Change::Set(vec![(sku(2), 1)]), Uncartable::Unknown);
        check(
            Change::Set(vec![(sku(1), QUANTITY_MAX + 1)]),
            Uncartable::Units,
        );
        check(Change::Add(item(2, 0, 1)), Uncartable::Units);
        check(Change::Add(item(1, u32::MAX, 1)), Uncartable::Units);
        // Bounded are the units of all lines together.
        check(Change::Add(item(2, QUANTITY_MAX - 1, 1)), Uncartable::Units);
        assert!(
            cart.changed(Change::Add(item(2, QUANTITY_MAX - 2, 1)))
                .is_ok()
        );
        let mut full = Cart::of(item(1, 1, 999));
        for number in 2..=10 {
            full = full.changed(Change::Add(item(number, 1, 1))).unwrap();
        }
        let more = full.changed(Change::Add(item(11, 1, 1)));
        assert_eq!(more, Err(Uncartable::Lines));
        assert_eq!(Cart::stored(Vec::new()), None);
        let dear = Cart::of(item(1, 2, Money::MAX.minor()));
        assert_eq!(dear.total(), None);
    }
}
