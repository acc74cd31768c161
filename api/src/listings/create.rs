//! `POST /portal/v1/programs/{rel}/listings`: list a product at a price of one's own.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::{ListingId, ProductId, RelationshipId, VariantId},
    listings::NewListing,
};
use persistence::listings;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{list::found, refusal::not_listed};
use crate::{
    auth::Session,
    balances::owner::Asker,
    error::ApiError,
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, fields::Text, money::Amount},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateListing {
    #[schema(value_type = String)]
    product_id: Text<ProductId>,
    /// Of a product that has variants.
    #[schema(value_type = Option<String>)]
    variant_id: Option<Text<VariantId>>,
    price: Amount,
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(relationship): PathIds<RelationshipId>,
    once: Once<CreateListing>,
) -> Result<Response, ApiError> {
    let asker = Asker::own(&app, &caller, relationship).await?;
    once.run(app, asker, answer).await
}

async fn answer(app: App, asker: Asker, wire: CreateListing) -> Result<Response, ApiError> {
    let (now, currency) = (app.now(), asker.currency);
    let new = NewListing {
        id: ListingId::generate(now, &**app.engine.random()),
        relationship: asker.scope.relationship,
        product: wire.product_id.0,
        variant: wire.variant_id.map(|id| id.0),
        price: wire.price.read(currency, "price")?,
    };
    let of = (asker.scope.merchant, asker.scope.relationship);
    let made = listings::create(&app.database, of.0, new, (asker.actor, now)).await?;
    let made = made.map_err(|refused| not_listed(refused, currency))?;
    let shown = found(&app, of, made.id, currency).await;
    Ok(Answer::created(shown.map_err(ApiError::after_change)?).into_response())
}
