//! `GET /reseller/v1/fulfillments`: the caller's fulfillments, or the one of an order id (N01).

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use engine::fulfillments::{Fulfillment, OrderId};
use persistence::fulfillments::list::{self, Filter};

use super::{
    answer::{Address, Serials, Told},
    export, filter,
};
use crate::{
    auth::{ResellerKey, scope::FulfillmentsRead},
    error::ApiError,
    extract::Query,
    state::App,
    wire::{csv, page::CursorPage},
};

/// Filters that say nothing beside an order id.
const OTHER_FILTERS: [&str; 6] = ["status", "product_id", "channel", "from", "to", "format"];

pub(crate) async fn reseller(
    State(app): State<App>,
    caller: ResellerKey<FulfillmentsRead>,
    query: Query,
) -> Result<Response, ApiError> {
    if let Some(order_id) = query.get("external_order_id") {
        return of_order(&app, &caller, &query, order_id).await;
    }
    let filter = filter::read(&query)?;
    if csv::wanted(&query)? {
        let of = (caller.scope(), Arc::clone(caller.merchant()));
        return Ok(export::answer(app, of, Address::Whole, filter));
    }
    let page = CursorPage::read(
        &query,
        &format!("fulfillments of {}", caller.scope().balance),
    )?;
    let (found, next) = page_of(&app, &caller, filter, &page).await?;
    let mut told = Vec::with_capacity(found.len());
    for fulfillment in found {
        let merchant = caller.merchant();
        let one = Told::to(
            &app.engine,
            &caller,
            Arc::new(fulfillment),
            Serials::Omitted,
        )
        .await?;
        told.push(one.with_stored_email(merchant));
    }
    Ok(page.answer(told, next))
}

/// One page, and the version of its last one if more follow.
pub(super) async fn page_of(
    app: &App,
    caller: &ResellerKey<FulfillmentsRead>,
    filter: Filter,
    page: &CursorPage,
) -> Result<(Vec<Fulfillment>, Option<i64>), ApiError> {
    let below = page.position(|text| text.parse().ok())?;
    let found = list::list(&app.database, caller.scope(), filter, below, page.limit).await?;
    let next = found.next(|fulfillment| fulfillment.stamp.version);
    Ok((found.items, next))
}

/// What is bound to an order id: nothing bound and nothing running is an empty list.
async fn of_order(
    app: &App,
    caller: &ResellerKey<FulfillmentsRead>,
    query: &Query,
    order_id: &str,
) -> Result<Response, ApiError> {
    if let Some(other) = OTHER_FILTERS
        .into_iter()
        .find(|name| query.get(name).is_some())
    {
        return Err(ApiError::field(
            other,
            "must not stand beside external_order_id",
        ));
    }
    let page = CursorPage::read(query, "fulfillments by order id")?;
    let order_id = OrderId::parse(order_id)
        .map_err(|message| ApiError::field("external_order_id", message))?;
    let found = app.engine.find(caller.scope(), &order_id).await;
    let merchant = caller.merchant();
    let told = match found.map_err(|error| caller.refuse(error))? {
        None => Vec::new(),
        Some(fulfillment) => {
            let told = Told::to(&app.engine, caller, fulfillment, Serials::Shown).await?;
            vec![told.with_stored_email(merchant)]
        }
    };
    Ok(page.answer(told, None::<i64>).into_response())
}
