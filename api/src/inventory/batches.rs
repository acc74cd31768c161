//! `GET /dev/v1/serials/batches` and `GET /dev/v1/serials/batches/{bat}`: uploads, what became of their
//! serials, and whom a bad one reaches.

use axum::{extract::State, response::Response};
use engine::ids::{ImportId, ProductId};
use persistence::inventory::batches::{self, Batch, Counts, Reached};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::{MerchantKey, scope::ProductsRead},
    error::{ApiError, Code},
    extract::{PathIds, Query},
    state::App,
    wire::{answer::Answer, page::CursorPage, percent::Hundredths, time::Time},
};

#[derive(Serialize, ToSchema)]
#[schema(as = Batch)]
pub(crate) struct BatchAnswer {
    id: String,
    uniqid: String,
    product_id: String,
    variant_id: Option<String>,
    label: Option<String>,
    serials: u64,
    counts: BatchCounts,
    /// How many of those that were sold turned out bad.
    burned_percent: Hundredths,
    created_at: Time,
}

/// Serials by their status.
#[derive(Serialize, ToSchema)]
struct BatchCounts {
    available: u64,
    sold: u64,
    burned: u64,
    pulled: u64,
    removed: u64,
    quarantined: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ReachedBatch {
    batch: BatchAnswer,
    /// The newest 1000 that got a serial of it.
    fulfillments: Vec<String>,
    fulfillments_count: u64,
    resellers: Vec<ReachedReseller>,
}

#[derive(Serialize, ToSchema)]
struct ReachedReseller {
    id: String,
    units: u64,
    burned: u64,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ProductsRead>,
    query: Query,
) -> Result<Response, ApiError> {
    let merchant = caller.merchant_id();
    let page = CursorPage::read(&query, &format!("batches {merchant}"))?;
    let before = page.position(ImportId::parse)?;
    let product = query.get("product_id").map(|id| {
        let product = ProductId::parse(id);
        product.ok_or_else(|| ApiError::field("product_id", "is the id of no product"))
    });
    let product = product.transpose()?;
    let found = batches::list(&app.database, merchant, product, before, page.limit).await?;
    let next = found.next(|batch| batch.id);
    let shown: Vec<_> = found.items.into_iter().map(BatchAnswer::of).collect();
    Ok(page.answer(shown, next))
}

pub(crate) async fn dev_one(
    State(app): State<App>,
    caller: MerchantKey<ProductsRead>,
    PathIds(id): PathIds<ImportId>,
) -> Result<Answer<ReachedBatch>, ApiError> {
    let found = batches::find(&app.database, caller.merchant_id(), id).await?;
    let (batch, reached) = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let Reached {
        fulfillments,
        fulfillment_count,
        resellers,
    } = reached;
    let reseller = |one: batches::ReachedReseller| ReachedReseller {
        id: one.id.to_string(),
        units: one.units,
        burned: one.burned,
    };
    Ok(Answer::ok(ReachedBatch {
        batch: BatchAnswer::of(batch),
        fulfillments: fulfillments.iter().map(ToString::to_string).collect(),
        fulfillments_count: fulfillment_count,
        resellers: resellers.into_iter().map(reseller).collect(),
    }))
}

impl BatchAnswer {
    fn of(batch: Batch) -> Self {
        let id = batch.id.to_string();
        Self {
            uniqid: id.clone(),
            id,
            product_id: batch.product.to_string(),
            variant_id: batch.variant.map(|variant| variant.to_string()),
            label: batch.label,
            serials: batch.counts.serials,
            counts: BatchCounts {
                available: batch.counts.available,
                sold: batch.counts.sold,
                burned: batch.counts.burned,
                pulled: batch.counts.pulled,
                removed: batch.counts.removed,
                quarantined: batch.counts.quarantined,
            },
            burned_percent: burned_percent(&batch.counts),
            created_at: Time(batch.created_at),
        }
    }
}

/// In hundredths, rounded down; of nothing sold nothing is bad.
fn burned_percent(counts: &Counts) -> Hundredths {
    let handed_out = (counts.sold + counts.burned).max(1);
    let hundredths = counts.burned * 10_000 / handed_out;
    Hundredths(u16::try_from(hundredths).unwrap_or(10_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_ones_count_among_those_that_were_sold() {
        for (sold, burned, hundredths) in [(0, 0, 0), (3, 1, 2500), (2, 1, 3333), (0, 5, 10_000)] {
            let counts = Counts {
                serials: 100,
                available: 100 - sold - burned,
                sold,
                burned,
                pulled: 0,
                removed: 0,
                quarantined: 0,
            };
            assert_eq!(burned_percent(&counts).0, hundredths);
        }
    }
}
