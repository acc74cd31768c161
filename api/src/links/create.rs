//! `POST /portal/v1/programs/{rel}/links` and `POST /dev/v1/resellers/{id}/links`: one more link.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::{LinkId, ProductId, RelationshipId},
    links::{NAME_CHARS_MAX, NewLink, Target},
    relationships::random_code,
};
use persistence::links::{self, NotChanged};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{list::found, refusal::refusal, target};
use crate::{
    auth::{MerchantKey, Session, scope::ResellersWrite},
    balances::owner::Asker,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    relationships::terms,
    state::App,
    wire::{answer::Answer, fields::Text, texts::line},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateLink {
    #[schema(max_length = 80)]
    name: String,
    /// 4 to 32 characters of a-z, 0-9 and -; else a random one.
    code: Option<String>,
    /// Not beside `target_url`.
    #[schema(value_type = Option<String>)]
    target_product_id: Option<Text<ProductId>>,
    /// At the merchant's shop or at one of its allowed hosts.
    target_url: Option<String>,
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(relationship): PathIds<RelationshipId>,
    once: Once<CreateLink>,
) -> Result<Response, ApiError> {
    let asker = Asker::own(&app, &caller, relationship).await?;
    once.run(app, asker, answer).await
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersWrite>,
    PathIds(relationship): PathIds<RelationshipId>,
    once: Once<CreateLink>,
) -> Result<Response, ApiError> {
    let asker = Asker::merchant(&app, &caller, relationship).await?;
    once.run(app, asker, answer).await
}

async fn answer(app: App, asker: Asker, wire: CreateLink) -> Result<Response, ApiError> {
    let random = &**app.engine.random();
    let name = line(Some(wire.name), "name", NAME_CHARS_MAX)?.unwrap_or_default();
    let code = terms::code(wire.code)?;
    let chosen = code.is_some();
    let target = match (wire.target_product_id, wire.target_url) {
        (None, None) => Target::Shop,
        (Some(product), None) => Target::Product(product.0),
        (None, Some(url)) => target::checked(&app, asker.scope.merchant, url).await?,
        (Some(_), Some(_)) => return Err(target::both()),
    };
    let new = NewLink {
        id: LinkId::generate(app.now(), random),
        name,
        code: code.unwrap_or_else(|| random_code(random)),
        target,
    };
    let of = (asker.scope.merchant, asker.scope.relationship);
    let made = links::create(&app.database, of, new, asker.actor, app.now()).await?;
    let made = made.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let link = match made {
        // Nobody chose it: another try gets another one.
        Err(NotChanged::CodeTaken) if !chosen => return Err(ApiError::new(Code::Overloaded)),
        made => made.map_err(refusal)?,
    };
    let shown = found(&app, of, link.id, asker.currency).await;
    Ok(Answer::created(shown.map_err(ApiError::after_change)?).into_response())
}
