//! `GET /dev/v1/products/{id}/serials` and its form for a variant: the serials of a shelf, by pages.
//!
//! Keeps: whoever reads serials is in the audit log before they are shown.

use axum::{extract::State, response::Response};
use engine::{
    ids::{ImportId, ProductId, VariantId},
    inventory::Status,
};
use persistence::inventory::list::{Filter, list};

use super::serial::{Shown, is_masked, noted, owned_by};
use crate::{
    auth::{MerchantKey, scope::ProductsRead},
    error::{ApiError, Code},
    extract::{PathIds, Query},
    state::App,
    wire::{
        page::{numbered, page_number},
        texts::words,
    },
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ProductsRead>,
    PathIds(product): PathIds<ProductId>,
    query: Query,
) -> Result<Response, ApiError> {
    page(&app, &caller, (product, None), &query).await
}

pub(crate) async fn dev_variant(
    State(app): State<App>,
    caller: MerchantKey<ProductsRead>,
    PathIds((product, variant)): PathIds<(ProductId, VariantId)>,
    query: Query,
) -> Result<Response, ApiError> {
    page(&app, &caller, (product, Some(variant)), &query).await
}

async fn page(
    app: &App,
    caller: &MerchantKey<ProductsRead>,
    (product, variant): (ProductId, Option<VariantId>),
    query: &Query,
) -> Result<Response, ApiError> {
    let page = page_number(query)?;
    let mut statuses = words(query, "status", Status::parse)?;
    if query.get("status").is_none() {
        statuses.push(Status::Available);
    }
    let import = query.get("batch_id").map(|id| {
        let import = ImportId::parse(id);
        import.ok_or_else(|| ApiError::field("batch_id", "is the id of no batch"))
    });
    let product = owned_by(app, caller.merchant_id(), product).await?;
    if variant.is_some_and(|id| product.variant(id).is_none()) {
        return Err(ApiError::new(Code::NotFound));
    }
    let filter = Filter {
        merchant: caller.merchant_id(),
        product: product.id,
        variant,
        import: import.transpose()?,
        statuses,
    };
    noted(app, caller, "serials.read", product.id.to_string()).await?;
    let found = list(&app.database, filter, page).await?;
    let shown = Shown {
        merchant: caller.merchant(),
        product: &product,
        masked: is_masked(caller),
    };
    let serials: Vec<_> = found.items.iter().map(|one| shown.listed(one)).collect();
    Ok(numbered(page, serials, found.total))
}
