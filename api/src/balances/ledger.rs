//! `GET .../balance/ledger`: every change of the balance, newest first or from a version on.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    fulfillments::OrderId, ids::RelationshipId, money::Currency, relationships::RelationshipScope,
};
use futures_util::TryStreamExt as _;
use persistence::balances::ledger::{self, Filter, Start};

use super::{
    entry::{Entry, parse_kind},
    owner::{in_mode, own_scope, scope_of},
};
use crate::{
    auth::{
        MerchantKey, ResellerKey, Session,
        scope::{BalanceRead, ResellersRead},
    },
    error::ApiError,
    extract::{PathIds, Query},
    state::App,
    wire::{csv, filters, page::CursorPage},
};

pub(crate) async fn reseller(
    State(app): State<App>,
    caller: ResellerKey<BalanceRead>,
    query: Query,
) -> Result<Response, ApiError> {
    let scope = Some(caller.scope());
    listed(
        &app,
        (scope, caller.scope().relationship),
        caller.currency(),
        &query,
    )
    .await
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersRead>,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let live = scope_of(&app, caller.merchant_id(), id).await?;
    let scope = in_mode(&app, live, &query).await?;
    listed(&app, (scope, id), caller.currency(), &query).await
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let (live, currency) = own_scope(&app, &caller, id).await?;
    let scope = in_mode(&app, live, &query).await?;
    listed(&app, (scope, id), currency, &query).await
}

async fn listed(
    app: &App,
    (scope, relationship): (Option<RelationshipScope>, RelationshipId),
    currency: Currency,
    query: &Query,
) -> Result<Response, ApiError> {
    let balance = scope.map(|scope| scope.balance.to_string());
    let list = format!("ledger {relationship} {}", balance.unwrap_or_default());
    let page = CursorPage::read(query, &list)?;
    let after = after_version(query)?;
    let filter = filter(query)?;
    let file = csv::wanted(query)?;
    let position = page.position(|text| text.parse().ok())?;
    let Some(scope) = scope else {
        return Ok(page
            .answer(Vec::<Entry>::new(), None::<i64>)
            .into_response());
    };
    if file {
        return Ok(exported(app, scope, currency, filter));
    }
    let start = match after {
        Some(after) => Start::Above(position.unwrap_or(after)),
        None => Start::Below(position),
    };
    let found = ledger::list(&app.database, scope, filter, start, page.limit).await?;
    let next = found.next(|entry| entry.version);
    Ok(page
        .answer(entries(found.items, currency), next)
        .into_response())
}

/// Every entry that passes the filter, as a file.
pub(super) fn exported(
    app: &App,
    scope: RelationshipScope,
    currency: Currency,
    filter: Filter,
) -> Response {
    let rows = ledger::rows(app.database.clone(), scope, filter);
    csv::answer(rows.map_ok(move |entry| Entry::of(entry, currency)))
}

fn entries(items: Vec<ledger::LedgerEntry>, currency: Currency) -> Vec<Entry> {
    items
        .into_iter()
        .map(|entry| Entry::of(entry, currency))
        .collect()
}

fn after_version(query: &Query) -> Result<Option<i64>, ApiError> {
    let Some(text) = query.get("after_version") else {
        return Ok(None);
    };
    let version = text.parse().ok().filter(|version| *version >= 0);
    version
        .map(Some)
        .ok_or_else(|| ApiError::field("after_version", "must be a whole number from 0"))
}

fn filter(query: &Query) -> Result<Filter, ApiError> {
    let mut kinds = Vec::new();
    for name in query
        .get("kind")
        .into_iter()
        .flat_map(|kinds| kinds.split(','))
    {
        let kind = parse_kind(name);
        kinds.push(kind.ok_or_else(|| ApiError::field("kind", "is no kind of entry"))?);
    }
    let (from, to) = (filters::time(query, "from")?, filters::time(query, "to")?);
    let order_id = query
        .get("external_order_id")
        .map(OrderId::parse)
        .transpose();
    let order_id = order_id.map_err(|message| ApiError::field("external_order_id", message))?;
    Ok(Filter {
        kinds,
        from,
        to,
        order_id,
    })
}
