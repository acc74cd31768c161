//! `GET` and `PUT /dev/v1/payment-methods`: in which coins the merchant takes money, and how.
//!
//! Invoices keep what they were opened with, so a change of instructions never misleads somebody who is
//! about to pay.

use std::collections::BTreeSet;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::payments::{COIN_CHARS_MAX, Coin, METHODS_MAX, Method, ProviderKind};
use persistence::payments;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::member::{Member, Owner, OwnerSteppedUp},
    error::ApiError,
    extract::Once,
    state::App,
    wire::{answer::Answer, fields::Object, texts::lines},
};

const INSTRUCTIONS_CHARS_MAX: usize = 2000;

#[derive(Serialize, ToSchema)]
#[schema(as = PaymentMethod)]
pub(crate) struct MethodView {
    coin: String,
    provider: &'static str,
    enabled: bool,
    instructions: String,
}

/// All methods there are to be, in the order in which they are shown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplaceMethods {
    #[schema(value_type = Vec<ReplaceMethod>, max_items = 20)]
    methods: Vec<Object<ReplaceMethod>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReplaceMethod {
    coin: String,
    provider: String,
    enabled: Option<bool>,
    instructions: String,
}

pub(crate) async fn get(
    State(app): State<App>,
    Owner(member): Owner,
) -> Result<Answer<Vec<MethodView>>, ApiError> {
    shown(&app, &member).await
}

pub(crate) async fn replace(
    State(app): State<App>,
    OwnerSteppedUp(member): OwnerSteppedUp,
    once: Once<ReplaceMethods>,
) -> Result<Response, ApiError> {
    once.run(app, member, answer).await
}

async fn answer(app: App, member: Member, wire: ReplaceMethods) -> Result<Response, ApiError> {
    let methods = wire.into_methods()?;
    let (merchant, actor) = (member.merchant.id, member.actor());
    payments::replace(&app.database, merchant, methods, actor, app.now()).await?;
    let answer = shown(&app, &member).await;
    Ok(answer.map_err(ApiError::after_change)?.into_response())
}

async fn shown(app: &App, member: &Member) -> Result<Answer<Vec<MethodView>>, ApiError> {
    let methods = payments::list(&app.database, member.merchant.id, false).await?;
    let views = methods.into_iter().map(|method| MethodView {
        coin: method.coin.to_string(),
        provider: method.provider.name(),
        enabled: method.enabled,
        instructions: method.instructions,
    });
    Ok(Answer::ok(views.collect()))
}

impl ReplaceMethods {
    fn into_methods(self) -> Result<Vec<Method>, ApiError> {
        if self.methods.len() > METHODS_MAX {
            let message = format!("must be at most {METHODS_MAX} methods");
            return Err(ApiError::field("methods", message));
        }
        let read = self
            .methods
            .into_iter()
            .map(|Object(one)| one.into_method());
        let methods: Vec<Method> = read.collect::<Result<_, _>>()?;
        let coins: BTreeSet<_> = methods.iter().map(|method| &method.coin).collect();
        if coins.len() < methods.len() {
            return Err(ApiError::field("methods", "must name each coin once"));
        }
        Ok(methods)
    }
}

impl ReplaceMethod {
    fn into_method(self) -> Result<Method, ApiError> {
        let provider = ProviderKind::parse(&self.provider);
        let provider = provider.ok_or_else(|| ApiError::field("provider", "must be `manual`"))?;
        let instructions = lines(
            Some(self.instructions),
            "instructions",
            INSTRUCTIONS_CHARS_MAX,
        )?;
        let instructions =
            instructions.ok_or_else(|| ApiError::field("instructions", "must not be empty"))?;
        Ok(Method {
            coin: coin(&self.coin)?,
            provider,
            enabled: self.enabled.unwrap_or(true),
            instructions,
        })
    }
}

/// A coin as it is written, in any case.
pub(crate) fn coin(text: &str) -> Result<Coin, ApiError> {
    Coin::parse(text).ok_or_else(|| {
        let message = format!("must be 1 to {COIN_CHARS_MAX} letters, digits, `-` or `_`");
        ApiError::field("coin", message)
    })
}
