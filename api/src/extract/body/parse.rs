//! From JSON to a wire type, or to the error that names the field.
//!
//! A success is parsed once, straight into its type; only what failed is parsed again, to find out
//! what to say. The caller's own values are never repeated.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use crate::{
    error::{ApiError, Code},
    wire::fields::Object,
};

/// How deep JSON may nest.
const DEPTH_MAX: usize = 32;

/// Parses a body; an empty one is an object without fields.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    if let Some(field) = nul(bytes) {
        return Err(ApiError::field(field, "must not hold the character NUL"));
    }
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

/// The field whose text holds the one character that cannot be stored.
fn nul(bytes: &[u8]) -> Option<String> {
    if !has_nul(bytes) {
        return None;
    }
    let body: Value = serde_json::from_slice(bytes).ok()?;
    let mut path = Vec::new();
    nul_in(&body, &mut path).then(|| path.join("."))
}

fn nul_in(value: &Value, path: &mut Vec<String>) -> bool {
    let mut within = |name: String, value: &Value| {
        path.push(name);
        let found = nul_in(value, path);
        if !found {
            path.pop();
        }
        found
    };
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => {
            let mut values = values.iter().enumerate();
            values.any(|(at, value)| within(format!("[{at}]"), value))
        }
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || within(name.clone(), value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether that character stands anywhere. Written as it is it is no JSON.
fn has_nul(bytes: &[u8]) -> bool {
    if !bytes.contains(&b'\\') {
        return false;
    }
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        if rest[at + 1..].starts_with(b"u0000") {
            return true;
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    false
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
