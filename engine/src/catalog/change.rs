//! A change of a product: what it would be afterwards, or why it stays as it is.

use std::collections::BTreeSet;

use super::{CUSTOM_FIELDS_MAX, CustomField, Product, ProductKind, Status, VARIANTS_MAX, Variant};
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
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub title: Option<String>,
    /// What a product is, it stays: naming the same is no change.
    pub kind: Option<ProductKind>,
    pub status: Option<Status>,
    pub base_price: Option<Money>,
    pub wholesale_price: Edit<Money>,
    pub min_quantity: Edit<u32>,
    pub max_quantity: Edit<u32>,
    pub custom_fields: Option<Vec<CustomField>>,
    /// Variants that it has; one that is not named stays.
    pub variants: Vec<VariantChange>,
    /// Variants that it did not have, after all others.
    pub added: Vec<Variant>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantChange {
    pub id: VariantId,
    pub title: Option<String>,
    pub status: Option<Status>,
    pub base_price: Option<Money>,
    pub wholesale_price: Edit<Money>,
}

/// Whether a product has serials of its own, those of its variants apart, that nobody has yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    Empty,
    Stocked,
}

/// Why a product is not changed, or not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unchanged {
    /// What is archived stays as it was sold.
    Archived,
    /// What it is, it stays.
    Kind,
    /// It has no such variant.
    UnknownVariant(VariantId),
    /// With a first variant, nobody could order its own serials any more.
    Stocked,
    /// It would have more than [`VARIANTS_MAX`].
    Variants,
    /// There would be more than [`CUSTOM_FIELDS_MAX`], or two of one name.
    CustomFields,
    /// The smallest quantity would be above the largest.
    Quantities,
}

impl Product {
    /// The product as it would be. Its price version rises with every change: it may rise for nothing,
    /// but an equal one means an equal price.
    pub fn changed(mut self, change: Change, shelf: Shelf) -> Result<Self, Unchanged> {
        if self.status == Status::Archived {
            return Err(Unchanged::Archived);
        }
        if change.kind.is_some_and(|kind| kind != self.kind) {
            return Err(Unchanged::Kind);
        }
        if self.variants.is_empty() && !change.added.is_empty() && shelf == Shelf::Stocked {
            return Err(Unchanged::Stocked);
        }
        set(&mut self.title, change.title);
        set(&mut self.status, change.status);
        set(&mut self.base_price, change.base_price);
        change.wholesale_price.apply(&mut self.wholesale_price);
        change.min_quantity.apply(&mut self.min_quantity);
        change.max_quantity.apply(&mut self.max_quantity);
        set(&mut self.custom_fields, change.custom_fields);
        for change in change.variants {
            let found = self.variants.iter_mut().find(|each| each.id == change.id);
            let variant = found.ok_or(Unchanged::UnknownVariant(change.id))?;
            set(&mut variant.title, change.title);
            set(&mut variant.status, change.status);
            set(&mut variant.base_price, change.base_price);
            change.wholesale_price.apply(&mut variant.wholesale_price);
        }
        self.variants.extend(change.added);
        self.price_version += 1;
        self.well_formed()
    }

    /// The product itself, if it is one that may be sold: what holds for a new one and after any change.
    pub fn well_formed(self) -> Result<Self, Unchanged> {
        let bounds = self.min_quantity.zip(self.max_quantity);
        if bounds.is_some_and(|(min, max)| min > max) {
            return Err(Unchanged::Quantities);
        }
        if self.variants.len() > VARIANTS_MAX {
            return Err(Unchanged::Variants);
        }
        let names: BTreeSet<_> = self.custom_fields.iter().map(|field| &field.name).collect();
        if names.len() < self.custom_fields.len() || names.len() > CUSTOM_FIELDS_MAX {
            return Err(Unchanged::CustomFields);
        }
        Ok(self)
    }
}

/// Whether anything but a product itself knows of it: serials that were stored for it, or a reseller whom it
/// was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traces {
    None,
    Some,
}

/// What becomes of a product that its merchant does not want any more.
#[derive(Debug, Clone)]
pub enum End {
    /// Nobody could have ordered it: it is gone.
    Deleted,
    /// It is sold no more, and stays readable as it was sold.
    Archived(Product),
    /// It was archived before.
    Already,
}

impl Product {
    /// An order that is being accepted may hold serials of it, so it is deleted only if it has none.
    pub fn ended(mut self, traces: Traces) -> End {
        if self.status == Status::Archived {
            return End::Already;
        }
        match traces {
            Traces::None => End::Deleted,
            Traces::Some => {
                self.status = Status::Archived;
                self.price_version += 1;
                End::Archived(self)
            }
        }
    }
}

fn set<T>(value: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *value = new;
    }
}
