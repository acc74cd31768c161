//! One error answer, and its two forms: JSON, and the text of the dynamic URL.

use std::borrow::Cow;

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::Code;

/// A field and what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ErrorDetail)]
pub(crate) struct Detail {
    pub(crate) field: Cow<'static, str>,
    pub(crate) message: Cow<'static, str>,
}

/// One error answer. Boxed, because it travels in the `Err` of every handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError(Box<Parts>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    code: Code,
    message: Cow<'static, str>,
    details: Vec<Detail>,
    retry_after_secs: Option<u64>,
    allow: Option<&'static str>,
}

impl ApiError {
    /// The error with the usual message of its code.
    pub(crate) fn new(code: Code) -> Self {
        Self::saying(code, code.message())
    }

    pub(crate) fn saying(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            code,
            message: message.into(),
            details: Vec::new(),
            retry_after_secs: code.retry_after_secs(),
            allow: None,
        }))
    }

    /// A field that is missing, unknown, of the wrong type or out of bounds.
    pub(crate) fn field(
        field: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (field, message) = (field.into(), message.into());
        let sentence = if field.is_empty() {
            format!("The body {message}.")
        } else {
            format!("`{field}` {message}.")
        };
        Self::saying(Code::ValidationError, sentence).detail(field, message)
    }

    #[must_use]
    pub(crate) fn detail(
        mut self,
        field: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.0.details.push(Detail {
            field: field.into(),
            message: message.into(),
        });
        self
    }

    #[must_use]
    pub(crate) fn retry_after_secs(mut self, seconds: u64) -> Self {
        self.0.retry_after_secs = Some(seconds.max(1));
        self
    }

    #[must_use]
    pub(crate) fn allow(mut self, methods: &'static str) -> Self {
        self.0.allow = Some(methods);
        self
    }

    pub(crate) fn code(&self) -> Code {
        self.0.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }

    pub(crate) fn details(&self) -> &[Detail] {
        &self.0.details
    }

    /// The JSON form, with links into the documents of this origin.
    pub(crate) fn to_json(&self, origin: &str) -> Vec<u8> {
        #[derive(Serialize)]
        struct Envelope<'a> {
            error: Error<'a>,
        }
        #[derive(Serialize)]
        struct Error<'a> {
            code: &'static str,
            message: &'a str,
            doc_url: String,
            details: &'a [Detail],
        }
        let code = self.0.code.name();
        let envelope = Envelope {
            error: Error {
                code,
                message: &self.0.message,
                doc_url: format!("{origin}/docs/errors#{code}"),
                details: &self.0.details,
            },
        };
        serde_json::to_vec(&envelope).expect("strings serialize")
    }

    /// The status line and the headers; the body is written by the outermost layer.
    fn head(&self) -> Response {
        let mut response = self.0.code.status().into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.0.retry_after_secs {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(methods) = self.0.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(methods));
        }
        response
    }

    /// The text form of the dynamic URL: `CODE: message`.
    pub(crate) fn into_text(self) -> Response {
        let text = format!("{}: {}", self.0.code.name(), self.0.message);
        let mut response = self.head();
        *response.body_mut() = text.into();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.head();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_documented_shape() {
        let error = ApiError::saying(Code::InsufficientBalance, "Required 8.49 USD.")
            .detail("required", "8.49");
        let json: serde_json::Value =
            serde_json::from_slice(&error.to_json("https://consign.example")).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"error": {
                "code": "INSUFFICIENT_BALANCE",
                "message": "Required 8.49 USD.",
                "doc_url": "https://consign.example/docs/errors#INSUFFICIENT_BALANCE",
                "details": [{"field": "required", "message": "8.49"}],
            }})
        );
    }

    #[test]
    fn codes_that_ask_to_come_back_say_when() {
        for code in [
            Code::RateLimited,
            Code::Overloaded,
            Code::OutcomeUnknown,
            Code::OrderInProgress,
        ] {
            let response = ApiError::new(code).into_response();
            assert!(
                response.headers().contains_key(header::RETRY_AFTER),
                "{code:?}"
            );
        }
        let response = ApiError::new(Code::NotFound).into_response();
        assert!(!response.headers().contains_key(header::RETRY_AFTER));
    }

    #[test]
    fn text_form_is_code_and_message() {
        let response = ApiError::new(Code::OutOfStock).into_text();
        assert_eq!(response.status(), 409);
        assert_eq!(
            response.headers()["content-type"],
            "text/plain; charset=utf-8"
        );
    }
}
