//! `POST /dev/v1/resellers/invitations/{ivt}/revoke`: take an offer back. Its link opens nothing any more.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::ids::InvitationId;
use persistence::invitations;

use super::{Invitation, ended};
use crate::{
    auth::{MerchantKey, scope::ResellersWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, fields::Nothing},
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersWrite>,
    PathIds(id): PathIds<InvitationId>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, Nothing {}| answer(app, caller, id);
    once.run(app, caller, work).await
}

async fn answer(
    app: App,
    caller: MerchantKey<ResellersWrite>,
    id: InvitationId,
) -> Result<Response, ApiError> {
    let (of, now) = ((caller.merchant_id(), id), app.now());
    let revoked = invitations::revoke(&app.database, of, caller.actor(), now).await?;
    let revoked = revoked.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let revoked = revoked.map_err(ended)?;
    let shown = Invitation::of(&revoked.invitation, now);
    Ok(Answer::stepped(revoked.already, shown).into_response())
}
