//! Calls a running Consign for the command line.
//!
//! Keeps: a key goes over TLS, or over plain HTTP to this machine only; no redirect is followed;
//! every call may be repeated, because each names what it does (a reference, a state, a serial).

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use engine::{
    clock::Deadline,
    random::{Random as _, SystemRandom},
    vault::Opened,
};
use reqwest::{Method, StatusCode, Url, header};
use serde::Deserialize;
use serde_json::Value;

/// How long one call may take on its way.
const CALL_DEADLINE: Duration = Duration::from_mins(1);
/// How long a server that is away, busy or starting is asked again.
const PATIENCE: Duration = Duration::from_mins(2);
const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

/// Where the server is and who calls it.
#[derive(Debug, Clone, clap::Args)]
pub struct Target {
    /// Address of the server; by default the one that `consign dev` wrote down.
    #[arg(long, env = "CONSIGN_URL")]
    url: Option<String>,
    /// Merchant key; by default the demo merchant's.
    #[arg(long, env = "CONSIGN_KEY", hide_env_values = true)]
    key: Option<Secret>,
    /// State directory of `consign dev`, for the defaults.
    #[arg(long, env = "CONSIGN_DEV__STATE_DIR", default_value = ".consign")]
    state_dir: PathBuf,
}

/// A key from the command line, without a text form.
#[derive(Debug, Clone)]
struct Secret(Opened);

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(Opened::new(text)))
    }
}

/// As much of `demo.json` as a merchant's call needs.
#[derive(Deserialize)]
struct Demo {
    base_url: String,
    merchant: DemoMerchant,
}

#[derive(Deserialize)]
struct DemoMerchant {
    key: String,
}

/// A server that can be called.
pub(super) struct Connection {
    http: reqwest::Client,
    base: Url,
    key: Opened,
}

/// What the server said no with.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub(super) struct Refused {
    pub(super) code: String,
    message: String,
    pub(super) details: Vec<Detail>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Detail {
    pub(super) field: String,
    pub(super) message: String,
}

#[derive(Deserialize)]
struct ErrorEnvelope {
    error: ErrorBody,
}

#[derive(Deserialize)]
struct ErrorBody {
    code: String,
    message: String,
    #[serde(default)]
    details: Vec<Detail>,
}

/// One call, to be sent as often as it takes.
struct Call<'a> {
    method: Method,
    path: &'a str,
    body: Bytes,
    once: Option<&'a str>,
}

/// An attempt that may be repeated.
struct Passing {
    after: Duration,
    reason: anyhow::Error,
}

impl Connection {
    pub(super) fn open(target: &Target) -> anyhow::Result<Self> {
        let (url, key) = match (&target.url, &target.key) {
            (Some(url), Some(Secret(key))) => (url.clone(), key.clone()),
            (url, key) => {
                let demo = demo(&target.state_dir)?;
                let key = key.as_ref().map(|Secret(key)| key.clone());
                (
                    url.clone().unwrap_or(demo.base_url),
                    key.unwrap_or_else(|| Opened::new(demo.merchant.key)),
                )
            }
        };
        Ok(Self {
            http: client()?,
            base: address(&url)?,
            key,
        })
    }

    /// `GET`s a resource and returns its whole answer.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(&Call {
            method: Method::GET,
            path,
            body: Bytes::new(),
            once: None,
        })
        .await
    }

    /// `POST`s JSON and returns the whole answer.
    pub(super) async fn post(&self, path: &str, body: Vec<u8>) -> anyhow::Result<Value> {
        self.call(&Call {
            method: Method::POST,
            path,
            body: body.into(),
            once: None,
        })
        .await
    }

    /// `POST`s JSON that is executed once under this name, and returns the whole answer.
    pub(super) async fn post_once(
        &self,
        path: &str,
        body: Vec<u8>,
        name: &str,
    ) -> anyhow::Result<Value> {
        let once = Some(name);
        self.call(&Call {
            method: Method::POST,
            path,
            body: body.into(),
            once,
        })
        .await
    }

    async fn call(&self, call: &Call<'_>) -> anyhow::Result<Value> {
        let patience = Deadline::after(PATIENCE);
        loop {
            match self.attempt(call).await? {
                Ok(answer) => return Ok(answer),
                Err(passing) if patience.passed() => {
                    return Err(passing.reason.context("gave up after two minutes"));
                }
                Err(passing) => tokio::time::sleep(jittered(passing.after)).await,
            }
        }
    }

    async fn attempt(&self, call: &Call<'_>) -> anyhow::Result<Result<Value, Passing>> {
        let url = self
            .base
            .join(call.path)
            .context("making the address of the call")?;
        let mut request = self.http.request(call.method.clone(), url);
        request = request.bearer_auth(self.key.expose());
        if let Some(name) = call.once {
            request = request.header("idempotency-key", name);
        }
        if !call.body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
            request = request.body(call.body.clone());
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Ok(Err(unreachable(error))),
        };
        let (status, after) = (response.status(), retry_after(&response));
        let text = match response.bytes().await {
            Ok(text) => text,
            Err(error) => return Ok(Err(unreachable(error))),
        };
        if status.is_success() {
            return serde_json::from_slice(&text)
                .map(Ok)
                .context("reading the answer");
        }
        let refused = refusal(status, &text);
        let in_progress = refused
            .downcast_ref::<Refused>()
            .is_some_and(|refused| refused.code == "REQUEST_IN_PROGRESS");
        match status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => Ok(Err(Passing {
                after,
                reason: refused,
            })),
            _ if in_progress => Ok(Err(Passing {
                after,
                reason: refused,
            })),
            _ => Err(refused),
        }
    }
}

