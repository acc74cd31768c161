//! `POST …/api-keys/{key}/revoke`: take a key out of force, for good.
//!
//! Keeps the order: stored, forgotten by the cache, acknowledged by the balance's actor, answered.
//! Once the answer is out, nothing is executed under the key.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::ids::{KeyId, RelationshipId};
use persistence::{
    api_keys::{self, Revoked},
    owned,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Keyring;
use crate::{
    auth::{MerchantKey, Session, member::Owner, scope::ResellersWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{
        answer::Answer,
        texts::{REASON_CHARS_MAX, lines},
    },
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeKey {
    reason: Option<String>,
}

/// The merchant ends a reseller's key.
pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersWrite>,
    PathIds((relationship, id)): PathIds<(RelationshipId, KeyId)>,
    once: Once<RevokeKey>,
) -> Result<Response, ApiError> {
    let keyring = Keyring::of_merchants_reseller(&caller, relationship);
    execute(app, keyring, id, once).await
}

/// The reseller ends a key of its own.
pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, KeyId)>,
    once: Once<RevokeKey>,
) -> Result<Response, ApiError> {
    let keyring = Keyring::of_reseller(&app, &caller, relationship).await?;
    execute(app, keyring, id, once).await
}

/// An owner ends a key of the merchant.
pub(crate) async fn dev_own(
    State(app): State<App>,
    Owner(member): Owner,
    PathIds(id): PathIds<KeyId>,
    once: Once<RevokeKey>,
) -> Result<Response, ApiError> {
    execute(app, Keyring::of_merchant(&member), id, once).await
}

async fn execute(
    app: App,
    keyring: Keyring,
    id: KeyId,
    once: Once<RevokeKey>,
) -> Result<Response, ApiError> {
    let work = move |app, keyring, wire| answer(app, keyring, id, wire);
    once.run(app, keyring, work).await
}

async fn answer(
    app: App,
    keyring: Keyring,
    id: KeyId,
    wire: RevokeKey,
) -> Result<Response, ApiError> {
    let reason = lines(wire.reason, "reason", REASON_CHARS_MAX)?;
    // One task for all of it: a key that is stored as revoked is always out of force.
    let revoking = owned(revoke(app.clone(), keyring.clone(), id, reason));
    let revoked = revoking.await?;
    let owner = keyring.owner(&app).await;
    let owner = owner.map_err(ApiError::after_change)?;
    let key = owner.show(&revoked.stored, app.now());
    Ok(Answer::stepped(revoked.already, key).into_response())
}

async fn revoke(
    app: App,
    keyring: Keyring,
    id: KeyId,
    reason: Option<String>,
) -> Result<Revoked, ApiError> {
    let revoked = api_keys::revoke(&app.database, keyring.who(), id, reason, app.now()).await?;
    let revoked = revoked.ok_or_else(|| ApiError::new(Code::NotFound))?;
    keyring.take_over(&app, id, &revoked.balances).await?;
    Ok(revoked)
}
