//! Invitations as the merchant makes, lists, renews and revokes them.
//!
//! Keeps: the link is in the answer that made it and in the mail, and nowhere else: not in lists, not in
//! answers that are kept to be given again, not in logs.

pub(crate) mod invite;
mod link;
pub(crate) mod list;
pub(crate) mod resend;
pub(crate) mod revoke;

use engine::{
    clock::Timestamp,
    ids::MailId,
    invitations::{self, Refusal},
};
use link::{Link, Occasion};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    error::{ApiError, Code},
    wire::time::Time,
};

/// The wire form of an invitation.
#[derive(Serialize, ToSchema)]
pub(crate) struct Invitation {
    id: String,
    uniqid: String,
    shop_id: String,
    relationship_id: String,
    email: String,
    invite_type: &'static str,
    // Of the members of a merchant, who are not invited this way.
    role: Option<&'static str>,
    status: &'static str,
    expires_at: Time,
    accepted_at: Option<Time>,
    declined_at: Option<Time>,
    revoked_at: Option<Time>,
    // Only in the answer that made them.
    token: Option<String>,
    accept_url: Option<String>,
    created_at: Time,
    updated_at: Time,
}

/// An invitation and what became of its mail.
#[derive(Serialize, ToSchema)]
pub(crate) struct Invited {
    invitation: Invitation,
    email_delivery: EmailDelivery,
}

/// The mail was stored with the invitation, so it is queued whenever there is one.
#[derive(Serialize, ToSchema)]
struct EmailDelivery {
    status: &'static str,
    event_id: Option<String>,
    error: Option<String>,
}

impl Invitation {
    fn of(invitation: &invitations::Invitation, now: Timestamp) -> Self {
        let id = invitation.id.to_string();
        Self {
            uniqid: id.clone(),
            id,
            shop_id: invitation.merchant.to_string(),
            relationship_id: invitation.relationship.to_string(),
            email: invitation.email.clone(),
            invite_type: "RESELLER",
            role: None,
            status: invitation.status_at(now).name(),
            expires_at: Time(invitation.expires_at),
            accepted_at: invitation.accepted_at.map(Time),
            declined_at: invitation.declined_at.map(Time),
            revoked_at: invitation.revoked_at.map(Time),
            token: None,
            accept_url: None,
            created_at: Time(invitation.created_at),
            updated_at: Time(invitation.updated_at),
        }
    }
}

impl Invited {
    /// With the link if there is one to tell.
    fn of(
        invitation: &invitations::Invitation,
        link: Option<&Link>,
        mail: MailId,
        now: Timestamp,
    ) -> Self {
        Self {
            invitation: Invitation {
                token: link.map(|link| link.token.expose().to_owned()),
                accept_url: link.map(|link| link.url.expose().to_owned()),
                ..Invitation::of(invitation, now)
            },
            email_delivery: EmailDelivery {
                status: "queued",
                event_id: Some(mail.to_string()),
                error: None,
            },
        }
    }
}

/// An offer that is not open any more.
fn ended(refusal: Refusal) -> ApiError {
    let status = match refusal {
        Refusal::Expired => invitations::Status::Expired,
        Refusal::Ended(status) => status,
    };
    let said = "The invitation is not open any more.";
    ApiError::saying(Code::InvalidState, said).detail("status", status.name())
}
