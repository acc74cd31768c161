//! `POST …/embed-campaigns`, of both sides: make a campaign, and get the snippet to place.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    campaigns::{NAME_CHARS_MAX, NewCampaign, Scope},
    embeds::Subject,
    ids::{CampaignId, ProductId, RelationshipId, VariantId},
};
use persistence::campaigns;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{CampaignWithSnippet, fields, list::found, refusal::refusal};
use crate::{
    auth::{MerchantKey, Session, scope::ResellersWrite},
    balances::owner::Asker,
    embeds::snippet::{Flavor, Placed},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, fields::Text, texts::line},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateCampaign {
    #[schema(max_length = 80)]
    name: String,
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    product_ids: Option<Vec<Text<ProductId>>>,
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    variant_ids: Option<Vec<Text<VariantId>>>,
    #[schema(max_items = 20)]
    allowed_origins: Option<Vec<String>>,
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(relationship): PathIds<RelationshipId>,
    once: Once<CreateCampaign>,
) -> Result<Response, ApiError> {
    let asker = Asker::own(&app, &caller, relationship).await?;
    once.run(app, asker, answer).await
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersWrite>,
    PathIds(relationship): PathIds<RelationshipId>,
    once: Once<CreateCampaign>,
) -> Result<Response, ApiError> {
    let asker = Asker::merchant(&app, &caller, relationship).await?;
    once.run(app, asker, answer).await
}

async fn answer(app: App, asker: Asker, wire: CreateCampaign) -> Result<Response, ApiError> {
    let now = app.now();
    let name = line(Some(wire.name), "name", NAME_CHARS_MAX)?.unwrap_or_default();
    let named = fields::named(wire.product_ids, wire.variant_ids)?;
    let new = NewCampaign {
        id: CampaignId::generate(now, &**app.engine.random()),
        name,
        scope: Scope::default(),
        origins: fields::origins(&wire.allowed_origins.unwrap_or_default())?,
    };
    let of = (asker.scope.merchant, asker.scope.relationship);
    let made = campaigns::create(&app.database, of, (new, named), asker.actor, now).await?;
    let made = made.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let made = made.map_err(refusal)?;
    let shown = found(&app, of, made.id, asker.currency).await;
    let shown = CampaignWithSnippet {
        campaign: shown.map_err(ApiError::after_change)?,
        snippet: Placed::of(&app, Subject::Campaign(made.id), made.token_version)
            .snippet(Flavor::Html),
    };
    Ok(Answer::created(shown).into_response())
}
