//! `GET /dev/v1/resellers/invitations`: who was invited, newest first.

use axum::{extract::State, response::Response};
use engine::{ids::InvitationId, invitations::Status};
use persistence::invitations;

use super::Invitation;
use crate::{
    auth::{MerchantKey, scope::ResellersRead},
    error::ApiError,
    extract::Query,
    state::App,
    wire::{page::CursorPage, texts::words},
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellersRead>,
    query: Query,
) -> Result<Response, ApiError> {
    let (merchant, now) = (caller.merchant_id(), app.now());
    let page = CursorPage::read(&query, &format!("invitations {merchant}"))?;
    let before = page.position(InvitationId::parse)?;
    let statuses = words(&query, "status", Status::parse)?;
    let wanted = (statuses, now);
    let found = invitations::list(&app.database, merchant, wanted, before, page.limit).await?;
    let next = found.next(|invitation| invitation.id);
    let items = found.items.iter();
    let shown: Vec<_> = items.map(|one| Invitation::of(one, now)).collect();
    Ok(page.answer(shown, next))
}
