//! JSON bodies: bounded, read once, every field known and named if it is wrong.
//!
//! What the head of a request says about its body is checked before the caller is looked up
//! ([`check_head`]); the body itself is read only for a caller who may do what it asks.

mod head;
mod parse;
mod read;
#[cfg(test)]
mod tests;

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
pub(crate) use head::{Takes, check_head};
pub(crate) use parse::parse;
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// A JSON body as its wire type.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let bytes = read::read(request).await?;
        parse(&bytes).map(Self)
    }
}

/// The bytes of a body, for a handler that parses it in its own way.
pub(crate) struct RawBody(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        read::read(request).await.map(Self)
    }
}
