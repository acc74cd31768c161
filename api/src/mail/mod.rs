//! Mails on their way out: from the outbox in the database to the mail server, or to a directory.
//!
//! Keeps: a mail leaves only through here, after its cause was committed; no address, subject or text
//! is in a log or a metric.

mod carrier;
mod sender;
mod settings;
#[cfg(test)]
mod tests;

pub(crate) use carrier::Carrier;
pub(crate) use sender::send_queued;
pub use settings::Settings;
