//! `PUT /portal/v1/programs/{rel}/balance/settings`: when a balance is low, and whether it is topped up by
//! itself. What is left out is off.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::RelationshipId,
    money::{Currency, Money},
    top_ups::{Alert, Automatic},
};
use persistence::top_ups;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{get::shown, owner::Asker};
use crate::{
    auth::Session,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    payments::methods::coin,
    state::App,
    top_ups::open::refusal,
    wire::{
        fields::{Object, Whole},
        money::Amount,
    },
};

const HOURS_MAX: u32 = 720;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BalanceSettings {
    low_balance_threshold: Option<Amount>,
    alert_hours_left: Option<Whole>,
    #[schema(value_type = Option<AutoTopUpSettings>)]
    auto_top_up: Option<Object<AutoTopUpSettings>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AutoTopUpSettings {
    enabled: bool,
    threshold: Amount,
    amount: Amount,
    coin: String,
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(relationship): PathIds<RelationshipId>,
    once: Once<BalanceSettings>,
) -> Result<Response, ApiError> {
    let asker = Asker::own(&app, &caller, relationship).await?;
    once.run(app, asker, answer).await
}

async fn answer(app: App, asker: Asker, wire: BalanceSettings) -> Result<Response, ApiError> {
    let (scope, currency) = (asker.scope, asker.currency);
    let set = wire.into_settings(currency)?;
    let (of, now) = ((scope.merchant, scope.relationship), app.now());
    let saved = top_ups::save(&app.database, of, set, asker.actor, now).await?;
    let saved = saved.ok_or_else(|| ApiError::new(Code::NotFound))?;
    saved.map_err(|refused| refusal(refused, currency))?;
    // It may be low, or due, as it stands.
    app.changed.add(std::iter::once(scope.relationship));
    let answer = shown(&app, scope, currency).await;
    Ok(answer.map_err(ApiError::after_change)?.into_response())
}

impl BalanceSettings {
    fn into_settings(self, currency: Currency) -> Result<(Alert, Option<Automatic>), ApiError> {
        let threshold = self.low_balance_threshold;
        let threshold = threshold.map(|amount| amount.read(currency, "low_balance_threshold"));
        let hours = self.alert_hours_left.map(|Whole(hours)| {
            let fits = u16::try_from(hours).ok();
            let fits = fits.filter(|hours| (1..=HOURS_MAX).contains(&u32::from(*hours)));
            fits.ok_or_else(|| ApiError::field("alert_hours_left", "must be 1 to 720"))
        });
        let alert = Alert {
            threshold: threshold.transpose()?,
            hours: hours.transpose()?,
        };
        let automatic = self
            .auto_top_up
            .map(|Object(one)| one.into_automatic(currency));
        Ok((alert, automatic.transpose()?))
    }
}

impl AutoTopUpSettings {
    fn into_automatic(self, currency: Currency) -> Result<Automatic, ApiError> {
        let amount = self.amount.read(currency, "auto_top_up.amount")?;
        if amount <= Money::ZERO {
            return Err(ApiError::field("auto_top_up.amount", "must be above zero"));
        }
        Ok(Automatic {
            enabled: self.enabled,
            threshold: self.threshold.read(currency, "auto_top_up.threshold")?,
            amount,
            coin: coin(&self.coin)?,
        })
    }
}
