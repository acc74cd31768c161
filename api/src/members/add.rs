//! `POST /dev/v1/members`: let somebody act for the merchant. A new person gets a link by mail that sets a
//! first password.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::fulfillments::Email;
use persistence::members;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    letter::{Occasion, new_member},
    list, role,
};
use crate::{
    auth::member::{Member, Owner},
    error::{ApiError, Code},
    extract::Once,
    layers::rate_limit,
    state::App,
    wire::{answer::Answer, fields::Text, texts::line},
};

const NAME_CHARS_MAX: usize = 200;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddMember {
    #[schema(value_type = String)]
    email: Text<Email>,
    role: String,
    name: Option<String>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    Owner(caller): Owner,
    once: Once<AddMember>,
) -> Result<Response, ApiError> {
    once.run(app, caller, answer).await
}

async fn answer(app: App, caller: Member, wire: AddMember) -> Result<Response, ApiError> {
    let (Text(email), now) = (wire.email, app.now());
    let role = role(wire.role)?;
    let name = line(wire.name, "name", NAME_CHARS_MAX)?;
    if !app.invitations.take(email.as_str(), now) {
        return Err(rate_limit::too_many_sign_ins(now));
    }
    let name = name.unwrap_or_else(|| email.as_str().to_owned());
    let occasion = Occasion {
        merchant: &caller.merchant.name,
        origin: &app.origin,
    };
    let (new, _link) = new_member(&occasion, (email, name, role), now, &**app.engine.random());
    let (vault, by) = (app.engine.vault(), (caller.merchant.id, caller.actor()));
    if !members::add(&app.database, vault, by, new, now).await? {
        let said = "Somebody with this address acts for the merchant already.";
        return Err(ApiError::saying(Code::AlreadyExists, said).detail("email", "is taken"));
    }
    app.mail_queued.notify_one();
    let team = list::all(&app, &caller).await;
    Ok(Answer::created(team.map_err(ApiError::after_change)?).into_response())
}
