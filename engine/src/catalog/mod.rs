//! Products and their variants, as the hot path sees them.
//!
//! Only products of kind [`ProductKind::Serials`] can be fulfilled. What is sold from stock is a
//! [`Sku`]: a product without variants, or one variant of a product that has them.

mod change;
mod custom_field;
mod source;
#[cfg(test)]
mod tests;

use std::fmt;

pub use change::{Change, Edit, End, Shelf, Traces, Unchanged, VariantChange};
pub use custom_field::{CustomField, FieldKind};
pub use source::Source;

use crate::{
    ids::{MerchantId, ProductId, VariantId},
    money::Money,
};

/// How many variants a product may have, and how many custom fields.
pub const VARIANTS_MAX: usize = 100;
pub const CUSTOM_FIELDS_MAX: usize = 20;

/// The thing that has stock: a product, or one of its variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sku {
    pub product: ProductId,
    pub variant: Option<VariantId>,
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.variant {
            Some(variant) => write!(f, "{}/{variant}", self.product),
            None => write!(f, "{}", self.product),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductKind {
    Serials,
    Service,
}

impl ProductKind {
    /// The word for it, the same for storage and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Serials => "SERIALS",
            Self::Service => "SERVICE",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::Serials, Self::Service];
        all.into_iter().find(|kind| kind.name() == name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Active,
    Disabled,
    Archived,
}

impl Status {
    /// The word for it, the same for storage and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Disabled => "DISABLED",
            Self::Archived => "ARCHIVED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::Active, Self::Disabled, Self::Archived];
        all.into_iter().find(|status| status.name() == name)
    }
}

/// A product with everything an order is checked against.
#[derive(Debug, Clone)]
pub struct Product {
    pub id: ProductId,
    pub merchant: MerchantId,
    pub title: String,
    pub kind: ProductKind,
    pub status: Status,
    pub base_price: Money,
    pub wholesale_price: Option<Money>,
    pub min_quantity: Option<u32>,
    pub max_quantity: Option<u32>,
    pub custom_fields: Vec<CustomField>,
    /// Rises with every change of this product's prices.
    pub price_version: i64,
    pub variants: Vec<Variant>,
}

#[derive(Debug, Clone)]
pub struct Variant {
    pub id: VariantId,
    pub title: String,
    pub base_price: Money,
    pub wholesale_price: Option<Money>,
    pub status: Status,
}

impl Product {
    pub fn variant(&self, id: VariantId) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.id == id)
    }

    /// Everything of this product that has stock.
    pub fn skus(&self) -> impl Iterator<Item = Sku> {
        let base = self.variants.is_empty().then_some(None);
        let variants = self.variants.iter().map(|variant| Some(variant.id));
        base.into_iter().chain(variants).map(|variant| Sku {
            product: self.id,
            variant,
        })
    }

    /// Whether anybody may have to pay another price for it than for this one.
    pub fn is_priced_as(&self, other: &Self) -> bool {
        let prices = |product: &Self| (product.base_price, product.wholesale_price);
        let variant = |variant: &Variant| (variant.id, variant.base_price, variant.wholesale_price);
        prices(self) == prices(other)
            && self
                .variants
                .iter()
                .map(variant)
                .eq(other.variants.iter().map(variant))
    }
}
