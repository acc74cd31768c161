//! The client that sends events to addresses which tenants chose, and what every such client is made of.
//!
//! Keeps: it connects to checked addresses only, follows no redirect, takes no proxy from the environment,
//! ends in five seconds, and keeps nothing of an answer but its status.

use std::{error::Error as _, time::Duration};

use anyhow::Context as _;
use axum::http::{HeaderMap, HeaderValue, header};
use engine::{
    clock,
    webhooks::{Failure, Outcome},
};
use tokio::time::timeout;

use super::target::{self, Guard, Refused, Rules};

/// How long an attempt may take, from the name to the status.
const ATTEMPT_MAX: Duration = Duration::from_secs(5);
/// What is read of an answer, so that its connection can be used again.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
const ANSWER_MAX: Duration = Duration::from_millis(250);
const IDLE_MAX: Duration = Duration::from_secs(30);
const IDLE_PER_HOST_MAX: usize = 4;
const USER_AGENT: HeaderValue = HeaderValue::from_static("Consign-Webhook/1");

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    rules: Rules,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) outcome: Outcome,
    pub(super) status: Option<u16>,
    pub(super) latency: Duration,
}

impl Client {
    pub(crate) fn new(rules: Rules) -> anyhow::Result<Self> {
        let http = guarded(rules)
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .build()
            .context("making the client that sends events")?;
        Ok(Self { http, rules })
    }

    /// Sends a body once. None if it was not sent, for reasons of ours.
    pub(super) async fn post(
        &self,
        url: &str,
        mut headers: HeaderMap,
        body: Vec<u8>,
    ) -> Option<Sent> {
        let began = clock::instant();
        let sent = |outcome, status| Sent {
            outcome,
            status,
            latency: clock::instant() - began,
        };
        let Ok(url) = target::check(url, self.rules) else {
            return Some(sent(Outcome::Failed(Failure::AddressNotAllowed), None));
        };
        headers.insert(header::USER_AGENT, USER_AGENT);
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
        let request = self.http.post(url).headers(headers).body(body).send();
        let answer = match timeout(ATTEMPT_MAX, request).await {
            Err(_) => return Some(sent(Outcome::Failed(Failure::Timeout), None)),
            Ok(Err(error)) => return failure(&error).map(|why| sent(Outcome::Failed(why), None)),
            Ok(Ok(answer)) => answer,
        };
        let status = answer.status();
        let outcome = if status.is_success() {
            Outcome::Delivered
        } else {
            Outcome::Failed(Failure::Status)
        };
        let ended = sent(outcome, Some(status.as_u16()));
        // Nobody waits for what an answer says: one that comes slowly costs its connection.
        let _whatever_it_says = timeout(ANSWER_MAX, throw_away(answer)).await;
        Some(ended)
    }
}

/// A client that connects to checked addresses only, and does nothing by itself.
pub(crate) fn guarded(rules: Rules) -> reqwest::ClientBuilder {
    // Installed already if another part of the process did: one provider is as good as the other.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .dns_resolver(Guard(rules))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
}

/// Why nothing came back; none if nothing was sent because we had no turn to resolve.
fn failure(error: &reqwest::Error) -> Option<Failure> {
    let mut source = error.source();
    while let Some(cause) = source {
        match cause.downcast_ref() {
            Some(Refused::Busy) => return None,
            Some(Refused::Address) => return Some(Failure::AddressNotAllowed),
            Some(
                Refused::Malformed
                | Refused::Scheme
                | Refused::Credentials
                | Refused::Port
                | Refused::Unknown,
            )
            | None => {}
        }
        source = cause.source();
    }
    Some(Failure::Unreachable)
}

/// Reads an answer up to its bound; a longer one costs its connection.
async fn throw_away(mut answer: reqwest::Response) {
    let mut read = 0;
    while let Ok(Some(part)) = answer.chunk().await {
        read += part.len();
        if read > ANSWER_BYTES_MAX {
            return;
        }
    }
}
