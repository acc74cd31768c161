//! `PATCH /dev/v1/resellers/{id}`: change mode, terms, limits, code or product access of a reseller.
//!
//! Keeps the order: stored, taken over by the balance's actor, answered. Once the answer is out,
//! nothing is accepted under the old terms.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    audit::Actor,
    ids::{MerchantId, ProductId, RelationshipId},
    money::Currency,
    relationships::{Change, ProductScope, Unchanged},
};
use persistence::{
    owned,
    relationships::update::{NotChanged, update},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    Showcase, mode,
    terms::{self, GrantAccess, NAME_CHARS_MAX, limit},
};
use crate::{
    auth::{MerchantKey, scope::ResellersWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{
        answer::Answer,
        fields::{Object, Sent, Text},
        money::Amount,
        texts::{line, percentage, word},
    },
};

/// What is not sent stays; null clears what a reseller may be without. Sending `product_ids` or
/// `product_access` replaces the whole set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateReseller {
    name: Option<String>,
    code: Option<String>,
    mode: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Amount>)]
    custom_commission_percent: Sent<Amount>,
    #[serde(default)]
    #[schema(value_type = Option<Amount>)]
    custom_wholesale_discount_percent: Sent<Amount>,
    #[serde(default)]
    #[schema(value_type = Option<Amount>)]
    purchase_limit_daily: Sent<Amount>,
    #[serde(default)]
    #[schema(value_type = Option<Amount>)]
    purchase_limit_monthly: Sent<Amount>,
    product_scope: Option<String>,
    notify_customer: Option<bool>,
    #[schema(value_type = Option<Vec<String>>, max_items = 500)]
    product_ids: Option<Vec<Text<ProductId>>>,
    #[schema(value_type = Option<Vec<GrantAccess>>, max_items = 500)]
    product_access: Option<Vec<Object<GrantAccess>>>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersWrite>,
    PathIds(id): PathIds<RelationshipId>,
    once: Once<UpdateReseller>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, wire| answer(app, caller, id, wire);
    once.run(app, caller, work).await
}

async fn answer(
    app: App,
    caller: MerchantKey<ResellersWrite>,
    id: RelationshipId,
    wire: UpdateReseller,
) -> Result<Response, ApiError> {
    let change = wire.into_change(caller.currency())?;
    let of = (caller.merchant_id(), id);
    // One task for all of it: what is stored is always taken over.
    let changed = owned(store(app.clone(), of, change, caller.actor())).await?;
    match changed {
        None => Err(ApiError::new(Code::NotFound)),
        Some(Err(refused)) => Err(refusal(refused)),
        Some(Ok(())) => {
            let reseller = Showcase::find(&app, &caller, id).await?;
            Ok(Answer::ok(reseller).into_response())
        }
    }
}

async fn store(
    app: App,
    of: (MerchantId, RelationshipId),
    change: Change,
    actor: Actor,
) -> Result<Option<Result<(), NotChanged>>, ApiError> {
    match update(&app.database, of, change, actor, app.now()).await? {
        None => Ok(None),
        Some(Err(refused)) => Ok(Some(Err(refused))),
        Some(Ok(changed)) => {
            app.take_over(of.1, &changed.balances).await?;
            Ok(Some(Ok(())))
        }
    }
}

fn refusal(refused: NotChanged) -> ApiError {
    match refused {
        NotChanged::Unchanged(Unchanged::Terminated) => {
            let said = "A terminated relationship stays as it ended.";
            ApiError::saying(Code::InvalidState, said).detail("status", "TERMINATED")
        }
        NotChanged::Unchanged(Unchanged::Bounds(ware)) => terms::bounds(ware),
        NotChanged::UnknownWare(ware) => terms::unknown_ware(ware),
        NotChanged::CodeTaken => {
            ApiError::saying(Code::AlreadyExists, "This code is taken.").detail("code", "is taken")
        }
    }
}

impl UpdateReseller {
    fn into_change(self, currency: Currency) -> Result<Change, ApiError> {
        Ok(Change {
            name: line(self.name, "name", NAME_CHARS_MAX)?,
            code: terms::code(self.code)?,
            mode: word(self.mode, "mode", mode)?,
            commission: percentage(&self.custom_commission_percent, "custom_commission_percent")?,
            discount: percentage(
                &self.custom_wholesale_discount_percent,
                "custom_wholesale_discount_percent",
            )?,
            purchase_limit_daily: limit(
                &self.purchase_limit_daily,
                currency,
                "purchase_limit_daily",
            )?,
            purchase_limit_monthly: limit(
                &self.purchase_limit_monthly,
                currency,
                "purchase_limit_monthly",
            )?,
            product_scope: word(self.product_scope, "product_scope", ProductScope::parse)?,
            notify_customer: self.notify_customer,
            access: terms::access(self.product_ids, self.product_access, currency)?,
        })
    }
}
