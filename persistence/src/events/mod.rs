//! Events: the outbox of facts, the dispatcher that numbers them, and the feeds as they are read.
//!
//! Keeps: what was committed is told, once per feed, and nothing else is. Cursors, numbers and spans move
//! in one transaction of one dispatcher at a time; a relationship's entries get theirs when somebody listens
//! ([`number`]). A fact of the ledger is told by its batch; any other
//! fact stores a row of the outbox in its own transaction ([`outbox`]).

pub mod dispatch;
pub mod list;
pub(crate) mod number;
pub mod outbox;
pub mod sweep;
