//! Whether a change comes from our own pages.
//!
//! A browser sends the cookie along with what foreign pages ask it to send; it also says who asked.

use axum::http::{HeaderMap, HeaderName, Method, header};

use crate::error::{ApiError, Code};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a change that a foreign page may have caused.
pub(crate) fn check(method: &Method, headers: &HeaderMap, own: &str) -> Result<(), ApiError> {
    let reads = *method == Method::GET || *method == Method::HEAD || *method == Method::OPTIONS;
    let same = match (headers.get(FETCH_SITE), headers.get(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin == own,
        (None, None) => false,
    };
    if reads || same {
        return Ok(());
    }
    Err(ApiError::saying(
        Code::Forbidden,
        "A session is used from our own pages only: the `Origin` is missing or another one.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "https://consign.example";

    fn passes(method: &Method, sent: &[(HeaderName, &str)]) -> bool {
        let headers = sent
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect();
        check(method, &headers, OWN).is_ok()
    }

    #[test]
    fn changes_need_our_own_origin_and_reads_none() {
        let site = |value| (FETCH_SITE, value);
        let origin = |value| (header::ORIGIN, value);
        assert!(passes(&Method::GET, &[]));
        assert!(passes(&Method::POST, &[origin(OWN)]));
        assert!(passes(&Method::DELETE, &[site("same-origin")]));
        assert!(!passes(&Method::POST, &[]));
        assert!(!passes(&Method::POST, &[origin("https://evil.example")]));
        assert!(!passes(&Method::POST, &[origin("null")]));
        assert!(!passes(&Method::POST, &[site("same-site"), origin(OWN)]));
        assert!(!passes(&Method::PATCH, &[site("none")]));
    }
}
