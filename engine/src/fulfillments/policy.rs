//! Pure: terms + catalog + request -> a [`Quote`] or a [`Refusal`], in the documented order.

use super::{Agreed, Channel, Line, Refusal, Request};
use crate::{
    catalog::{Product, ProductKind, Sku, Status, Variant},
    money::Money,
    relationships::{self, Access, DynamicUrlPolicy, KeyTerms, Terms},
};

/// What a request costs under one version of the terms and of each product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// In the order of the request.
    pub lines: Vec<QuotedLine>,
    pub total: Money,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotedLine {
    pub sku: Sku,
    pub quantity: u32,
    pub unit_price: Money,
    pub price_version: i64,
}

/// Prices a request. `product` looks a product up; one of another merchant is not found.
pub fn quote<'a>(
    terms: &Terms,
    product: impl Fn(&Line) -> Option<&'a Product>,
    request: &Request,
) -> Result<Quote, Refusal> {
    let nobodys = KeyTerms::default();
    let key = if request.channel().is_stock() {
        &nobodys
    } else {
        let key = terms.keys.get(&request.key());
        key.ok_or(Refusal::KeyRevoked)?
    };
    if !terms.program_enabled {
        return Err(Refusal::ProgramDisabled);
    }
    if !allows(terms.dynamic_url_policy, request.channel()) {
        return Err(Refusal::DynamicUrlNotAllowed {
            policy: terms.dynamic_url_policy,
        });
    }
    if terms.status != relationships::Status::Active {
        return Err(Refusal::RelationshipInactive {
            reason: terms.status_reason.clone(),
        });
    }
    let allowed = if request.channel().is_stock() {
        terms.mode.allows_stock()
    } else {
        terms.mode.allows_fulfillment()
    };
    if !allowed {
        return Err(Refusal::ModeNotAllowed);
    }
    let mut found = Vec::with_capacity(request.lines().len());
    for line in request.lines() {
        let owned = product(line).filter(|product| product.merchant == terms.merchant);
        found.push(owned.ok_or(Refusal::ProductNotFound {
            product: line.sku.product,
        })?);
    }
    // Check by check over all lines, so that the order of the refusals does not depend on lines.
    let lines = || request.lines().iter().zip(found.iter().copied());
    lines().try_for_each(|(line, product)| fits(request, line, product))?;
    let prices: Vec<_> = lines()
        .map(|(line, product)| price((request, line), terms, key, product))
        .collect::<Result<_, _>>()?;
    lines().try_for_each(|(_, product)| eligible(product))?;
    lines().try_for_each(|(line, product)| within_quantity(terms, key, request, line, product))?;
    let quoted: Vec<_> = lines()
        .zip(prices)
        .map(|((line, _), price)| QuotedLine {
            sku: line.sku,
            quantity: line.quantity,
            unit_price: price.unit_price,
            price_version: price.price_version,
        })
        .collect();
    total(request, quoted)
}

/// Whether an order may come through this door.
const fn allows(policy: DynamicUrlPolicy, channel: Channel) -> bool {
    match (channel, policy) {
        (
            Channel::Api | Channel::Orders | Channel::Bulk | Channel::Callback | Channel::Stock,
            _,
        )
        | (Channel::DynamicUrl | Channel::SignedUrl, DynamicUrlPolicy::Allowed)
        | (Channel::SignedUrl, DynamicUrlPolicy::SignedOnly) => true,
        (Channel::DynamicUrl, DynamicUrlPolicy::SignedOnly)
        | (Channel::DynamicUrl | Channel::SignedUrl, DynamicUrlPolicy::Off) => false,
    }
}

fn fits(request: &Request, line: &Line, product: &Product) -> Result<(), Refusal> {
    let invalid = |field: &str, message| {
        Err(Refusal::Invalid {
            field: field.to_owned(),
            message,
        })
    };
    match line.sku.variant {
        None if !product.variants.is_empty() => {
            return invalid("variant_id", "is required: the product has variants");
        }
        Some(_) if product.variants.is_empty() => {
            return invalid("variant_id", "is refused: the product has no variants");
        }
        Some(id) if product.variant(id).is_none() => {
            return Err(Refusal::ProductNotFound {
                product: product.id,
            });
        }
        None | Some(_) => {}
    }
    for (name, value) in &line.custom_fields {
        let Some(field) = product
            .custom_fields
            .iter()
            .find(|field| field.name == *name)
        else {
            return invalid(
                &format!("custom_fields.{name}"),
                "is not a field of this product",
            );
        };
        if !field.accepts(value) {
            return invalid(
                &format!("custom_fields.{name}"),
                "is not what the product asks for",
            );
        }
    }
    // Whoever buys a stock of serials has no customer yet who could be asked.
    if request.channel().is_stock() {
        return Ok(());
    }
    let missing = |field: &&crate::catalog::CustomField| {
        field.required && !line.custom_fields.contains_key(&field.name)
    };
    match product.custom_fields.iter().find(missing) {
        Some(field) => invalid(&format!("custom_fields.{}", field.name), "is required"),
        None => Ok(()),
    }
}

