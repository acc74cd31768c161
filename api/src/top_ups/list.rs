//! `GET .../top-ups`: the top-ups of a relationship, newest first; by a shop's key, for the merchant, and
//! for the person.

use axum::{extract::State, response::Response};
use engine::{
    ids::{InvoiceId, RelationshipId},
    money::Currency,
    payments::Status,
    relationships::RelationshipScope,
};
use persistence::top_ups::{self, Filter};

use super::TopUpView;
use crate::{
    auth::{
        MerchantKey, ResellerKey, Session,
        scope::{BalanceRead, ResellersRead},
    },
    balances::owner::{own_scope, scope_of},
    error::ApiError,
    extract::{PathIds, Query},
    state::App,
    wire::{page::CursorPage, texts::words},
};

pub(crate) async fn reseller(
    State(app): State<App>,
    caller: ResellerKey<BalanceRead>,
    query: Query,
) -> Result<Response, ApiError> {
    listed(&app, caller.scope(), caller.currency(), &query).await
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersRead>,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let scope = scope_of(&app, caller.merchant_id(), id).await?;
    listed(&app, scope, caller.currency(), &query).await
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Response, ApiError> {
    let (scope, currency) = own_scope(&app, &caller, id).await?;
    listed(&app, scope, currency, &query).await
}

async fn listed(
    app: &App,
    scope: RelationshipScope,
    currency: Currency,
    query: &Query,
) -> Result<Response, ApiError> {
    let now = app.now();
    let page = CursorPage::read(query, &format!("top-ups {}", scope.relationship))?;
    let before = page.position(InvoiceId::parse)?;
    let filter = Filter {
        statuses: words(query, "status", Status::parse)?,
        ..Filter::default()
    };
    let found = top_ups::list(&app.database, scope, (filter, now), before, page.limit).await?;
    let next = found.next(|invoice| invoice.id);
    let items = found.items.iter();
    let shown: Vec<_> = items.map(|one| TopUpView::of(one, currency, now)).collect();
    Ok(page.answer(shown, next))
}
