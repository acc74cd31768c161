//! The journal on Postgres.
//!
//! Keeps: whatever a batch's answer means is told by its class, never guessed; a lane's session is its
//! own two connections, opened before its fence is raised and closed after anything unknown. The
//! statements repeat each promise of the engine as a constraint.

mod arguments;
mod class;
mod columns;
mod commit;
mod connection;
mod fence;
mod ownership;
mod reader;
mod tail;

use std::time::Duration;

pub(crate) use class::CONSTRAINTS;
pub(crate) use connection::session;
use engine::{
    config::SILENCE_MAX,
    journal::{FenceFailure, Journal, Lease, OpenFailure, Owner, Session},
};
use futures_util::future::BoxFuture;
pub use ownership::{Halt, clear_halt, find_halt};
use sqlx::postgres::PgConnectOptions;
pub use tail::Tails;
pub(crate) use tail::{Committed, Entry, Stretch};

use crate::{database::owned, settings::Durability};

/// The lanes and their ownership in one database.
#[derive(Debug, Clone)]
pub struct PgJournal {
    terms: ownership::Terms,
    tails: Tails,
}

impl PgJournal {
    /// With the deadlines of the protocol: 5 s for an answer, 6 s until a silent owner is ended.
    pub fn new(options: &PgConnectOptions, durability: Durability) -> Self {
        let terms = ownership::Terms {
            options: options.clone(),
            durability,
            deadline: Duration::from_secs(5),
            silence_max: SILENCE_MAX,
        };
        let tails = Tails::default();
        Self { terms, tails }
    }

    /// The same with another deadline for each answer of the server.
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.terms.deadline = deadline;
        self
    }

    /// The same, handing what it commits to who works behind the lanes in this process.
    #[must_use]
    pub fn with_tails(mut self, tails: &Tails) -> Self {
        self.tails = tails.clone();
        self
    }

    /// The same with another time after which an owner without heartbeat is ended.
    #[must_use]
    pub const fn with_silence_max(mut self, silence_max: Duration) -> Self {
        self.terms.silence_max = silence_max;
        self
    }
}

impl Journal for PgJournal {
    fn take_over(
        &self,
        owner: Owner,
        lanes: u16,
    ) -> BoxFuture<'_, Result<Box<dyn Lease>, OpenFailure>> {
        Box::pin(ownership::take_over(self.terms.clone(), owner, lanes))
    }

    fn halt<'a>(&'a self, because: &'a str) -> BoxFuture<'a, Result<(), OpenFailure>> {
        let (terms, because) = (self.terms.clone(), because.to_owned());
        Box::pin(owned(
            async move { ownership::halt(&terms, &because).await },
        ))
    }

    fn knows(&self, owner: Owner) -> BoxFuture<'_, Result<bool, OpenFailure>> {
        let terms = self.terms.clone();
        Box::pin(owned(async move { ownership::knows(&terms, owner).await }))
    }

    fn fence(&self, owner: Owner, lane: u16) -> BoxFuture<'_, Result<Session, FenceFailure>> {
        let (terms, tails) = (self.terms.clone(), self.tails.clone());
        Box::pin(owned(async move {
            fence::fence(&terms, tails, owner, lane).await
        }))
    }
}