fn variant<'a>(line: &Line, product: &'a Product) -> Option<&'a Variant> {
    line.sku.variant.and_then(|id| product.variant(id))
}

/// What a unit costs, and which version of the prices says so. One that was agreed on is not asked for
/// again; access and status are.
fn price(
    (request, line): (&Request, &Line),
    terms: &Terms,
    key: &KeyTerms,
    product: &Product,
) -> Result<Agreed, Refusal> {
    let variant = variant(line, product);
    let active = product.status == Status::Active
        && variant.is_none_or(|variant| variant.status == Status::Active);
    let within_key = key.products.is_empty() || key.products.contains(&product.id);
    let accessible = terms.access(product.id, line.sku.variant).is_some();
    let asked = || {
        let unit_price = terms.wholesale_price(product, variant)?;
        Some(Agreed {
            unit_price,
            price_version: terms.price_version(product),
        })
    };
    let price = request.agreed().or_else(asked);
    price
        .filter(|_| active && within_key && accessible)
        .ok_or(Refusal::ProductNotAllowed {
            product: product.id,
        })
}

fn eligible(product: &Product) -> Result<(), Refusal> {
    match product.kind {
        ProductKind::Serials => Ok(()),
        ProductKind::Service => Err(Refusal::ProductNotEligible {
            product: product.id,
        }),
    }
}

/// The smallest and largest quantity of a line: from the access, else the product, else 1 and 100.
pub fn quantity_range(terms: &Terms, sku: Sku, product: &Product) -> (u32, u32) {
    let access = terms.access(sku.product, sku.variant);
    let min = access
        .and_then(|access| access.min_quantity)
        .or(product.min_quantity);
    let max = access
        .and_then(|access| access.max_quantity)
        .or(product.max_quantity);
    (
        min.unwrap_or(1),
        max.map_or(super::LINE_QUANTITY_MAX, |max| {
            max.min(super::LINE_QUANTITY_MAX)
        }),
    )
}

/// The same of a wholesale purchase: from the bounds for stock, else those of an order, else 1 and 1000.
pub fn purchase_range(terms: &Terms, sku: Sku, product: &Product) -> (u32, u32) {
    let access = terms.access(sku.product, sku.variant);
    let of_access = |bound: fn(&Access) -> Option<u32>| access.and_then(bound);
    let min = of_access(|access| access.stock_min_quantity.or(access.min_quantity));
    let max = of_access(|access| access.stock_max_quantity.or(access.max_quantity));
    (
        min.or(product.min_quantity).unwrap_or(1),
        max.or(product.max_quantity)
            .map_or(super::PURCHASE_QUANTITY_MAX, |max| {
                max.min(super::PURCHASE_QUANTITY_MAX)
            }),
    )
}

/// Each line for itself; what a key may have of a product in one request is over all its lines, so that
/// a leaked key gets no more by repeating a line.
fn within_quantity(
    terms: &Terms,
    key: &KeyTerms,
    request: &Request,
    line: &Line,
    product: &Product,
) -> Result<(), Refusal> {
    let (min, max) = if request.channel().is_stock() {
        purchase_range(terms, line.sku, product)
    } else {
        quantity_range(terms, line.sku, product)
    };
    let of_product = request
        .lines()
        .iter()
        .filter(|other| other.sku.product == product.id);
    let in_all: u32 = of_product.map(|other| other.quantity).sum();
    let within_key = key.max_quantity.is_none_or(|own| in_all <= own);
    if within_key && (min..=max).contains(&line.quantity) {
        return Ok(());
    }
    let max = key.max_quantity.map_or(max, |own| own.min(max));
    Err(Refusal::QuantityOutOfRange {
        product: product.id,
        min,
        max,
    })
}

fn total(request: &Request, lines: Vec<QuotedLine>) -> Result<Quote, Refusal> {
    let beyond = |line: &QuotedLine| Refusal::Invalid {
        field: "quantity".to_owned(),
        message: if line.quantity == 1 {
            "costs too much"
        } else {
            "makes the total too large"
        },
    };
    let mut total = Money::ZERO;
    for (asked, line) in request.lines().iter().zip(&lines) {
        if asked
            .max_unit_price
            .is_some_and(|max| line.unit_price > max)
        {
            return Err(Refusal::PriceChanged {
                product: Some(line.sku.product),
                current: line.unit_price,
            });
        }
        let cost = line
            .unit_price
            .checked_mul(line.quantity)
            .or(crate::sabotage::breaks("cost_wraps").then_some(Money::ZERO))
            .ok_or_else(|| beyond(line))?;
        total = total.checked_add(cost).ok_or_else(|| beyond(line))?;
    }
    if request.max_total().is_some_and(|max| total > max) {
        return Err(Refusal::PriceChanged {
            product: None,
            current: total,
        });
    }
    Ok(Quote { lines, total })
}
