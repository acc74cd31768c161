//! What a shop sends for one fulfillment, and what it becomes.

use std::collections::BTreeMap;

use engine::{
    catalog::Sku,
    fulfillments::{Channel, Draft, Email, Line, OrderId, Request},
    ids::{ProductId, VariantId},
    vault::Vault,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    auth::ResellerKey,
    error::ApiError,
    wire::{
        fields::{Strings, Text, Whole},
        money::Amount,
    },
};

/// The body of `POST /fulfillments`, and a row of the bulk call.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateFulfillment {
    #[schema(value_type = String, min_length = 1, max_length = 128)]
    external_order_id: Text<OrderId>,
    #[schema(value_type = String)]
    product_id: Text<ProductId>,
    #[schema(value_type = Option<String>)]
    variant_id: Option<Text<VariantId>>,
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 100)]
    quantity: Option<Whole>,
    #[schema(value_type = String, format = Email, max_length = 254)]
    customer_email: Text<Email>,
    max_unit_price: Option<Amount>,
    max_total: Option<Amount>,
    custom_fields: Option<Strings>,
    notify_customer: Option<bool>,
    metadata: Option<Strings>,
    #[schema(value_type = Option<String>, max_length = 255)]
    idempotency_key: Option<Text<String>>,
}

impl CreateFulfillment {
    pub(crate) fn order_id(&self) -> &OrderId {
        &self.external_order_id.0
    }

    /// The request of this caller, within bounds. `header` is an `Idempotency-Key` that was sent
    /// beside the body: it is kept for search if the body has none of its own.
    pub(crate) fn into_request<D>(
        self,
        caller: &ResellerKey<D>,
        channel: Channel,
        header: Option<String>,
        vault: &Vault,
    ) -> Result<Request, ApiError> {
        let currency = caller.currency();
        let maximum = |amount: Option<Amount>, field| {
            amount
                .map(|amount| amount.read(currency, field))
                .transpose()
        };
        let line = Line {
            sku: Sku {
                product: self.product_id.0,
                variant: self.variant_id.map(|id| id.0),
            },
            quantity: self.quantity.map_or(1, |quantity| quantity.0),
            max_unit_price: maximum(self.max_unit_price, "max_unit_price")?,
            custom_fields: strings(self.custom_fields),
        };
        checked(
            Draft {
                scope: caller.scope(),
                key: caller.key_id(),
                order_id: self.external_order_id.0,
                channel,
                lines: vec![line],
                customer_email: Some(self.customer_email.0),
                max_total: maximum(self.max_total, "max_total")?,
                metadata: strings(self.metadata),
                idempotency_key: self.idempotency_key.map(|key| key.0).or(header),
                notify_customer: self.notify_customer,
            },
            vault,
        )
    }
}

pub(crate) fn strings(sent: Option<Strings>) -> BTreeMap<String, String> {
    sent.map(|strings| strings.0).unwrap_or_default()
}

/// The request of a draft, or the error that names what is out of bounds.
pub(crate) fn checked(draft: Draft, vault: &Vault) -> Result<Request, ApiError> {
    Request::new(draft, vault).map_err(|invalid| ApiError::field(invalid.field, invalid.message))
}
