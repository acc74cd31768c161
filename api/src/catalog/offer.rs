//! A product as one key may order it now.
//!
//! A price here is the price of an order placed now: both come from the same functions of the engine
//! over the same snapshot of terms.

use engine::{
    catalog::{CustomField, Product, ProductKind, Sku, Status, Variant},
    fulfillments::policy,
    money::{Currency, Money},
    relationships::{self, KeyTerms, Terms},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::{
    money::{CurrencyCode, MoneyText},
    percent::Hundredths,
};

/// What decides whether and for how much a key may order.
#[derive(Clone, Copy)]
pub(super) struct Offer<'a> {
    pub(super) terms: &'a Terms,
    pub(super) key: &'a KeyTerms,
    pub(super) currency: Currency,
}

/// The wire form of a product that a reseller has access to.
#[derive(Serialize, ToSchema)]
pub(crate) struct CatalogProduct {
    id: String,
    uniqid: String,
    product_id: String,
    title: String,
    #[serde(rename = "type")]
    kind: &'static str,
    orderable: bool,
    stock: u64,
    currency: CurrencyCode,
    base_price: MoneyText,
    wholesale_price: Option<MoneyText>,
    discount_percent: Hundredths,
    min_quantity: u32,
    max_quantity: u32,
    price_version: i64,
    custom_fields: Vec<Field>,
    variants: Vec<CatalogVariant>,
}

#[derive(Serialize, ToSchema)]
struct CatalogVariant {
    variant_id: String,
    title: String,
    orderable: bool,
    base_price: MoneyText,
    wholesale_price: Option<MoneyText>,
    stock: u64,
}

/// A custom field as it is told to resellers and to the merchant alike.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomField)]
pub(super) struct Field {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    required: bool,
    placeholder: Option<String>,
    regex: Option<String>,
}

impl Offer<'_> {
    /// The product as this key may order it. `stock` says what an order could have of each sku.
    pub(super) fn product(self, product: &Product, stock: impl Fn(Sku) -> u64) -> CatalogProduct {
        let id = product.id.to_string();
        let variants: Vec<_> = product
            .variants
            .iter()
            .filter(|variant| self.terms.access(product.id, Some(variant.id)).is_some())
            .map(|variant| self.variant(product, variant, &stock))
            .collect();
        let base = Sku {
            product: product.id,
            variant: None,
        };
        let (orderable, in_stock) = if product.variants.is_empty() {
            let in_stock = in_stock(product, base, &stock);
            (self.orderable(product, None, in_stock), in_stock)
        } else {
            let any = variants.iter().any(|variant| variant.orderable);
            (any, variants.iter().map(|variant| variant.stock).sum())
        };
        let wholesale_price = self.terms.wholesale_price(product, None);
        let (min_quantity, max_quantity) = self.quantities(product, base);
        CatalogProduct {
            uniqid: id.clone(),
            product_id: id.clone(),
            id,
            title: product.title.clone(),
            kind: product.kind.name(),
            orderable,
            stock: in_stock,
            currency: CurrencyCode(self.currency),
            base_price: MoneyText(self.currency, product.base_price),
            wholesale_price: wholesale_price.map(|price| MoneyText(self.currency, price)),
            discount_percent: discount(product.base_price, wholesale_price),
            min_quantity,
            max_quantity,
            price_version: self.terms.price_version(product),
            custom_fields: product.custom_fields.iter().map(Field::of).collect(),
            variants,
        }
    }

    fn variant(
        self,
        product: &Product,
        variant: &Variant,
        stock: &impl Fn(Sku) -> u64,
    ) -> CatalogVariant {
        let sku = Sku {
            product: product.id,
            variant: Some(variant.id),
        };
        let stock = in_stock(product, sku, stock);
        let wholesale_price = self.terms.wholesale_price(product, Some(variant));
        CatalogVariant {
            variant_id: variant.id.to_string(),
            title: variant.title.clone(),
            orderable: self.orderable(product, Some(variant), stock),
            base_price: MoneyText(self.currency, variant.base_price),
            wholesale_price: wholesale_price.map(|price| MoneyText(self.currency, price)),
            stock,
        }
    }

    /// Whether the smallest order of it would be delivered, money aside.
    fn orderable(self, product: &Product, variant: Option<&Variant>, stock: u64) -> bool {
        let sku = Sku {
            product: product.id,
            variant: variant.map(|variant| variant.id),
        };
        let (min, max) = self.quantities(product, sku);
        let active = product.status == Status::Active
            && variant.is_none_or(|variant| variant.status == Status::Active);
        let allowed = self.terms.program_enabled
            && self.terms.status == relationships::Status::Active
            && self.terms.mode.allows_fulfillment()
            && (self.key.products.is_empty() || self.key.products.contains(&product.id))
            && self.terms.access(sku.product, sku.variant).is_some();
        let priced = self.terms.wholesale_price(product, variant).is_some();
        let serials = product.kind == ProductKind::Serials;
        active && allowed && priced && serials && min <= max && stock >= u64::from(min)
    }

    fn quantities(self, product: &Product, sku: Sku) -> (u32, u32) {
        let (min, max) = policy::quantity_range(self.terms, sku, product);
        (min, self.key.max_quantity.map_or(max, |own| own.min(max)))
    }
}

/// What is on the shelf of one sku; of a service nothing ever is.
fn in_stock(product: &Product, sku: Sku, stock: impl Fn(Sku) -> u64) -> u64 {
    match product.kind {
        ProductKind::Serials => stock(sku),
        ProductKind::Service => 0,
    }
}

impl CatalogProduct {
    pub(super) fn orderable(&self) -> bool {
        self.orderable
    }
}

impl Field {
    pub(super) fn of(field: &CustomField) -> Self {
        Self {
            name: field.name.clone(),
            kind: field.kind.name(),
            required: field.required,
            placeholder: field.placeholder.clone(),
            regex: field
                .pattern
                .as_ref()
                .map(|pattern| pattern.as_str().to_owned()),
        }
    }
}

/// By how much a price is below the base price, rounded to a hundredth of a percent.
fn discount(base: Money, price: Option<Money>) -> Hundredths {
    let Some(price) = price.filter(|price| *price < base) else {
        return Hundredths(0);
    };
    let off = (base.minor() - price.minor()) * 10_000;
    let rounded = (off + base.minor() / 2) / base.minor();
    Hundredths(u16::try_from(rounded).expect("a share of the base price is at most all of it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(base: i64, price: Option<i64>) -> String {
        let money = |minor| Money::from_minor(minor).unwrap();
        serde_json::to_string(&discount(money(base), price.map(money))).unwrap()
    }

    #[test]
    fn discount_is_a_number_with_at_most_two_decimals() {
        assert_eq!(check(1000, Some(850)), "15");
        assert_eq!(check(999, Some(849)), "15.02");
        assert_eq!(check(1000, Some(875)), "12.5");
        assert_eq!(check(1000, Some(0)), "100");
        assert_eq!(check(999_999_999_999, Some(1)), "100");
    }

    #[test]
    fn price_above_the_base_price_is_no_discount() {
        assert_eq!(check(1000, Some(1200)), "0");
        assert_eq!(check(0, Some(0)), "0");
        assert_eq!(check(1000, None), "0");
    }
}
