//! JSON bodies: bounded, read once, every field known and named if it is wrong.
//!
//! What the head of a request says about its body is checked before the caller is looked up
//! ([`check_head`]); the body itself is read only for a caller who may do what it asks. A success is
//! parsed straight into its type; only an error is parsed again, to find the field to name.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body as Stream,
    extract::{FromRequest, Request},
    http::{HeaderMap, Method, header},
};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::{
    error::{ApiError, Code},
    layers::call::{self, Call},
    wire::fields::Object,
};

/// How deep JSON may nest.
const DEPTH_MAX: usize = 32;
/// How long a caller may take to send a body.
const READ_DEADLINE: Duration = Duration::from_secs(15);

/// A JSON body as its wire type.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let bytes = read(request).await?;
        parse(&bytes).map(Self)
    }
}

/// The bytes of a JSON body, for a handler that parses it in its own way.
pub(crate) struct RawBody(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        read(request).await.map(Self)
    }
}

/// Refuses, by the head alone, a body that is too large, compressed or not JSON.
pub(crate) fn check_head(
    method: &Method,
    headers: &HeaderMap,
    bytes_max: usize,
) -> Result<(), ApiError> {
    if *method == Method::GET || *method == Method::HEAD || *method == Method::OPTIONS {
        return Ok(());
    }
    let length = match headers.get(header::CONTENT_LENGTH) {
        None => None,
        Some(value) => {
            let number = value
                .to_str()
                .ok()
                .and_then(|text| text.parse::<usize>().ok());
            Some(number.ok_or_else(|| ApiError::new(Code::BadRequest))?)
        }
    };
    let empty =
        length == Some(0) || (length.is_none() && !headers.contains_key(header::TRANSFER_ENCODING));
    if length.is_some_and(|length| length > bytes_max) {
        return Err(ApiError::new(Code::PayloadTooLarge));
    }
    let encoded = headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|encoding| encoding != "identity");
    let typed = headers.get(header::CONTENT_TYPE);
    let json = typed.is_some_and(|value| value.to_str().is_ok_and(is_json));
    // HTTP/2 may send a body without saying so in its head: no type, no body, is decided when read.
    if encoded || (typed.is_some() && !json) || (!empty && !json) {
        return Err(ApiError::new(Code::UnsupportedMediaType));
    }
    Ok(())
}

fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let utf8 = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        !name.eq_ignore_ascii_case("charset")
            || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    };
    essence.eq_ignore_ascii_case("application/json") && parts.all(utf8)
}

async fn read(request: Request) -> Result<Bytes, ApiError> {
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

async fn collect(mut body: Stream, bytes_max: usize) -> Result<Bytes, ApiError> {
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

/// Parses a body; an empty one is an object without fields.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    let parsed = serde_json::from_slice::<Object<T>>(bytes);
    parsed
        .map(|Object(body)| body)
        .map_err(|_| explain::<T>(bytes))
}

/// What is wrong with a body that did not parse.
#[cold]
fn explain<T: DeserializeOwned>(bytes: &[u8]) -> ApiError {
    let malformed = |message: &'static str| ApiError::saying(Code::BadRequest, message);
    if depth(bytes) > DEPTH_MAX {
        return malformed("The body is nested too deep.");
    }
    if serde_json::from_slice::<IgnoredAny>(bytes).is_err() || std::str::from_utf8(bytes).is_err() {
        return malformed("The body is not valid JSON.");
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    match serde_path_to_error::deserialize::<_, Object<T>>(&mut deserializer) {
        Ok(_) => malformed("The body is not valid JSON."),
        Err(error) => {
            let path = error.path().to_string();
            let path = if path == "." { String::new() } else { path };
            let (name, message) = said(&error.into_inner().to_string());
            ApiError::field(field(&path, name.as_deref()), message)
        }
    }
}

/// The field's name in full: the path of the object, and the field that is missing or unknown in it.
fn field(path: &str, name: Option<&str>) -> String {
    match name {
        None => path.to_owned(),
        Some(name) if path.is_empty() || path == name => name.to_owned(),
        Some(name) if path.ends_with(&format!(".{name}")) => path.to_owned(),
        Some(name) => format!("{path}.{name}"),
    }
}

/// Our words for a parser's message, which would repeat the caller's value.
fn said(message: &str) -> (Option<String>, String) {
    let message = message
        .rsplit_once(" at line ")
        .map_or(message, |(message, _)| message);
    let named = |prefix: &str| {
        let (name, _) = message.strip_prefix(prefix)?.split_once('`')?;
        Some(name.to_owned())
    };
    for (prefix, words) in [
        ("unknown field `", "is not a known field"),
        ("missing field `", "is required"),
        ("duplicate field `", "stands twice"),
    ] {
        if let Some(name) = named(prefix) {
            return (Some(name), words.to_owned());
        }
    }
    let expected = message
        .strip_prefix("invalid ")
        .and_then(|rest| rest.rsplit_once(", expected "));
    match expected {
        Some((_, expected)) => (None, format!("must be {expected}")),
        None => (None, message.to_owned()),
    }
}

/// How deep brackets nest outside of strings.
fn depth(bytes: &[u8]) -> usize {
    let (mut now, mut most, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                now += 1;
                most = most.max(now);
            }
            b']' | b'}' if !quoted => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

#[cfg(test)]
mod tests;
