//! The header `Idempotency-Key`: stored with an order for search; on `/orders` it is the order id.

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, request::Parts},
};

use crate::error::{ApiError, Code};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const BYTES_MAX: usize = 255;

/// The header's value, if it was sent: 1 to 255 printable ASCII characters.
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let Some(value) = values.next() else {
            return Ok(Self(None));
        };
        let printable = |text: &&str| {
            (1..=BYTES_MAX).contains(&text.len())
                && text.bytes().all(|b| (b' '..=b'~').contains(&b))
        };
        let text = value.to_str().ok().filter(printable);
        let text = text.filter(|_| values.next().is_none()).ok_or_else(|| {
            ApiError::saying(
                Code::BadRequest,
                "The Idempotency-Key must be 1 to 255 printable ASCII characters, sent once.",
            )
        })?;
        Ok(Self(Some(text.to_owned())))
    }
}