fn demo(state_dir: &std::path::Path) -> anyhow::Result<Demo> {
    let path = state_dir.join("demo.json");
    let text = std::fs::read(&path).with_context(|| {
        format!(
            "no --url and --key, and `{}` cannot be read: start `consign dev`",
            path.display()
        )
    })?;
    serde_json::from_slice(&text).with_context(|| format!("reading `{}`", path.display()))
}

fn client() -> anyhow::Result<reqwest::Client> {
    // Installed already if another part of the process did: one provider is as good as the other.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(CALL_DEADLINE)
        .no_proxy()
        .build()
        .context("making the HTTP client")
}

/// The address if a key may be sent there.
fn address(url: &str) -> anyhow::Result<Url> {
    let url = Url::parse(url).with_context(|| format!("`{url}` is no address"))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => Ok(url),
        "http" if here => Ok(url),
        "http" => bail!("`{url}` is not on this machine: a key goes there over https only"),
        other => bail!("`{other}` is no way to call a server: use https"),
    }
}

fn unreachable(error: reqwest::Error) -> Passing {
    // The address may be in the error's text; it holds no secret, but it says nothing new.
    let reason = anyhow::Error::new(error.without_url()).context("the server cannot be reached");
    Passing {
        after: Duration::from_secs(1),
        reason,
    }
}

fn retry_after(response: &reqwest::Response) -> Duration {
    let header = response.headers().get(header::RETRY_AFTER);
    let seconds = header.and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1)).min(RETRY_AFTER_MAX)
}

fn refusal(status: StatusCode, text: &[u8]) -> anyhow::Error {
    match serde_json::from_slice::<ErrorEnvelope>(text) {
        Ok(ErrorEnvelope { error }) => Refused {
            code: error.code,
            message: error.message,
            details: error.details,
        }
        .into(),
        Err(_) => anyhow::anyhow!("the server answered {status} and nothing that says why"),
    }
}

/// Up to half as long again, so that many callers do not come back at once.
fn jittered(wait: Duration) -> Duration {
    let mut byte = [0];
    SystemRandom.fill(&mut byte);
    wait + wait * u32::from(byte[0]) / 512
}

/// A field that every answer of this kind has.
pub(super) fn text<'a>(answer: &'a Value, field: &str) -> anyhow::Result<&'a str> {
    answer[field]
        .as_str()
        .with_context(|| format!("the answer has no `{field}`"))
}

/// A number that every answer of this kind has.
pub(super) fn number(answer: &Value, field: &str) -> anyhow::Result<u64> {
    answer[field]
        .as_u64()
        .with_context(|| format!("the answer has no `{field}`"))
}

/// Reads an id of one kind from an argument: it becomes part of a path, so nothing else may.
pub(super) fn id<I: 'static>(
    parse: fn(&str) -> Option<I>,
) -> impl Fn(&str) -> Result<I, &'static str> + Clone + Send + Sync + 'static {
    move |text| parse(text).ok_or("no id of this kind")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_leaves_this_machine_over_tls_only() {
        for fine in [
            "http://127.0.0.1:8080",
            "http://[::1]:1",
            "http://localhost",
            "https://shop.example",
        ] {
            assert!(address(fine).is_ok(), "{fine}");
        }
        for refused in [
            "http://10.0.0.1",
            "http://shop.example",
            "ftp://127.0.0.1",
            "127.0.0.1:80",
        ] {
            assert!(address(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn refusal_keeps_code_and_message() {
        let body = br#"{"error":{"code":"NOT_FOUND","message":"no such thing","doc_url":"x","details":[]}}"#;
        assert_eq!(
            refusal(StatusCode::NOT_FOUND, body).to_string(),
            "NOT_FOUND: no such thing"
        );
        assert!(
            refusal(StatusCode::BAD_GATEWAY, b"<html>")
                .to_string()
                .contains("502")
        );
    }
}
