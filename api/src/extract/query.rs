//! The query of a request: decoded strictly, each parameter at most once.
//!
//! Reads ignore parameters they do not know; whoever must not, looks at [`Query::names`].

use axum::{extract::FromRequestParts, http::request::Parts};

use crate::error::{ApiError, Code};

/// Longer addresses are refused before anything of them is read.
const QUERY_BYTES_MAX: usize = 8 * 1024;
/// Far more than any call has. Each is compared with all before it, of callers whom nobody knows yet.
const PARAMETERS_MAX: usize = 64;

/// Decoded parameters in the order in which they were sent. Values may be secrets: no `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `application/x-www-form-urlencoded`: `+` is a space, `%2B` a plus.
    pub(crate) fn parse(raw: &str) -> Result<Self, ApiError> {
        if raw.len() > QUERY_BYTES_MAX {
            return Err(malformed("The query is too long."));
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for part in raw.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let pair = decode(name).zip(decode(value));
            let (name, value) = pair.ok_or_else(|| malformed("The query is not URL-encoded."))?;
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(malformed("A query parameter stands twice."));
            }
            if pairs.len() == PARAMETERS_MAX {
                return Err(malformed("The query has too many parameters."));
            }
            if value.contains('\0') {
                return Err(ApiError::field(
                    "query",
                    "has a text with the character NUL",
                ));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Self::parse(parts.uri.query().unwrap_or(""))
    }
}

fn malformed(message: &'static str) -> ApiError {
    ApiError::saying(Code::BadRequest, message)
}

/// Percent-decodes once; `None` if an escape is cut off or the bytes are not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Every byte of a text as `%XX`.
#[cfg(test)]
pub(crate) fn escaped(text: &str) -> String {
    use std::fmt::Write as _;

    text.bytes().fold(String::new(), |mut escaped, byte| {
        write!(escaped, "%{byte:02X}").expect("writing to a string");
        escaped
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(raw: &str) -> Option<Vec<(String, String)>> {
        Query::parse(raw).ok().map(|query| query.0)
    }

    #[test]
    fn plus_is_a_space_and_its_escape_a_plus() {
        let read = pairs("a=1+2&b=ann%2Bk%40example.com&c&=d&&").unwrap();
        let expected = [
            ("a", "1 2"),
            ("b", "ann+k@example.com"),
            ("c", ""),
            ("", "d"),
        ];
        assert_eq!(
            read,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn parameters_are_at_most_64() {
        let query = |count: usize| {
            let parameters: Vec<_> = (0..count).map(|n| format!("{n}=")).collect();
            parameters.join("&")
        };
        assert_eq!(pairs(&query(64)).map(|pairs| pairs.len()), Some(64));
        let refused = Query::parse(&query(65)).err();
        assert_eq!(refused.map(|error| error.code()), Some(Code::BadRequest));
    }

    #[test]
    fn repeated_parameters_and_broken_escapes_are_malformed() {
        for raw in [
            "a=1&a=2",
            "a=1&%61=2",
            "a=%",
            "a=%4",
            "a=%zz",
            "a=%ff",
            "%+1=2",
        ] {
            assert_eq!(
                Query::parse(raw).err().unwrap().code(),
                Code::BadRequest,
                "{raw}"
            );
        }
        assert!(pairs(&"a".repeat(QUERY_BYTES_MAX + 1)).is_none());
    }

    #[test]
    fn character_that_cannot_be_stored_is_not_valid() {
        let refused = Query::parse("a=b%00").err();
        assert_eq!(
            refused.map(|error| error.code()),
            Some(Code::ValidationError)
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(raw in ".{0,200}") {
            let _read_or_refused = Query::parse(&raw);
        }

        #[test]
        fn escaped_pairs_read_back(name in ".{0,20}", value in ".{0,40}") {
            let raw = format!("{}={}", escaped(&name), escaped(&value));
            let expected = (!value.contains('\0')).then(|| vec![(name, value)]);
            prop_assert_eq!(pairs(&raw), expected);
        }
    }
}
