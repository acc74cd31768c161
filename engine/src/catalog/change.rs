//! A change of a product: what it would be afterwards, or why it stays as it is.

use super::{Product, Status};
use crate::{ids::VariantId, money::Money};

/// What becomes of a value that a product may be without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Edit<T> {
    #[default]
    Keep,
    Clear,
    Set(T),
}

impl<T> Edit<T> {
    fn apply(self, value: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *value = None,
            Self::Set(new) => *value = Some(new),
        }
    }
}

/// What is to be different; what is not named stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    pub title: Option<String>,
    pub status: Option<Status>,
    pub base_price: Option<Money>,
    pub wholesale_price: Edit<Money>,
    pub min_quantity: Edit<u32>,
    pub max_quantity: Edit<u32>,
    pub variants: Vec<VariantChange>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantChange {
    pub id: VariantId,
    pub title: Option<String>,
    pub status: Option<Status>,
    pub base_price: Option<Money>,
    pub wholesale_price: Edit<Money>,
}

/// Why a product is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unchanged {
    /// What is archived stays as it was sold.
    Archived,
    /// It has no such variant.
    UnknownVariant(VariantId),
    /// The smallest quantity would be above the largest.
    Quantities,
}

impl Product {
    /// The product as it would be. Its price version rises with every change: it may rise for nothing,
    /// but an equal one means an equal price.
    pub fn changed(mut self, change: Change) -> Result<Self, Unchanged> {
        if self.status == Status::Archived {
            return Err(Unchanged::Archived);
        }
        set(&mut self.title, change.title);
        set(&mut self.status, change.status);
        set(&mut self.base_price, change.base_price);
        change.wholesale_price.apply(&mut self.wholesale_price);
        change.min_quantity.apply(&mut self.min_quantity);
        change.max_quantity.apply(&mut self.max_quantity);
        for change in change.variants {
            let found = self.variants.iter_mut().find(|each| each.id == change.id);
            let variant = found.ok_or(Unchanged::UnknownVariant(change.id))?;
            set(&mut variant.title, change.title);
            set(&mut variant.status, change.status);
            set(&mut variant.base_price, change.base_price);
            change.wholesale_price.apply(&mut variant.wholesale_price);
        }
        let bounds = self.min_quantity.zip(self.max_quantity);
        if bounds.is_some_and(|(min, max)| min > max) {
            return Err(Unchanged::Quantities);
        }
        self.price_version += 1;
        Ok(self)
    }
}

fn set<T>(value: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *value = new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, usd};

    fn product() -> Product {
        let world = World::new().variant("game/gold", 0);
        let id = world.sku("game").product;
        let tables = world.store.tables();
        tables.products[&id].clone()
    }

    #[test]
    fn what_is_not_named_stays_and_the_price_version_rises() {
        let before = product();
        let variant = before.variants[0].id;
        let change = Change {
            title: Some("New".to_owned()),
            wholesale_price: Edit::Clear,
            max_quantity: Edit::Set(5),
            variants: vec![VariantChange {
                id: variant,
                title: None,
                status: Some(Status::Disabled),
                base_price: None,
                wholesale_price: Edit::Set(usd("1.00")),
            }],
            ..Change::default()
        };
        let after = before.clone().changed(change).unwrap();
        assert_eq!((after.title.as_str(), after.status), ("New", before.status));
        assert_eq!(
            (after.base_price, after.wholesale_price),
            (before.base_price, None)
        );
        assert_eq!((after.min_quantity, after.max_quantity), (None, Some(5)));
        assert_eq!(after.price_version, before.price_version + 1);
        let (old, new) = (&before.variants[0], &after.variants[0]);
        assert_eq!((&new.title, new.base_price), (&old.title, old.base_price));
        assert_eq!(
            (new.status, new.wholesale_price),
            (Status::Disabled, Some(usd("1.00")))
        );
    }

    #[test]
    fn what_must_not_be_is_refused() {
        let quantities = Change {
            min_quantity: Edit::Set(6),
            max_quantity: Edit::Set(5),
            ..Change::default()
        };
        assert_eq!(
            product().changed(quantities).err(),
            Some(Unchanged::Quantities)
        );
        let unknown = VariantId::from_uuid(uuid::Uuid::nil());
        let change = Change {
            variants: vec![VariantChange {
                id: unknown,
                title: None,
                status: None,
                base_price: None,
                wholesale_price: Edit::Keep,
            }],
            ..Change::default()
        };
        let refused = product().changed(change).err();
        assert_eq!(refused, Some(Unchanged::UnknownVariant(unknown)));
        let mut archived = product();
        archived.status = Status::Archived;
        let refused = archived.changed(Change::default()).err();
        assert_eq!(refused, Some(Unchanged::Archived));
    }
}
