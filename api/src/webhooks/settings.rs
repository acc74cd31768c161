//! Settings of webhooks: section `webhooks`.

use serde::Deserialize;

/// Where events may be sent.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// To this machine too, without TLS and on any port: for development and tests.
    pub allow_local: bool,
}
