//! The audit log as a merchant reads and proves it.

pub(crate) mod list;
pub(crate) mod own;
pub(crate) mod verify;

use std::fmt::Write as _;

use engine::audit::{self, Digest};
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::time::Time;

/// The wire form of an entry.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    id: String,
    uniqid: String,
    seq: i64,
    actor: AuditActor,
    action: String,
    target: String,
    before_digest: Option<String>,
    after_digest: Option<String>,
    ip: Option<String>,
    prev_hash: String,
    hash: String,
    created_at: Time,
}

#[derive(Serialize, ToSchema)]
struct AuditActor {
    #[serde(rename = "type")]
    kind: &'static str,
    id: Option<String>,
    label: String,
}

impl From<audit::Entry> for AuditEntry {
    fn from(entry: audit::Entry) -> Self {
        let id = entry.id().to_string();
        let deed = entry.deed;
        Self {
            uniqid: id.clone(),
            id,
            seq: entry.seq,
            actor: AuditActor {
                kind: deed.actor.kind.name(),
                id: deed.actor.id,
                label: deed.actor.label,
            },
            action: deed.action,
            target: deed.target,
            before_digest: deed.before.as_ref().map(hex),
            after_digest: deed.after.as_ref().map(hex),
            ip: deed.actor.ip.map(|ip| ip.to_string()),
            prev_hash: hex(&entry.prev_hash),
            hash: hex(&entry.hash),
            created_at: Time(deed.at),
        }
    }
}

fn hex(digest: &Digest) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string");
        text
    })
}
