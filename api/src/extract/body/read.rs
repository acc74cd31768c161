//! The bytes of a body, within their bound and in time.

use std::{sync::Arc, time::Duration};

use axum::{body::Body as Stream, extract::Request, http::header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

use crate::{
    error::{ApiError, Code},
    layers::call::{self, Call},
};

/// How long a caller may take to send a body.
const READ_DEADLINE: Duration = Duration::from_secs(15);

pub(super) async fn read(request: Request) -> Result<Bytes, ApiError> {
    let call = request.extensions().get::<Arc<Call>>();
    let bytes_max = call.map_or(call::BODY_BYTES_MAX, |call| call.body_bytes_max());
    let typed = request.headers().contains_key(header::CONTENT_TYPE);
    let reading = tokio::time::timeout(READ_DEADLINE, collect(request.into_body(), bytes_max));
    let slow = |_| ApiError::saying(Code::BadRequest, "The body did not arrive in time.");
    let bytes = reading.await.map_err(slow)??;
    if !bytes.is_empty() && !typed {
        return Err(ApiError::new(Code::UnsupportedMediaType));
    }
    Ok(bytes)
}

pub(super) async fn collect(mut body: Stream, bytes_max: usize) -> Result<Bytes, ApiError> {
    let mut first = Bytes::new();
    let mut rest: Option<BytesMut> = None;
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|_| ApiError::saying(Code::BadRequest, "The body did not arrive whole."))?;
        let Ok(chunk) = frame.into_data() else {
            continue;
        };
        let length = rest.as_ref().map_or(first.len(), BytesMut::len);
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
