//! `GET /dev/v1/products` and `/dev/v1/products/search`: the merchant's products, newest first.
//!
//! Archived ones are shown to who asks for them by their status.

use axum::{extract::State, response::Response};
use engine::{
    catalog::{ProductKind, Status},
    ids::{MerchantId, ProductId},
    money::Currency,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use persistence::catalog::list::{self, Filter, Listed};

use super::product::MerchantProduct;
use crate::{
    auth::{MerchantKey, scope::ProductsRead},
    error::ApiError,
    extract::Query,
    state::App,
    wire::{
        page::{Paging, numbered},
        texts::words,
    },
};

/// How many products are asked for at once.
const ASKED_AT_ONCE: usize = 16;
const SEARCH_CHARS_MAX: usize = 100;

pub(crate) async fn list(
    State(app): State<App>,
    caller: MerchantKey<ProductsRead>,
    query: Query,
) -> Result<Response, ApiError> {
    page(&app, &caller, &query, None).await
}

pub(crate) async fn search(
    State(app): State<App>,
    caller: MerchantKey<ProductsRead>,
    query: Query,
) -> Result<Response, ApiError> {
    let part = query.get("q").map(str::trim).unwrap_or_default();
    if !(1..=SEARCH_CHARS_MAX).contains(&part.chars().count()) {
        return Err(ApiError::field("q", "must have 1 to 100 characters"));
    }
    page(&app, &caller, &query, Some(part.to_owned())).await
}

async fn page(
    app: &App,
    caller: &MerchantKey<ProductsRead>,
    query: &Query,
    search: Option<String>,
) -> Result<Response, ApiError> {
    let merchant = caller.merchant_id();
    let paging = Paging::read(query, &format!("own products {merchant}"))?;
    let filter = Filter {
        statuses: words(query, "status", Status::parse)?,
        kinds: words(query, "type", ProductKind::parse)?,
        search,
    };
    let of = (merchant, caller.currency());
    match paging {
        Paging::Numbered(page) => {
            let found = list::list_numbered(&app.database, merchant, filter, page).await?;
            Ok(numbered(
                page,
                show(app, of, found.items).await?,
                found.total,
            ))
        }
        Paging::Cursor(page) => {
            let before = page.position(ProductId::parse)?;
            let found = list::list(&app.database, merchant, filter, before, page.limit).await?;
            let next = found.next(|listed| listed.id);
            Ok(page.answer(show(app, of, found.items).await?, next))
        }
    }
}

/// One that was deleted since it was listed is left out.
async fn show(
    app: &App,
    of: (MerchantId, Currency),
    listed: Vec<Listed>,
) -> Result<Vec<MerchantProduct>, ApiError> {
    let shown: Vec<_> = stream::iter(listed)
        .map(move |listed| one(app.clone(), of, listed))
        .buffered(ASKED_AT_ONCE)
        .try_collect()
        .await?;
    Ok(shown.into_iter().flatten().collect())
}

async fn one(
    app: App,
    (merchant, currency): (MerchantId, Currency),
    listed: Listed,
) -> Result<Option<MerchantProduct>, ApiError> {
    MerchantProduct::show(&app, merchant, currency, listed).await
}
