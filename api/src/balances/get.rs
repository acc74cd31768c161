//! `GET .../balance`: what there is, what is held, and how long it lasts; by a shop's key, for the
//! merchant, and for the person.

use axum::extract::State;
use engine::{ids::RelationshipId, money::Currency, relationships::RelationshipScope};
use persistence::{balances, top_ups};

use super::{
    Balance,
    forecast::{Spent, forecast},
    owner::{one_in_mode, own_scope, scope_of},
};
use crate::{
    auth::{
        MerchantKey, ResellerKey, Session,
        scope::{BalanceRead, ResellersRead},
    },
    error::ApiError,
    extract::{PathIds, Query},
    state::App,
    top_ups::TopUpView,
    wire::answer::Answer,
};

pub(crate) async fn reseller(
    State(app): State<App>,
    caller: ResellerKey<BalanceRead>,
) -> Result<Answer<Balance>, ApiError> {
    shown(&app, caller.scope(), caller.currency()).await
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersRead>,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Answer<Balance>, ApiError> {
    let live = scope_of(&app, caller.merchant_id(), id).await?;
    let scope = one_in_mode(&app, live, &query).await?;
    shown(&app, scope, caller.currency()).await
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
    query: Query,
) -> Result<Answer<Balance>, ApiError> {
    let (live, currency) = own_scope(&app, &caller, id).await?;
    let scope = one_in_mode(&app, live, &query).await?;
    shown(&app, scope, currency).await
}

pub(super) async fn shown(
    app: &App,
    scope: RelationshipScope,
    currency: Currency,
) -> Result<Answer<Balance>, ApiError> {
    Ok(Answer::ok(view(app, scope, currency).await?))
}

pub(crate) async fn view(
    app: &App,
    scope: RelationshipScope,
    currency: Currency,
) -> Result<Balance, ApiError> {
    let now = app.now();
    let balance = app.engine.balance(scope).await?;
    let spend = balances::forecast::spend(&app.database, scope, now).await?;
    let spent = Spent {
        in_24h: spend.last_24h,
        in_7d: spend.last_7d,
    };
    let forecast = forecast(balance.available(), spent, now);
    let open = top_ups::open_of(&app.database, scope, now).await?;
    let open = open.iter().map(|one| TopUpView::of(one, currency, now));
    let settings = top_ups::settings(&app.database, scope).await?;
    let debt = top_ups::debt(&app.database, scope).await?;
    let amounts = (&balance, debt, currency);
    let open = open.collect();
    Ok(Balance::of(amounts, spent, forecast, &settings, open))
}
