//! `POST /dev/v1/resellers/{id}/listings/{lst}/archive`: the merchant ends a listing, and says why.

use axum::{extract::State, response::Response};
use engine::{
    ids::{ListingId, RelationshipId},
    sales::NOTE_CHARS_MAX,
};
use persistence::listings::Deed;
use serde::Deserialize;
use utoipa::ToSchema;

use super::change::answer;
use crate::{
    auth::{MerchantKey, scope::ResellersWrite},
    balances::owner::Asker,
    error::ApiError,
    extract::{Once, PathIds},
    state::App,
    wire::texts::line,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ArchiveListing {
    /// Which the reseller reads.
    #[schema(max_length = 500)]
    reason: String,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersWrite>,
    PathIds((relationship, id)): PathIds<(RelationshipId, ListingId)>,
    once: Once<ArchiveListing>,
) -> Result<Response, ApiError> {
    let asker = Asker::merchant(&app, &caller, relationship).await?;
    let work = move |app, asker, wire| archived(app, asker, id, wire);
    once.run(app, asker, work).await
}

async fn archived(
    app: App,
    asker: Asker,
    id: ListingId,
    wire: ArchiveListing,
) -> Result<Response, ApiError> {
    let reason = line(Some(wire.reason), "reason", NOTE_CHARS_MAX)?;
    answer(&app, asker, id, Deed::Archive(reason.unwrap_or_default())).await
}
