//! A member of a merchant, by session: on `/dev/v1`, where the merchant's keys call too.
//!
//! Keeps: role and membership are read for every call, so whoever leaves a team loses them at once; who
//! acts for several merchants says for which.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, header, request::Parts},
};
use engine::{audit::Actor, ids::MerchantId, merchants::Merchant, persons::Role};
use persistence::persons::{self, Membership};

use super::{Session, cookie};
use crate::{
    error::{ApiError, Code},
    extract::Changer,
    state::App,
};

/// Which merchant a person acts for.
const CONSIGN_MERCHANT: HeaderName = HeaderName::from_static("consign-merchant");

/// Somebody who is signed in and acts for a merchant.
pub(crate) struct Member {
    pub(super) session: Session,
    pub(super) role: Role,
    pub(crate) merchant: Arc<Merchant>,
}

impl Member {
    /// The member behind a request, whatever the role.
    pub(super) async fn admit(app: &App, parts: &Parts) -> Result<Self, ApiError> {
        let session = Session::admit(app, parts).await?;
        let membership = membership(app, &session, &parts.headers).await?;
        let merchant = app.engine.merchant(membership.merchant).await?;
        Ok(Self {
            role: membership.role,
            merchant: merchant.ok_or_else(|| ApiError::new(Code::InternalError))?,
            session,
        })
    }

    /// Who calls: what the answers kept for this caller are found by.
    pub(crate) fn name(&self) -> (MerchantId, uuid::Uuid) {
        (self.merchant.id, self.session.person_id().uuid())
    }

    /// Who the audit log says it was.
    pub(crate) fn actor(&self) -> Actor {
        self.session.actor()
    }
}

impl Changer for Member {
    fn name(&self) -> (MerchantId, uuid::Uuid) {
        Self::name(self)
    }
}

async fn membership(
    app: &App,
    session: &Session,
    headers: &HeaderMap,
) -> Result<Membership, ApiError> {
    let (db, person) = (&app.database, session.person_id());
    let nobody = || ApiError::saying(Code::Forbidden, "You do not act for this merchant.");
    let mut sent = headers.get_all(CONSIGN_MERCHANT).iter();
    match (sent.next(), sent.next()) {
        (Some(_), Some(_)) => Err(ApiError::saying(
            Code::BadRequest,
            "Send `Consign-Merchant` once.",
        )),
        (Some(named), None) => {
            let named = named.to_str().ok().and_then(MerchantId::parse);
            let named = named.ok_or_else(nobody)?;
            let found = persons::membership(db, person, named).await?;
            found.ok_or_else(nobody)
        }
        (None, _) => {
            let mut all = persons::memberships(db, person).await?.into_iter();
            match (all.next(), all.next()) {
                (Some(only), None) => Ok(only),
                (Some(_), Some(_)) => Err(ApiError::saying(
                    Code::BadRequest,
                    "You act for several merchants: name one in `Consign-Merchant`.",
                )),
                (None, _) => Err(nobody()),
            }
        }
    }
}

/// An owner of a merchant who is signed in. No key comes here.
pub(crate) struct Owner(pub(crate) Member);

impl FromRequestParts<App> for Owner {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let keyed = parts.headers.contains_key(header::AUTHORIZATION);
        if keyed && !cookie::is_sent(&parts.headers, app.tls()) {
            let said = "This is for owners who are signed in, not for keys.";
            return Err(ApiError::saying(Code::Forbidden, said));
        }
        let member = Member::admit(app, parts).await?;
        match member.role {
            Role::Owner => Ok(Self(member)),
            Role::Manager | Role::Viewer => Err(role_forbids(member.role)),
        }
    }
}

/// An owner whose password or code were repeated lately.
pub(crate) struct OwnerSteppedUp(pub(crate) Member);

impl FromRequestParts<App> for OwnerSteppedUp {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Owner(member) = Owner::from_request_parts(parts, app).await?;
        member.session.stepped_up(app.now())?;
        Ok(Self(member))
    }
}

pub(super) fn role_forbids(role: Role) -> ApiError {
    let error = ApiError::saying(Code::Forbidden, "Your role does not allow this.");
    error.detail("role", role.name())
}
