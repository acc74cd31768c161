//! `POST …/connections/{con}/revoke`: take a connection out of force, for good.
//!
//! Keeps the order: stored, acknowledged by the balance's actor, answered. Once the answer is out, nothing
//! is delivered for it.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::ids::{ConnectionId, RelationshipId};
use persistence::{
    connections::{self, Revoked},
    owned,
};

use super::{Owner, owner::not_found};
use crate::{
    auth::{MerchantKey, Session, scope::ResellersWrite},
    error::ApiError,
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, fields::Nothing},
};

/// The merchant ends a connection of a reseller.
pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersWrite>,
    PathIds((relationship, id)): PathIds<(RelationshipId, ConnectionId)>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let owner = Owner::merchant(&caller, relationship);
    let work = move |app, owner, _nothing| answer(app, owner, id);
    once.run(app, owner, work).await
}

/// The reseller ends a connection of its own.
pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, ConnectionId)>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let owner = Owner::reseller(&app, &caller, relationship).await?;
    let work = move |app, owner, _nothing| answer(app, owner, id);
    once.run(app, owner, work).await
}

async fn answer(app: App, owner: Owner, id: ConnectionId) -> Result<Response, ApiError> {
    // One task for all of it: what is stored as revoked is always out of force.
    let revoking = owned(revoke(app.clone(), owner.clone(), id));
    let revoked = revoking.await?;
    let shown = owner.show_one(&app, revoked.connection).await;
    let shown = shown.map_err(ApiError::after_change)?;
    Ok(if revoked.already {
        Answer::replayed(shown).into_response()
    } else {
        Answer::ok(shown).into_response()
    })
}

async fn revoke(app: App, owner: Owner, id: ConnectionId) -> Result<Revoked, ApiError> {
    let revoked = connections::revoke(&app.database, owner.who(), id, app.now()).await?;
    let revoked = revoked.ok_or_else(not_found)?;
    owner.take_over(&app, &revoked.balances).await?;
    Ok(revoked)
}
