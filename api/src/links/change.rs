//! `PATCH …/links/{lnk}`, of both sides: rename a link, lead it elsewhere, pause, resume or revoke it.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::{LinkId, MerchantId, ProductId, RelationshipId},
    links::{Changed, Edit, NAME_CHARS_MAX, Status, Target},
};
use persistence::links;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{list::found, refusal::refusal, target};
use crate::{
    auth::{MerchantKey, Session, scope::ResellersWrite},
    balances::owner::Asker,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{
        answer::Answer,
        fields::{Sent, Text},
        texts::{line, word},
    },
};

/// What is not sent stays. A link leads to one thing: null for either target leads to the shop.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateLink {
    #[schema(max_length = 80)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    target_product_id: Sent<Text<ProductId>>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    target_url: Sent<String>,
    /// ACTIVE, PAUSED, or REVOKED for good.
    status: Option<String>,
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, LinkId)>,
    once: Once<UpdateLink>,
) -> Result<Response, ApiError> {
    let asker = Asker::own(&app, &caller, relationship).await?;
    let work = move |app, asker, wire| answer(app, asker, id, wire);
    once.run(app, asker, work).await
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersWrite>,
    PathIds((relationship, id)): PathIds<(RelationshipId, LinkId)>,
    once: Once<UpdateLink>,
) -> Result<Response, ApiError> {
    let asker = Asker::merchant(&app, &caller, relationship).await?;
    let work = move |app, asker, wire| answer(app, asker, id, wire);
    once.run(app, asker, work).await
}

async fn answer(
    app: App,
    asker: Asker,
    id: LinkId,
    wire: UpdateLink,
) -> Result<Response, ApiError> {
    let (of, currency) = (
        (asker.scope.merchant, asker.scope.relationship),
        asker.currency,
    );
    let edit = Edit {
        name: line(wire.name, "name", NAME_CHARS_MAX)?,
        target: leads(&app, of.0, wire.target_product_id, wire.target_url).await?,
        status: word(wire.status, "status", Status::parse)?,
    };
    let by = (asker.actor, app.now());
    let changed = links::change(&app.database, of, id, edit, by).await?;
    let changed = changed.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let changed = changed.map_err(refusal)?;
    let shown = found(&app, of, id, currency).await;
    let shown = shown.map_err(ApiError::after_change)?;
    let already = matches!(changed, Changed::Already(_));
    Ok(Answer::stepped(already, shown).into_response())
}

async fn leads(
    app: &App,
    merchant: MerchantId,
    product: Sent<Text<ProductId>>,
    url: Sent<String>,
) -> Result<Option<Target>, ApiError> {
    match (product, url) {
        (Sent::Not, Sent::Not) => Ok(None),
        (Sent::Value(product), Sent::Not | Sent::Null) => Ok(Some(Target::Product(product.0))),
        (Sent::Not | Sent::Null, Sent::Value(url)) => {
            target::checked(app, merchant, url).await.map(Some)
        }
        (Sent::Value(_), Sent::Value(_)) => Err(target::both()),
        (Sent::Null, Sent::Not | Sent::Null) | (Sent::Not, Sent::Null) => Ok(Some(Target::Shop)),
    }
}
