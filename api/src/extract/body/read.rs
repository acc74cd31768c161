//! The bytes of a body, within their bound and in time.

use std::{sync::Arc, time::Duration};

use axum::{body::Body as Stream, extract::Request, http::header};
use bytes::{Bytes, BytesMut};
use engine::clock;
use http_body_util::BodyExt;
use tokio::time::timeout_at;

use crate::{
    error::{ApiError, Code},
    layers::call::{self, Call},
};

/// How long a caller may take to send a body, whatever its size.
const READ_DEADLINE: Duration = Duration::from_secs(15);
/// How long a caller may take before the first byte, and what it has to send in each second then.
const READ_GRACE: Duration = Duration::from_secs(3);
const READ_BYTES_PER_SECOND: u32 = 16 * 1024;

pub(super) async fn read(request: Request) -> Result<Bytes, ApiError> {
    let call = request.extensions().get::<Arc<Call>>();
    let bytes_max = call.map_or(call::BODY_BYTES_MAX, |call| call.body_bytes_max());
    let typed = request.headers().contains_key(header::CONTENT_TYPE);
    let bytes = collect(request.into_body(), bytes_max).await?;
    if !bytes.is_empty() && !typed {
        return Err(ApiError::new(Code::UnsupportedMediaType));
    }
    Ok(bytes)
}

pub(super) async fn collect(mut body: Stream, bytes_max: usize) -> Result<Bytes, ApiError> {
    let mut first = Bytes::new();
    let mut rest: Option<BytesMut> = None;
    let began = clock::instant();
    let late = |_| ApiError::saying(Code::BadRequest, "The body did not arrive in time.");
    loop {
        let length = rest.as_ref().map_or(first.len(), BytesMut::len);
        let until = began + time_for(length);
        let Some(frame) = timeout_at(until, body.frame()).await.map_err(late)? else {
            break;
        };
        let frame = frame
            .map_err(|_| ApiError::saying(Code::BadRequest, "The body did not arrive whole."))?;
        let Ok(chunk) = frame.into_data() else {
            continue;
        };
        if length + chunk.len() > bytes_max {
            return Err(ApiError::new(Code::PayloadTooLarge));
        }
        match &mut rest {
            Some(rest) => rest.extend_from_slice(&chunk),
            None if first.is_empty() => first = chunk,
            None => {
                let mut all = BytesMut::with_capacity(length + chunk.len());
                all.extend_from_slice(&first);
                all.extend_from_slice(&chunk);
                rest = Some(all);
            }
        }
    }
    Ok(rest.map_or(first, BytesMut::freeze))
}

/// How long a caller may take to send more than this: whoever sends nothing holds its place shortly.
fn time_for(bytes: usize) -> Duration {
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    let sending = Duration::from_secs(u64::from(bytes)) / READ_BYTES_PER_SECOND;
    (READ_GRACE + sending).min(READ_DEADLINE)
}
