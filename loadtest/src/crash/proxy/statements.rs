//! Which of a session's prepared statements commits a batch.
//!
//! Keeps: the text of a statement is looked at when it is parsed, its name when it is bound; what
//! cannot be read commits nothing.

use std::collections::HashSet;

use bytes::Bytes;

/// How every commit of a lane moves its row on.
const COMMIT: &[u8] = b"UPDATE lanes SET seq";
/// One byte of kind, four of length.
const HEAD: usize = 5;

#[derive(Default)]
pub(super) struct Statements {
    commits: HashSet<Bytes>,
    at_commit: bool,
}

impl Statements {
    /// A message of the client comes by.
    pub(super) fn hear(&mut self, kind: u8, message: &Bytes) {
        let body = message.slice(HEAD.min(message.len())..);
        match kind {
            b'P' => {
                let Some(name) = until_zero(&body) else {
                    return;
                };
                if memchr::memmem::find(&body, COMMIT).is_some() {
                    self.commits.insert(name);
                } else {
                    self.commits.remove(&name);
                }
            }
            b'B' => {
                // The name of the portal, then the name of the statement.
                let portal = until_zero(&body).map_or(0, |portal| portal.len() + 1);
                let name = until_zero(&body.slice(portal.min(body.len())..));
                self.at_commit = name.is_some_and(|name| self.commits.contains(&name));
            }
            _ => {}
        }
    }

    /// Whether what was bound last commits a batch.
    pub(super) fn at_commit(&self) -> bool {
        self.at_commit
    }
}

fn until_zero(bytes: &Bytes) -> Option<Bytes> {
    let end = memchr::memchr(0, bytes)?;
    Some(bytes.slice(..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &str) -> Bytes {
        let length = u32::try_from(body.len() + 4).expect("a short text");
        let head = [&[kind][..], &length.to_be_bytes()].concat();
        [head.as_slice(), body.as_bytes()].concat().into()
    }

    #[test]
    fn commit_is_known_by_the_statement_that_is_bound() {
        let mut statements = Statements::default();
        let mut at_commit = |kind, body| {
            statements.hear(kind, &message(kind, body));
            statements.at_commit()
        };
        at_commit(b'P', "one\0WITH lane AS (UPDATE lanes SET seq = $4)\0");
        at_commit(b'P', "two\0UPDATE shards SET heartbeat_at = now()\0");
        assert!(at_commit(b'B', "\0one\0"));
        assert!(at_commit(b'S', ""));
        assert!(!at_commit(b'B', "\0two\0"));
        at_commit(b'P', "one\0SELECT 1\0");
        assert!(!at_commit(b'B', "portal\0one\0"));
        assert!(!at_commit(b'B', "torn"));
    }
}
