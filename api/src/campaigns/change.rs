//! `PATCH …/embed-campaigns/{cmp}`, of both sides: rename, limit, pause, resume or revoke a campaign.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    campaigns::{Changed, Edit, NAME_CHARS_MAX},
    ids::{CampaignId, ProductId, RelationshipId, VariantId},
    links::Status,
};
use persistence::campaigns::{self, Named};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{fields, list::found, refusal::refusal};
use crate::{
    auth::{MerchantKey, Session, scope::ResellersWrite},
    balances::owner::Asker,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{
        answer::Answer,
        fields::Text,
        texts::{line, word},
    },
};

/// What is not sent stays; but who sends products or variants replaces both sets.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateCampaign {
    #[schema(max_length = 80)]
    name: Option<String>,
    /// ACTIVE, PAUSED, or REVOKED for good.
    status: Option<String>,
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
    PathIds((relationship, id)): PathIds<(RelationshipId, CampaignId)>,
    once: Once<UpdateCampaign>,
) -> Result<Response, ApiError> {
    let asker = Asker::own(&app, &caller, relationship).await?;
    let work = move |app, asker, wire| answer(app, asker, id, wire);
    once.run(app, asker, work).await
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersWrite>,
    PathIds((relationship, id)): PathIds<(RelationshipId, CampaignId)>,
    once: Once<UpdateCampaign>,
) -> Result<Response, ApiError> {
    let asker = Asker::merchant(&app, &caller, relationship).await?;
    let work = move |app, asker, wire| answer(app, asker, id, wire);
    once.run(app, asker, work).await
}

async fn answer(
    app: App,
    asker: Asker,
    id: CampaignId,
    wire: UpdateCampaign,
) -> Result<Response, ApiError> {
    let of = (asker.scope.merchant, asker.scope.relationship);
    let currency = asker.currency;
    let (edit, named) = wire.read()?;
    let by = (asker.actor, app.now());
    let changed = campaigns::change(&app.database, of, id, (edit, named), by).await?;
    let changed = changed.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let changed = changed.map_err(refusal)?;
    let shown = found(&app, of, id, currency).await;
    let shown = shown.map_err(ApiError::after_change)?;
    let already = matches!(changed, Changed::Already(_));
    Ok(Answer::stepped(already, shown).into_response())
}

impl UpdateCampaign {
    fn read(self) -> Result<(Edit, Option<Named>), ApiError> {
        let origins = self.allowed_origins.as_deref().map(fields::origins);
        let limited = self.product_ids.is_some() || self.variant_ids.is_some();
        let named = limited.then(|| fields::named(self.product_ids, self.variant_ids));
        let edit = Edit {
            name: line(self.name, "name", NAME_CHARS_MAX)?,
            status: word(self.status, "status", Status::parse)?,
            scope: None,
            origins: origins.transpose()?,
        };
        Ok((edit, named.transpose()?))
    }
}
