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
    /// Changes a value as it says.
    pub fn apply(self, value: &mut Option<T>) {
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
