//! A change that is executed once per `Idempotency-Key`, however often it is sent.
//!
//! Keeps: an answer is stored before it is given, errors that are final included; the work and its
//! bookkeeping run in one task, so a caller that hangs up leaves no key that looks as if it still ran,
//! and work that takes long none that looks as if it did not. A secret that is shown once is not in what
//! is stored.
//! Without the header a change is simply executed.

use std::time::Duration;

use axum::{
    body::Body as RawAnswer,
    extract::{FromRequest, FromRequestParts as _, Request},
    http::{HeaderValue, StatusCode},
    response::{IntoResponse as _, Response},
};
use engine::{ids::MerchantId, random::Random};
use futures_util::future::{BoxFuture, FutureExt as _};
use http_body_util::BodyExt as _;
use persistence::{
    idempotency::{self, Attempt, Begun, Name, Stored},
    owned,
};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use tokio::time::sleep;
use uuid::Uuid;

use super::{
    body::{RawBody, parse},
    idempotency_key::IdempotencyKey,
};
use crate::{
    error::{ApiError, Code},
    state::App,
    wire::answer::{IDEMPOTENT_REPLAYED, Kept, json_bytes},
};

/// Well before an attempt counts as one whose process ended, also if one renewal fails.
const RENEW_EVERY: Duration = Duration::from_secs(20);

/// A JSON body as its wire type, with what makes the request known again.
pub(crate) struct Once<T> {
    pub(crate) body: T,
    pub(crate) request: Known,
}

/// What makes a request known again.
pub(crate) struct Known {
    key: Option<String>,
    route: String,
    digest: [u8; 32],
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Once<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let IdempotencyKey(key) = IdempotencyKey::from_request_parts(&mut parts, state).await?;
        let route = format!("{} {}", parts.method, parts.uri.path());
        let RawBody(bytes) = RawBody::from_request(Request::from_parts(parts, body), state).await?;
        // Eight megabytes are not hashed for nothing.
        let digest = match key {
            Some(_) => Sha256::digest(&bytes).into(),
            None => [0; 32],
        };
        Ok(Self {
            body: parse(&bytes)?,
            request: Known { key, route, digest },
        })
    }
}

/// A caller that changes something: the answers kept for it are found by its name.
pub(crate) trait Changer {
    fn name(&self) -> (MerchantId, Uuid);
}

impl<T> Once<T> {
    /// Executes this caller's work over the body, or answers as it was answered before.
    pub(crate) async fn run<C, W>(
        self,
        app: App,
        caller: C,
        work: impl FnOnce(App, C, T) -> W,
    ) -> Result<Response, ApiError>
    where
        C: Changer,
        W: Future<Output = Result<Response, ApiError>> + Send + 'static,
    {
        let name = caller.name();
        let work = Box::pin(work(app.clone(), caller, self.body));
        self.request.execute(&app, name, work).await
    }
}

