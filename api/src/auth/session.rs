//! A person on `/portal/v1`: signed in, and for some calls with a password or code just repeated.
//!
//! Keeps: a session is looked up for every call, so one that ended counts no more; a key and a session
//! are never accepted together; a change comes from our own pages.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, header, request::Parts},
};
use chrono::TimeDelta;
use engine::{
    audit::{Actor, ActorKind},
    clock::Timestamp,
    ids::{PersonId, SessionId},
};
use persistence::{
    persons::{Credentials, Person},
    sessions,
};

use super::{
    cookie::{self, Token},
    origin, verify,
};
use crate::{
    error::{ApiError, Code},
    layers::rate_limit,
    state::App,
};

/// How often the use of a session is stored.
const TOUCH_SECONDS: i64 = 60;

/// A person who is signed in.
pub(crate) struct Session {
    stored: sessions::Session,
    pub(crate) credentials: Credentials,
    token: Token,
    address: IpAddr,
}

impl Session {
    /// From where the call comes.
    pub(crate) fn address(&self) -> IpAddr {
        self.address
    }

    /// Who the audit log says it was.
    pub(crate) fn actor(&self) -> Actor {
        Actor {
            kind: ActorKind::Person,
            id: Some(self.person_id().to_string()),
            label: self.person().name.clone(),
            ip: Some(self.address),
        }
    }

    pub(crate) fn id(&self) -> SessionId {
        self.stored.id
    }

    pub(crate) fn person(&self) -> &Person {
        &self.credentials.person
    }

    pub(crate) fn person_id(&self) -> PersonId {
        self.credentials.person.id
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        self.token.digest()
    }

    /// The session of a request: open, of somebody who may sign in, and charged.
    pub(super) async fn admit(app: &App, parts: &Parts) -> Result<Self, ApiError> {
        let (call, tls) = (verify::call(parts)?, app.tls());
        if parts.headers.contains_key(header::AUTHORIZATION) {
            return Err(ApiError::saying(
                Code::BadRequest,
                "Send a key or a session, not both.",
            ));
        }
        if !cookie::is_sent(&parts.headers, tls) {
            return Err(signed_out());
        }
        let now = app.now();
        let token = cookie::read(&parts.headers, tls);
        if app.failures.exhausted(call.address, now) {
            // A good session is not refused because others behind its address failed.
            let known = match &token {
                Some(token) => Box::pin(app.knows_session(token.digest())).await?,
                None => false,
            };
            if !known {
                return Err(rate_limit::too_many_failures(now));
            }
        }
        let found = match token {
            Some(token) => Self::find(app, token, call.address, now).await?,
            None => None,
        };
        let Some(session) = found else {
            app.failures.record(call.address, now);
            return Err(signed_out());
        };
        let bucket = app.sessions.bucket(session.id(), now);
        match bucket.charge(1) {
            Ok(standing) => call.charged(standing),
            Err((standing, error)) => {
                call.charged(standing);
                return Err(error);
            }
        }
        origin::check(&parts.method, &parts.headers, &app.origin)?;
        Ok(session)
    }

    async fn find(
        app: &App,
        token: Token,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Option<Self>, ApiError> {
        let Some((session, credentials)) = sessions::find(&app.database, token.digest()).await?
        else {
            return Ok(None);
        };
        if !session.times.is_open(now) || credentials.person.disabled {
            return Ok(None);
        }
        if session.times.last_used_at + TimeDelta::seconds(TOUCH_SECONDS) <= now {
            sessions::touch(&app.database, session.id, now).await?;
        }
        Ok(Some(Self {
            stored: session,
            credentials,
            token,
            address,
        }))
    }

    /// Refuses unless password or code were repeated lately.
    pub(crate) fn stepped_up(&self, now: Timestamp) -> Result<(), ApiError> {
        match self.stored.times.stepped_up_until(now) {
            Some(_) => Ok(()),
            None => Err(ApiError::new(Code::StepUpRequired)),
        }
    }
}

/// The one answer to whoever has no open session.
fn signed_out() -> ApiError {
    ApiError::saying(
        Code::Unauthorized,
        "Nobody is signed in, or the session has ended.",
    )
}

impl FromRequestParts<App> for Session {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        Self::admit(app, parts).await
    }
}

/// A session in which password or code were repeated lately.
pub(crate) struct SteppedUp(pub(crate) Session);

impl FromRequestParts<App> for SteppedUp {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let session = Session::admit(app, parts).await?;
        session.stepped_up(app.now())?;
        Ok(Self(session))
    }
}

/// A call that needs nobody to be signed in, but must come from our own pages.
pub(crate) struct FromOurPages {
    /// From where, for limits and for the list of sessions.
    pub(crate) address: IpAddr,
    pub(crate) agent: String,
}

impl FromRequestParts<App> for FromOurPages {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let call = Arc::clone(verify::call(parts)?);
        let now = app.now();
        if app.failures.exhausted(call.address, now) {
            return Err(rate_limit::too_many_failures(now));
        }
        origin::check(&parts.method, &parts.headers, &app.origin)?;
        Ok(Self {
            address: call.address,
            agent: agent(parts.headers.get(header::USER_AGENT)),
        })
    }
}

/// Somebody who may be signed in, and need not.
pub(crate) enum Visitor {
    Person(Box<Session>, FromOurPages),
    Nobody(FromOurPages),
}

impl Visitor {
    pub(crate) fn pages(&self) -> &FromOurPages {
        match self {
            Self::Person(_, pages) | Self::Nobody(pages) => pages,
        }
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let pages = FromOurPages::from_request_parts(parts, app).await?;
        if !cookie::is_sent(&parts.headers, app.tls()) {
            return Ok(Self::Nobody(pages));
        }
        match Session::admit(app, parts).await {
            Ok(session) => Ok(Self::Person(Box::new(session), pages)),
            // The browser still has a cookie of a session that ended: that is nobody.
            Err(error) if error.code() == Code::Unauthorized => Ok(Self::Nobody(pages)),
            Err(error) => Err(error),
        }
    }
}

const AGENT_CHARS_MAX: usize = 200;

/// What a browser says it is, for its owner to recognize.
fn agent(sent: Option<&HeaderValue>) -> String {
    let text = sent
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    text.chars().take(AGENT_CHARS_MAX).collect()
}
