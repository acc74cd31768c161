//! What a merchant agrees with one reseller: the fields that an invitation and a change share.

use std::collections::{BTreeMap, BTreeSet};

use engine::{
    catalog::Edit,
    ids::{ProductId, VariantId},
    money::{Currency, Money},
    relationships::{AccessChange, Grant, Ware},
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    error::ApiError,
    wire::{
        fields::{Object, Sent, Text, Whole},
        money::Amount,
        percent,
        texts::edit,
    },
};

pub(crate) const NAME_CHARS_MAX: usize = 80;
const PRODUCTS_MAX: usize = 500;
const QUANTITY_MAX: u32 = 1000;
const CODE_BYTES: std::ops::RangeInclusive<usize> = 4..=32;

/// Access to one product, with what is different for this reseller.
#[derive(Deserialize, ToSchema)]
#[schema(as = GrantProductAccess)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantAccess {
    #[schema(value_type = String)]
    product_id: Text<ProductId>,
    #[schema(value_type = Option<String>)]
    variant_id: Option<Text<VariantId>>,
    status: Option<String>,
    commission_percent_override: Option<Amount>,
    wholesale_price_override: Option<Amount>,
    auto_fulfilled_enabled: Option<bool>,
    min_resale_price: Option<Amount>,
    max_resale_price: Option<Amount>,
    min_quantity: Option<Whole>,
    max_quantity: Option<Whole>,
    stock_min_quantity: Option<Whole>,
    stock_max_quantity: Option<Whole>,
}

/// The new set of products, if either list was sent.
pub(crate) fn access(
    product_ids: Option<Vec<Text<ProductId>>>,
    product_access: Option<Vec<Object<GrantAccess>>>,
    currency: Currency,
) -> Result<AccessChange, ApiError> {
    let counts = [
        ("product_ids", product_ids.as_ref().map_or(0, Vec::len)),
        (
            "product_access",
            product_access.as_ref().map_or(0, Vec::len),
        ),
    ];
    for (field, count) in counts {
        if count > PRODUCTS_MAX {
            return Err(ApiError::field(field, "must be at most 500"));
        }
    }
    let ids = |ids: Vec<Text<ProductId>>| ids.into_iter().map(|Text(id)| id).collect();
    let products: Option<BTreeSet<ProductId>> = product_ids.map(ids);
    let grants = product_access.map(|sent| grants(sent, currency));
    Ok(AccessChange {
        products,
        grants: grants.transpose()?,
    })
}

fn grants(
    sent: Vec<Object<GrantAccess>>,
    currency: Currency,
) -> Result<BTreeMap<Ware, Grant>, ApiError> {
    let mut grants = BTreeMap::new();
    for Object(one) in sent {
        let ware = (one.product_id.0, one.variant_id.as_ref().map(|id| id.0));
        if grants.insert(ware, one.grant(currency)?).is_some() {
            let message = "must name a product and variant once";
            return Err(ApiError::field("product_access", message));
        }
    }
    Ok(grants)
}

impl GrantAccess {
    fn grant(self, currency: Currency) -> Result<Grant, ApiError> {
        let money = |sent: Option<Amount>, field| -> Result<Option<Money>, ApiError> {
            sent.map(|amount| amount.read(currency, field)).transpose()
        };
        let commission = self
            .commission_percent_override
            .map(|sent| percent::read(&sent, "commission_percent_override"));
        let revoked = match self
            .status
            .as_deref()
            .map(str::to_ascii_uppercase)
            .as_deref()
        {
            None | Some("ACTIVE") => false,
            Some("REVOKED") => true,
            Some(_) => return Err(ApiError::field("status", "must be ACTIVE or REVOKED")),
        };
        Ok(Grant {
            revoked,
            commission: commission.transpose()?,
            wholesale_price: money(self.wholesale_price_override, "wholesale_price_override")?,
            auto_fulfilled: self.auto_fulfilled_enabled.unwrap_or(true),
            min_resale_price: money(self.min_resale_price, "min_resale_price")?,
            max_resale_price: money(self.max_resale_price, "max_resale_price")?,
            min_quantity: quantity(self.min_quantity, "min_quantity")?,
            max_quantity: quantity(self.max_quantity, "max_quantity")?,
            stock_min_quantity: quantity(self.stock_min_quantity, "stock_min_quantity")?,
            stock_max_quantity: quantity(self.stock_max_quantity, "stock_max_quantity")?,
        })
    }
}

fn quantity(sent: Option<Whole>, field: &'static str) -> Result<Option<u32>, ApiError> {
    match sent {
        Some(Whole(quantity)) if !(1..=QUANTITY_MAX).contains(&quantity) => {
            Err(ApiError::field(field, "must be from 1 to 1000"))
        }
        sent => Ok(sent.map(|Whole(quantity)| quantity)),
    }
}

/// What a change of a purchase limit is.
pub(crate) fn limit(
    sent: &Sent<Amount>,
    currency: Currency,
    field: &'static str,
) -> Result<Edit<Money>, ApiError> {
    edit(sent, |amount| amount.read(currency, field))
}

/// A code that a merchant chose: part of links.
pub(crate) fn code(sent: Option<String>) -> Result<Option<String>, ApiError> {
    let fits = |code: &String| {
        let letters = code
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        CODE_BYTES.contains(&code.len()) && letters
    };
    if sent.as_ref().is_none_or(fits) {
        return Ok(sent);
    }
    let message = "must have 4 to 32 characters of a-z, 0-9 and -";
    Err(ApiError::field("code", message))
}

/// A product that this merchant does not sell.
pub(crate) fn unknown_ware((product, variant): Ware) -> ApiError {
    let id = variant.map_or_else(|| product.to_string(), |id| id.to_string());
    let message = "must be products and variants of this merchant";
    ApiError::field("product_access", message).detail("product_id", id)
}

/// A smallest above its largest.
pub(crate) fn bounds((product, _): Ware) -> ApiError {
    let message = "must have no smallest above its largest";
    ApiError::field("product_access", message).detail("product_id", product.to_string())
}
