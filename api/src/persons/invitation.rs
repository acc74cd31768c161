//! `GET /portal/v1/invitations/{token}`, `/accept` and `/decline`: what an invited person reads and
//! answers, by the link that was mailed.
//!
//! Keeps: only the invited address joins; whoever has no log-in yet gets one by accepting, for that
//! address alone; a link that opens nothing is 404, one whose offer is over 410.

use axum::{
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use engine::{
    audit::{Actor, ActorKind},
    fulfillments::Email,
    ids::PersonId,
    invitations::{Refusal, Status},
    vault::Opened,
};
use persistence::{
    invitations::{self, Offer},
    owned,
    persons::{self, Joining, NewPerson, NotJoined},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::{check_name, check_new_password, programs::ResellerProgram};
use crate::{
    auth::{FromOurPages, Visitor},
    error::{ApiError, Code},
    extract::Body,
    sessions::{new_session, with_session},
    state::App,
    wire::{
        answer::Answer,
        fields::Hidden,
        money::{CurrencyCode, MoneyText},
        percent::Hundredths,
        texts::REASON_CHARS_MAX,
        time::Time,
    },
};

const TOKEN_LEN_MAX: usize = 128;

/// What is offered.
#[derive(Serialize, ToSchema)]
pub(crate) struct OfferedProgram {
    merchant_name: String,
    message: Option<String>,
    mode: &'static str,
    currency: CurrencyCode,
    commission_percent: Option<Hundredths>,
    wholesale_discount_percent: Option<Hundredths>,
    purchase_limit_daily: Option<MoneyText>,
    purchase_limit_monthly: Option<MoneyText>,
    terms_url: Option<String>,
    email: String,
    account_exists: bool,
    expires_at: Time,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptInvitation {
    accept_terms: bool,
    name: Option<String>,
    password: Option<Hidden>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclineInvitation {
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DeclinedInvitation {
    status: &'static str,
}

pub(crate) async fn get(
    State(app): State<App>,
    caller: FromOurPages,
    Path(token): Path<String>,
) -> Result<Answer<OfferedProgram>, ApiError> {
    let offer = find(&app, &caller, &token).await?;
    if !offer.invitation.is_open(app.now()) {
        return Err(over());
    }
    let email = invited(&offer)?;
    let known = persons::credentials(&app.database, &email).await?;
    let money = |amount| MoneyText(offer.currency, amount);
    Ok(Answer::ok(OfferedProgram {
        mode: offer.mode.name(),
        currency: CurrencyCode(offer.currency),
        commission_percent: offer.commission.map(Hundredths::from),
        wholesale_discount_percent: offer.discount.map(Hundredths::from),
        purchase_limit_daily: offer.purchase_limit_daily.map(money),
        purchase_limit_monthly: offer.purchase_limit_monthly.map(money),
        merchant_name: offer.merchant_name,
        message: offer.message,
        terms_url: offer.terms_url,
        email: masked(email.as_str()),
        account_exists: known.is_some(),
        expires_at: Time(offer.invitation.expires_at),
    }))
}

pub(crate) async fn accept(
    State(app): State<App>,
    caller: Visitor,
    Path(token): Path<String>,
    Body(wire): Body<AcceptInvitation>,
) -> Result<Response, ApiError> {
    if !wire.accept_terms {
        return Err(ApiError::field("accept_terms", "must be true"));
    }
    let offer = find(&app, caller.pages(), &token).await?;
    let (email, now) = (invited(&offer)?, app.now());
    let merchant = offer.invitation.merchant;
    let (who, session) = match &caller {
        Visitor::Person(session, _) => {
            let person = session.person();
            let joining = Joining::Known {
                id: person.id,
                email: person.email.clone(),
                name: person.name.clone(),
            };
            (joining, None)
        }
        Visitor::Nobody(pages) => {
            let person = new_person(&app, email, &offer, &wire).await?;
            let (session, token) = new_session(pages, now, &**app.engine.random());
            (Joining::New(person, session), Some(token))
        }
    };
    let (id, name) = match &who {
        Joining::Known { id, name, .. } => (*id, name.clone()),
        Joining::New(person, _) => (person.id, person.name.clone()),
    };
    if persons::membership(&app.database, id, merchant)
        .await?
        .is_some()
    {
        return Err(ApiError::saying(
            Code::InvalidState,
            "You act for this merchant, and cannot be its reseller.",
        ));
    }
    let actor = Actor {
        kind: ActorKind::Person,
        id: Some(id.to_string()),
        label: name,
        ip: Some(caller.pages().address),
    };
    // One task for all of it: who joined is always in force.
    let relationship = owned(join(app.clone(), digest(&token), who, actor)).await?;
    let own = persons::program(&app.database, id, relationship).await?;
    let own = own.ok_or_else(|| ApiError::new(Code::InternalError))?;
    let answer = Answer::ok(ResellerProgram::of(own, &app.origin));
    Ok(match session {
        Some(token) => with_session(answer, &token, &app),
        None => answer.into_response(),
    })
}

async fn join(
    app: App,
    token: [u8; 32],
    who: Joining,
    actor: Actor,
) -> Result<engine::ids::RelationshipId, ApiError> {
    let joined = persons::join(&app.database, token, who, actor, app.now()).await?;
    let joined = joined.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let accepted = joined.map_err(|refusal| match refusal {
        NotJoined::Offer(Refusal::Expired) => over(),
        NotJoined::Offer(Refusal::Ended(status)) => ended(status),
        NotJoined::Foreign => ApiError::saying(
            Code::Forbidden,
            "Somebody else was invited: sign in under the invited address.",
        ),
        NotJoined::SignInFirst => ApiError::saying(
            Code::Forbidden,
            "The invited address has a log-in: sign in first.",
        ),
    })?;
    let id = accepted.relationship.id;
    let told = app.engine.terms_changed(id, &accepted.balances).await;
    told.map_err(|fault| {
        tracing::warn!(relationship.id = %id, "a new relationship is not in force yet: {fault}");
        ApiError::saying(
            Code::OutcomeUnknown,
            "You have joined, but it may not be in force yet. Sign in.",
        )
    })?;
    Ok(id)
}

async fn new_person(
    app: &App,
    email: Email,
    offer: &Offer,
    wire: &AcceptInvitation,
) -> Result<NewPerson, ApiError> {
    let needed = |field| ApiError::field(field, "is needed: nobody is signed in");
    let name = wire.name.as_deref().ok_or_else(|| needed("name"))?;
    let name = check_name(name)?;
    let password = wire.password.as_ref().ok_or_else(|| needed("password"))?;
    check_new_password("password", password.expose(), email.as_str())?;
    // Before the hash: nobody with a dead link makes us work.
    if !offer.invitation.is_open(app.now()) {
        return Err(match offer.invitation.status {
            Status::Pending | Status::Expired => over(),
            status => ended(status),
        });
    }
    let random = &**app.engine.random();
    let hash = app.passwords.hash(Opened::new(password.expose()), random);
    Ok(NewPerson {
        id: PersonId::generate(app.now(), random),
        password_hash: hash.await?,
        email,
        name,
    })
}

pub(crate) async fn decline(
    State(app): State<App>,
    caller: FromOurPages,
    Path(token): Path<String>,
    Body(wire): Body<DeclineInvitation>,
) -> Result<Response, ApiError> {
    let long = |text: &String| text.chars().count() > REASON_CHARS_MAX;
    if wire.reason.as_ref().is_some_and(long) {
        return Err(ApiError::field(
            "reason",
            "must have at most 500 characters",
        ));
    }
    find(&app, &caller, &token).await?;
    let actor = Actor {
        kind: ActorKind::Person,
        id: None,
        label: "the invited person".to_owned(),
        ip: Some(caller.address),
    };
    let (db, token) = (&app.database, digest(&token));
    let declined = invitations::decline(db, token, wire.reason, actor, app.now()).await?;
    let declined = declined.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let declined = declined.map_err(|refusal| match refusal {
        Refusal::Expired => over(),
        Refusal::Ended(status) => ended(status),
    })?;
    let answer = DeclinedInvitation {
        status: declined.invitation.status.name(),
    };
    Ok(Answer::stepped(declined.already, answer).into_response())
}

/// The offer of a link; guesses count as failed authentications.
async fn find(app: &App, caller: &FromOurPages, token: &str) -> Result<Offer, ApiError> {
    let offer = if token.len() <= TOKEN_LEN_MAX {
        invitations::find(&app.database, digest(token)).await?
    } else {
        None
    };
    offer.ok_or_else(|| {
        app.failures.record(caller.address, app.now());
        ApiError::new(Code::NotFound)
    })
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

fn invited(offer: &Offer) -> Result<Email, ApiError> {
    let email = Email::parse(&offer.invitation.email);
    email.ok_or_else(|| ApiError::new(Code::InternalError))
}

fn over() -> ApiError {
    ApiError::saying(Code::Expired, "The invitation is over: ask for a new one.")
}

fn ended(status: Status) -> ApiError {
    ApiError::saying(
        Code::InvalidState,
        "The invitation was answered or taken back.",
    )
    .detail("status", status.name())
}

/// Enough of an address for its owner to recognize it.
fn masked(email: &str) -> String {
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    let first: String = local.chars().take(1).collect();
    format!("{first}***@{domain}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_masked_but_for_its_first_letter_and_its_domain() {
        assert_eq!(masked("ann@example.com"), "a***@example.com");
        assert_eq!(masked("é@example.com"), "é***@example.com");
    }
}
