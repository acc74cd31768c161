//! `POST /dev/v1/resellers/invitations/{ivt}/resend`: the same offer under a new link. The old one is dead.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::ids::InvitationId;
use persistence::invitations::{self, Renewal};

use super::{Invited, Link, Occasion, ended};
use crate::{
    auth::{MerchantKey, scope::ResellersWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    layers::rate_limit,
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
    let (merchant, now, link) = (caller.merchant_id(), app.now(), Link::new(&app));
    let found = invitations::find_own(&app.database, merchant, id).await?;
    let (invitation, message) = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
    if !app.invitations.take(&invitation.email, now) {
        return Err(rate_limit::too_many_sign_ins(now));
    }
    let occasion = Occasion {
        merchant: &caller.merchant().name,
        email: &invitation.email,
        message: message.as_deref(),
        days: invitation.valid_days,
    };
    let renewal = Renewal {
        token: link.digest(),
        post: link.post(&app, &occasion),
    };
    let (vault, mail) = (app.engine.vault(), renewal.post.id);
    let what = (merchant, id, caller.actor());
    let renewed = invitations::resend(&app.database, vault, what, renewal, now).await?;
    let renewed = renewed.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let invitation = renewed.map_err(ended)?;
    app.mail_queued.notify_one();
    let told = Invited::of(&invitation, Some(&link), mail, now);
    let kept = Invited::of(&invitation, None, mail, now);
    Ok(Answer::ok(told).kept_as(kept).into_response())
}
