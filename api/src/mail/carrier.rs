//! Who takes a mail away: a mail server, or a directory.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor, message::Mailbox,
    message::header::ContentType,
};
use persistence::mail::{Due, Letter};

use super::Settings;

/// Takes mails.
pub(crate) struct Carrier {
    from: Mailbox,
    way: Way,
}

enum Way {
    Server(AsyncSmtpTransport<Tokio1Executor>),
    Directory(PathBuf),
}

/// Why a mail was not taken. The server's own words may repeat an address, so they are not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// It will not be taken later either.
    #[error("refused for good{}", code(*.0))]
    ForGood(Option<u16>),
    #[error("not taken for now{}", code(*.0))]
    ForNow(Option<u16>),
}

fn code(status: Option<u16>) -> String {
    status.map_or_else(String::new, |status| format!(", status {status}"))
}

impl Carrier {
    /// The carrier that the settings name; none if they name none.
    pub(crate) fn open(settings: &Settings) -> anyhow::Result<Option<Self>> {
        let from = settings.sender()?;
        let (url, directory) = (settings.smtp_url.expose(), &settings.directory);
        let way = if !url.is_empty() {
            let Ok(server) = AsyncSmtpTransport::<Tokio1Executor>::from_url(url) else {
                // The parser's message could repeat the password.
                bail!("mail.smtp_url is not an smtp:// or smtps:// URL");
            };
            let timeout = Duration::from_millis(settings.send_timeout_ms);
            Way::Server(server.timeout(Some(timeout)).build())
        } else if !directory.as_os_str().is_empty() {
            let making = || format!("making the directory for mails `{}`", directory.display());
            fs::create_dir_all(directory).with_context(making)?;
            Way::Directory(directory.clone())
        } else {
            return Ok(None);
        };
        Ok(Some(Self { from, way }))
    }

    /// Hands one mail over.
    pub(crate) async fn take(&self, due: &Due, letter: &Letter) -> Result<(), Failure> {
        let message = self.message(due, letter).ok_or(Failure::ForGood(None))?;
        match &self.way {
            Way::Server(server) => server.send(message).await.map(drop).map_err(|error| {
                let status = error.status().map(u16::from);
                if error.is_permanent() {
                    Failure::ForGood(status)
                } else {
                    Failure::ForNow(status)
                }
            }),
            Way::Directory(directory) => {
                write(directory, due, &message.formatted()).map_err(|_| Failure::ForNow(None))
            }
        }
    }

    /// None if the address is none.
    fn message(&self, due: &Due, letter: &Letter) -> Option<Message> {
        let id = format!("<{}@{}>", due.id, self.from.email.domain());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, letter.to.parse().ok()?))
            .subject(letter.subject.as_str())
            .message_id(Some(id))
            .date(due.queued_at.into())
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.replace('\n', "\r\n"))
            .ok()
    }
}

/// Writes a mail as a file that only its owner reads, whole or not at all.
fn write(directory: &Path, due: &Due, message: &[u8]) -> std::io::Result<()> {
    let (draft, path) = (
        directory.join(format!("{}.draft", due.id)),
        directory.join(format!("{}-{}.eml", due.id, due.kind)),
    );
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(message)?;
    file.sync_all()?;
    fs::rename(draft, path)
}