impl Known {
    /// What this request is known by where its work is found again: the same for the same key, of the
    /// same caller, on the same address. Without a key it is nobody else's.
    pub(crate) fn reference(
        &self,
        (merchant, caller): (MerchantId, Uuid),
        random: &dyn Random,
    ) -> Uuid {
        let mut bytes = [0; 16];
        match &self.key {
            None => random.fill(&mut bytes),
            Some(key) => {
                let mut digest = Sha256::new();
                for part in [merchant.uuid().as_bytes(), caller.as_bytes()] {
                    digest.update(part);
                }
                digest.update((self.route.len() as u64).to_le_bytes());
                digest.update(&self.route);
                digest.update(key);
                bytes.copy_from_slice(&digest.finalize()[..16]);
            }
        }
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    /// What the body is known by, if there is a key: with the same key it may not be another.
    pub(crate) const fn body(&self) -> [u8; 32] {
        self.digest
    }

    /// Executes the work, or answers as it was answered before.
    pub(crate) async fn execute(
        self,
        app: &App,
        (merchant, caller): (MerchantId, Uuid),
        work: BoxFuture<'static, Result<Response, ApiError>>,
    ) -> Result<Response, ApiError> {
        let Some(key) = self.key else {
            return work.await;
        };
        let name = Name {
            merchant,
            caller,
            route: self.route,
            key,
            digest: self.digest,
        };
        match idempotency::begin(&app.database, &name, app.now()).await? {
            Begun::Running => Err(ApiError::new(Code::RequestInProgress)),
            Begun::Mismatch => Err(ApiError::new(Code::IdempotencyMismatch)),
            Begun::Done(stored) => replayed(stored),
            Begun::Fresh(attempt) => {
                let app = app.clone();
                owned(async move {
                    let renew = |attempt| renewed(app.clone(), name.clone(), attempt).boxed();
                    let (answer, attempt) = while_renewing(work, attempt, renew).await;
                    settle(&app, &name, attempt, answer).await
                })
                .await
            }
        }
    }
}

/// The work's end, and the attempt as it was last renewed. A renewal is never cut short: what it did
/// must be known.
async fn while_renewing<T, A>(
    mut work: BoxFuture<'static, T>,
    mut attempt: A,
    renew: impl Fn(A) -> BoxFuture<'static, A>,
) -> (T, A) {
    loop {
        tokio::select! {
            biased;
            done = &mut work => return (done, attempt),
            () = sleep(RENEW_EVERY) => {}
        }
        attempt = renew(attempt).await;
    }
}

async fn renewed(app: App, name: Name, attempt: Attempt) -> Attempt {
    let renewed = idempotency::renew(&app.database, &name, attempt, app.now()).await;
    renewed.unwrap_or_else(|error| {
        tracing::warn!(error = %error, "could not renew an idempotency key");
        attempt
    })
}

/// Stores the answer if it is final, then gives it.
async fn settle(
    app: &App,
    name: &Name,
    attempt: Attempt,
    answer: Result<Response, ApiError>,
) -> Result<Response, ApiError> {
    let (answer, stored) = match answer {
        Err(error) => {
            let status = error.code().status().as_u16();
            let body = error.to_json(&app.origin);
            (Err(error), Stored { status, body })
        }
        Ok(response) => {
            let (mut head, body) = response.into_parts();
            let body = body
                .collect()
                .await
                .map_err(|_| ApiError::new(Code::InternalError))?;
            let body = body.to_bytes();
            let kept = head.extensions.remove::<Kept>();
            let stored = Stored {
                status: head.status.as_u16(),
                body: kept.map_or_else(|| body.to_vec(), |Kept(kept)| kept.to_vec()),
            };
            (
                Ok(Response::from_parts(head, RawAnswer::from(body))),
                stored,
            )
        }
    };
    // A mismatch that the work finds is of this body: the one that the key stands for may still come.
    let is_anothers = |code| matches!(code, Code::RequestInProgress | Code::IdempotencyMismatch);
    let anothers = matches!(&answer, Err(error) if is_anothers(error.code()));
    let passing = anothers || stored.status == 429 || stored.status >= 500;
    let kept = if passing {
        idempotency::forget(&app.database, name, attempt).await
    } else {
        idempotency::finish(&app.database, name, attempt, stored).await
    };
    if let Err(error) = kept {
        // The key looks as if it ran for a minute; then the same request is executed again, and
        // finds what it did.
        tracing::error!(error = %error, "could not keep the answer of an idempotency key");
    }
    answer
}

fn replayed(stored: Stored) -> Result<Response, ApiError> {
    let status = StatusCode::from_u16(stored.status);
    let status = status.map_err(|_| ApiError::new(Code::InternalError))?;
    let mut response = json_bytes(status, stored.body).into_response();
    response
        .headers_mut()
        .insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_that_takes_long_is_renewed_until_it_ends() {
        let work = Box::pin(async {
            sleep(RENEW_EVERY * 3 + Duration::from_secs(1)).await;
            "done"
        });
        let renew = |renewals| async move { renewals + 1 }.boxed();
        assert_eq!(while_renewing(work, 0, renew).await, ("done", 3));
    }
}
