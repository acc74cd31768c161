//! `GET /dev/v1/products/{id}/stock-movements`: what came onto the shelves and what left them.

use std::fmt;

use axum::{extract::State, response::Response};
use engine::ids::{ProductId, VariantId, WithdrawalId};
use persistence::inventory::movements::{self, Cause, Filter, Movement, Place, TYPES};
use serde::Serialize;
use utoipa::ToSchema;

use super::serial::owned_by;
use crate::{
    auth::{MerchantKey, scope::ProductsRead},
    error::ApiError,
    extract::{PathIds, Query},
    state::App,
    wire::{filters, page::CursorPage, time::Time},
};

#[derive(Serialize, ToSchema)]
pub(crate) struct StockMovement {
    id: String,
    uniqid: String,
    #[serde(rename = "type")]
    kind: &'static str,
    quantity: i64,
    variant_id: Option<String>,
    reference_id: String,
    reference_type: &'static str,
    occurred_at: Time,
    details: MovementDetails,
}

#[derive(Serialize, ToSchema)]
struct MovementDetails {
    /// Of an upload.
    label: Option<String>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ProductsRead>,
    PathIds(product): PathIds<ProductId>,
    query: Query,
) -> Result<Response, ApiError> {
    let product = owned_by(&app, caller.merchant_id(), product).await?;
    let page = CursorPage::read(&query, &format!("stock movements {}", product.id))?;
    let before = page.position(At::parse)?.map(|At(place)| place);
    let variant = query.get("variant_id").map(|id| {
        let variant = VariantId::parse(id);
        variant.ok_or_else(|| ApiError::field("variant_id", "is the id of no variant"))
    });
    let filter = Filter {
        types: types(&query)?,
        variant: variant.transpose()?,
        from: filters::time(&query, "from")?,
        to: filters::time(&query, "to")?,
    };
    let of = (caller.merchant_id(), product.id);
    let found = movements::list(&app.database, of, filter, before, page.limit).await?;
    let next = found.next(|movement| At(movement.place));
    let shown: Vec<_> = found.items.into_iter().map(StockMovement::of).collect();
    Ok(page.answer(shown, next))
}

/// The types that are asked for; none is any.
fn types(query: &Query) -> Result<Vec<&'static str>, ApiError> {
    let sent = query
        .get("type")
        .into_iter()
        .flat_map(|text| text.split(','));
    let known = |word: &str| {
        let known = TYPES
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(word));
        known.ok_or_else(|| ApiError::field("type", "is none of the words that this can be"))
    };
    sent.map(known).collect()
}

/// A place in the list as a cursor carries it.
struct At(Place);

impl At {
    fn parse(text: &str) -> Option<Self> {
        let (micros, id) = text.split_once(' ')?;
        Some(Self(Place {
            at: chrono::DateTime::from_timestamp_micros(micros.parse().ok()?)?,
            id: WithdrawalId::parse(id)?.uuid(),
        }))
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = WithdrawalId::from_uuid(self.0.id);
        write!(f, "{} {id}", self.0.at.timestamp_micros())
    }
}

impl StockMovement {
    fn of(movement: Movement) -> Self {
        let (kind, reference_type, reference_id) = match movement.cause {
            Cause::Restock(id) => ("restock", "batch", id.to_string()),
            Cause::Fulfillment(id) => ("reseller_fulfillment", "fulfillment", id.to_string()),
            Cause::Removal(id) => ("removal", "withdrawal", id.to_string()),
            Cause::Pull(id) => ("claim", "withdrawal", id.to_string()),
            Cause::Purchase(id) => ("reseller_stock", "stock_request", id.to_string()),
            Cause::Sale(id) => ("sale", "withdrawal", id.to_string()),
            Cause::Replacement(id) => ("replacement", "replacement", id.to_string()),
        };
        // What moved is named by its cause: the same every time it is read.
        let id = WithdrawalId::from_uuid(movement.place.id).to_string();
        Self {
            uniqid: id.clone(),
            id,
            kind,
            quantity: movement.quantity,
            variant_id: movement.variant.map(|variant| variant.to_string()),
            reference_id,
            reference_type,
            occurred_at: Time(movement.occurred_at),
            details: MovementDetails {
                label: movement.label,
            },
        }
    }
}
