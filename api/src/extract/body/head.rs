//! What the head of a request says about its body.

use axum::http::{HeaderMap, Method, header};

use crate::error::{ApiError, Code};

/// The form that a route takes its body in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Json,
    /// `application/x-www-form-urlencoded`, of a page of our own.
    Form,
}

impl Takes {
    fn is(self, content_type: &str) -> bool {
        let essence = match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
        };
        is_in_utf8(content_type, essence)
    }
}

/// Refuses, by the head alone, a body that is too large, compressed or of another form.
pub(crate) fn check_head(
    method: &Method,
    headers: &HeaderMap,
    (takes, bytes_max): (Takes, usize),
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
    let fits = typed.is_some_and(|value| value.to_str().is_ok_and(|text| takes.is(text)));
    // HTTP/2 may send a body without saying so in its head: no type, no body, is decided when read.
    if encoded || (typed.is_some() && !fits) || (!empty && !fits) {
        return Err(ApiError::new(Code::UnsupportedMediaType));
    }
    Ok(())
}

fn is_in_utf8(content_type: &str, wanted: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let utf8 = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        !name.eq_ignore_ascii_case("charset")
            || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    };
    essence.eq_ignore_ascii_case(wanted) && parts.all(utf8)
}
