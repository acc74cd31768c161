//! `POST /dev/v1/resellers/{id}/api-keys/{key}/revoke`: take a key out of force, for good.
//!
//! Keeps the order: stored, forgotten by the cache, acknowledged by the balance's actor, answered.
//! Once the answer is out, nothing is executed under the key.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::ids::{KeyId, RelationshipId};
use persistence::{
    api_keys::{self, KeyScope, Revoked},
    owned,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Owner;
use crate::{
    auth::{MerchantKey, scope::ResellersWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::answer::Answer,
};

const REASON_CHARS_MAX: usize = 500;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeKey {
    reason: Option<String>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersWrite>,
    PathIds((relationship, id)): PathIds<(RelationshipId, KeyId)>,
    once: Once<RevokeKey>,
) -> Result<Response, ApiError> {
    let name = caller.name();
    let work = Box::pin(answer(app.clone(), caller, (relationship, id), once.body));
    once.request.execute(&app, name, work).await
}

async fn answer(
    app: App,
    caller: MerchantKey<ResellersWrite>,
    (relationship, id): (RelationshipId, KeyId),
    wire: RevokeKey,
) -> Result<Response, ApiError> {
    if wire
        .reason
        .as_ref()
        .is_some_and(|reason| reason.chars().count() > REASON_CHARS_MAX)
    {
        return Err(ApiError::field(
            "reason",
            "must have at most 500 characters",
        ));
    }
    let scope = KeyScope {
        merchant: caller.merchant_id(),
        relationship: Some(relationship),
    };
    // One task for all of it: a key that is stored as revoked is always out of force.
    let revoking = owned(revoke(app.clone(), scope, id, wire.reason));
    let revoked = revoking
        .await?
        .ok_or_else(|| ApiError::new(Code::NotFound))?;
    let owner = Owner::find(&app, caller.merchant(), relationship).await;
    let owner = owner.map_err(ApiError::after_change)?;
    let key = owner.show(&revoked.stored, app.now());
    Ok(if revoked.already {
        Answer::replayed(key).into_response()
    } else {
        Answer::ok(key).into_response()
    })
}

async fn revoke(
    app: App,
    scope: KeyScope,
    id: KeyId,
    reason: Option<String>,
) -> Result<Option<Revoked>, ApiError> {
    let revoked = api_keys::revoke(&app.database, scope, id, reason, app.now()).await?;
    app.forget_key(id);
    if let (Some(revoked), Some(relationship)) = (&revoked, scope.relationship) {
        let told = app
            .engine
            .terms_changed(relationship, &revoked.balances)
            .await;
        told.map_err(|fault| {
            tracing::warn!(key.id = %id, "a revoked key is not out of force yet: {fault}");
            ApiError::saying(
                Code::OutcomeUnknown,
                "The key is revoked, but may not be out of force yet. Repeat the same request.",
            )
        })?;
    }
    Ok(revoked)
}
