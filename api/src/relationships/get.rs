//! `GET /dev/v1/resellers/{id}`: one reseller with terms and product access.

use axum::extract::State;
use engine::ids::RelationshipId;

use super::{Reseller, Showcase};
use crate::{
    auth::{MerchantKey, scope::ResellersRead},
    error::ApiError,
    extract::PathIds,
    state::App,
    wire::answer::Answer,
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersRead>,
    PathIds(id): PathIds<RelationshipId>,
) -> Result<Answer<Reseller>, ApiError> {
    Ok(Answer::ok(Showcase::find(&app, &caller, id).await?))
}
