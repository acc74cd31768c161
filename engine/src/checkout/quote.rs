//! What something costs a customer now, and what the merchant wants to know with it.

use std::collections::BTreeMap;

use crate::{
    catalog::{Product, ProductKind, Sku, Status},
    money::Money,
};

/// Units of one visit, in all of its lines.
pub const QUANTITY_MAX: u32 = 20;

/// A price as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    pub sku: Sku,
    /// The product's, with the variant's if it is one.
    pub title: String,
    pub kind: ProductKind,
    pub quantity: u32,
    pub unit_price: Money,
    pub total: Money,
}

/// Why there is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsold {
    /// The product or the variant is not on sale, or there is nothing to pay for it.
    NotOnSale,
    /// The product has variants, and none was named.
    VariantMissing,
    /// Not 1 to [`QUANTITY_MAX`], or too much money.
    Quantity,
}

/// What so many units cost, of a product that is this merchant's own: at the price of a listing, or else at
/// the catalog's.
pub fn quote(
    product: &Product,
    sku: Sku,
    quantity: u32,
    listed: Option<Money>,
) -> Result<Quote, Unsold> {
    if product.status != Status::Active {
        return Err(Unsold::NotOnSale);
    }
    let (title, unit_price) = match sku.variant {
        None if product.variants.is_empty() => (product.title.clone(), product.base_price),
        None => return Err(Unsold::VariantMissing),
        Some(id) => {
            let variant = product.variant(id);
            let sold = variant.filter(|variant| variant.status == Status::Active);
            let variant = sold.ok_or(Unsold::NotOnSale)?;
            let title = format!("{}, {}", product.title, variant.title);
            (title, variant.base_price)
        }
    };
    let unit_price = listed.unwrap_or(unit_price);
    if !(1..=QUANTITY_MAX).contains(&quantity) {
        return Err(Unsold::Quantity);
    }
    let total = unit_price.checked_mul(quantity).ok_or(Unsold::Quantity)?;
    if total == Money::ZERO {
        return Err(Unsold::NotOnSale);
    }
    Ok(Quote {
        sku,
        title,
        kind: product.kind,
        quantity,
        unit_price,
        total,
    })
}

/// What the customer said of each field of the product, or the first that is not as the merchant wants it.
pub fn answers(
    product: &Product,
    mut said: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, String> {
    said.retain(|_, value| !value.trim().is_empty());
    for (name, value) in &said {
        let mut fields = product.custom_fields.iter();
        let field = fields.find(|field| field.name == *name);
        if !field.is_some_and(|field| field.accepts(value)) {
            return Err(name.clone());
        }
    }
    let mut fields = product.custom_fields.iter();
    let missing = fields.find(|field| field.required && !said.contains_key(&field.name));
    missing.map_or(Ok(said), |field| Err(field.name.clone()))
}
