//! Who follows a link, as far as it matters for counting.

use std::net::IpAddr;

use axum::{
    extract::FromRequestParts,
    http::{Method, header, request::Parts},
};

use crate::{
    auth::verify, error::ApiError, fulfillments::dynamic_url::agents::is_fetched_ahead, state::App,
};

/// Longer names of browsers are cut.
const AGENT_CHARS_MAX: usize = 400;
/// Parts of the names, in lower case, under which programs introduce themselves.
const PROGRAMS: [&str; 4] = ["bot", "crawl", "spider", "preview"];

/// Somebody who follows a link.
pub(crate) struct Visit {
    pub(crate) address: IpAddr,
    pub(crate) agent: String,
    /// Whether a person seems to look: not a program, and not a page that loads the address unseen.
    pub(super) counts: bool,
    /// The same, where what is looked at may stand in a frame.
    pub(crate) looks: bool,
}

impl FromRequestParts<App> for Visit {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, ApiError> {
        let address = verify::call(parts)?.address;
        let agent = parts.headers.get(header::USER_AGENT);
        let agent = agent.and_then(|agent| agent.to_str().ok());
        let agent: String = agent
            .unwrap_or_default()
            .chars()
            .take(AGENT_CHARS_MAX)
            .collect();
        let lower = agent.to_ascii_lowercase();
        let program = lower.is_empty() || PROGRAMS.iter().any(|known| lower.contains(known));
        let is = |name, expected: &[&str]| {
            let sent = parts.headers.get(name);
            sent.is_none_or(|value| expected.iter().any(|known| value == known))
        };
        let person = parts.method == Method::GET
            && !program
            && is("sec-fetch-mode", &["navigate"])
            && !is_fetched_ahead(&parts.headers);
        Ok(Self {
            address,
            agent,
            counts: person && is("sec-fetch-dest", &["document"]),
            looks: person && is("sec-fetch-dest", &["document", "iframe"]),
        })
    }
}
