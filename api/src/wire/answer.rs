//! `{"data": …}`: every success of the JSON surfaces.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Serialize;

/// Says that an answer is one that was given before.
pub(crate) const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// How large most answers are; longer ones grow.
const CAPACITY: usize = 1024;
/// How many headers an answer has in the end.
const HEADERS: usize = 12;

#[derive(Serialize)]
struct Envelope<T> {
    data: T,
}

/// What is kept of an answer that must not be given again as it is: a secret in it is shown once.
#[derive(Clone)]
pub(crate) struct Kept(pub(crate) Bytes);

/// One object as an answer.
pub(crate) struct Answer<T> {
    status: StatusCode,
    replayed: bool,
    data: T,
    kept: Option<Kept>,
}

impl<T: Serialize> Answer<T> {
    pub(crate) fn ok(data: T) -> Self {
        Self {
            status: StatusCode::OK,
            replayed: false,
            data,
            kept: None,
        }
    }

    pub(crate) fn created(data: T) -> Self {
        Self {
            status: StatusCode::CREATED,
            replayed: false,
            data,
            kept: None,
        }
    }

    /// The answer that was given before, once more.
    pub(crate) fn replayed(data: T) -> Self {
        Self {
            status: StatusCode::OK,
            replayed: true,
            data,
            kept: None,
        }
    }

    /// A thing after a step; `already` if it was so before, and the step changed nothing.
    pub(crate) fn stepped(already: bool, data: T) -> Self {
        Self {
            replayed: already,
            ..Self::ok(data)
        }
    }

    /// The answer as it is kept, without what is shown once.
    pub(crate) fn kept_as(self, without: T) -> Self {
        let kept = serde_json::to_vec(&Envelope { data: without });
        let kept = kept.expect("answers have string keys and write to memory");
        Self {
            kept: Some(Kept(kept.into())),
            ..self
        }
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut response = json(self.status, &Envelope { data: self.data });
        if let Some(kept) = self.kept {
            response.extensions_mut().insert(kept);
        }
        if self.replayed {
            response
                .headers_mut()
                .insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// A success without anything to say.
pub(crate) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// A JSON body under this status, without an envelope.
pub(crate) fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    let mut bytes = Vec::with_capacity(CAPACITY);
    serde_json::to_writer(&mut bytes, body).expect("answers have string keys and write to memory");
    json_bytes(status, bytes)
}

/// A JSON body that is written already.
pub(crate) fn json_bytes(status: StatusCode, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    // Room for what the outermost layer adds, so that the map need not grow.
    *response.headers_mut() = HeaderMap::with_capacity(HEADERS);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
