//! `GET /reseller/v1/balance`: what there is, what is held, and how long it lasts.

use axum::extract::State;
use persistence::balances;

use super::{
    Balance,
    forecast::{Spent, forecast},
};
use crate::{
    auth::{ResellerKey, scope::BalanceRead},
    error::ApiError,
    state::App,
    wire::answer::Answer,
};

pub(crate) async fn reseller(
    State(app): State<App>,
    caller: ResellerKey<BalanceRead>,
) -> Result<Answer<Balance>, ApiError> {
    let now = app.now();
    let balance = app.engine.balance(caller.scope()).await?;
    let spend = balances::forecast::spend(&app.database, caller.scope(), now).await?;
    let spent = Spent {
        in_24h: spend.last_24h,
        in_7d: spend.last_7d,
    };
    let forecast = forecast(balance.available(), spent, now);
    Ok(Answer::ok(Balance::of(
        &balance,
        caller.currency(),
        spent,
        forecast,
    )))
}
