//! Products and their variants, as the hot path sees them.
//!
//! Only products of kind [`ProductKind::Serials`] can be fulfilled. What is sold from stock is a
//! [`Sku`]: a product without variants, or one variant of a product that has them.

mod change;
mod source;
#[cfg(test)]
mod tests;

use std::fmt;

pub use change::{Change, Edit, Unchanged, VariantChange};
use regex::Regex;
pub use source::Source;

use crate::{
    ids::{MerchantId, ProductId, VariantId},
    money::Money,
};

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Active,
    Disabled,
    Archived,
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
}

/// A field that the merchant wants to know with each order of a product.
#[derive(Debug, Clone)]
pub struct CustomField {
    pub name: String,
    pub kind: FieldKind,
    pub required: bool,
    pub placeholder: Option<String>,
    /// Bounded in size when the product is saved, so matching is linear and small.
    pub pattern: Option<Regex>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    Text,
    Number,
    Email,
}

impl CustomField {
    /// Whether this value is one that the merchant wants.
    pub fn accepts(&self, value: &str) -> bool {
        let kind = match self.kind {
            FieldKind::Text => true,
            FieldKind::Number => value.parse::<rust_decimal::Decimal>().is_ok(),
            FieldKind::Email => crate::fulfillments::Email::parse(value).is_some(),
        };
        kind && self
            .pattern
            .as_ref()
            .is_none_or(|pattern| pattern.is_match(value))
    }
}
