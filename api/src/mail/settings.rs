//! Settings of mails: section `mail`.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use lettre::message::Mailbox;
use serde::Deserialize;

use crate::config::Secret;

/// Where mails go, and from whom they come.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Holds a password, perhaps.
    pub smtp_url: Secret,
    /// Instead of a mail server: each mail becomes a file here.
    pub directory: PathBuf,
    pub from: String,
    pub send_timeout_ms: u64,
}

impl Settings {
    /// Checks what can be checked without a mail server.
    pub fn check(&self) -> anyhow::Result<()> {
        self.sender()?;
        ensure!(
            (1000..=50_000).contains(&self.send_timeout_ms),
            "mail.send_timeout_ms must be 1000 to 50000: below the wait before the next attempt"
        );
        ensure!(
            self.smtp_url.expose().is_empty() || self.directory.as_os_str().is_empty(),
            "mail.smtp_url and mail.directory exclude each other"
        );
        Ok(())
    }

    /// The address that mails come from.
    pub(super) fn sender(&self) -> anyhow::Result<Mailbox> {
        let parsed = self.from.parse();
        parsed.context("mail.from must be an address such as `Shop <shop@example.com>`")
    }
}
