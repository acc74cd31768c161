//! The connections that the journal writes and reads on, outside every pool.
//!
//! Keeps: whatever is sent is awaited to the end, under a deadline, with an ear for what the server
//! says beside it. A connection that did not answer in order is closed, never used again: dropping it
//! closes its socket, and nothing here ever sends a cancel.

use std::time::Duration;

use engine::sabotage::breaks;
use futures_util::TryStreamExt as _;
use sqlx::{
    ConnectOptions, Connection, PgConnection, Postgres,
    postgres::{PgArguments, PgConnectOptions, PgRow},
    query::Query,
};
use tokio::time::timeout;

use crate::{database, notices::Notices};

/// Settings that each lane connection asks for; [`crate::settings`] checks that they are in force.
const SESSION: &[(&str, &str)] = &[
    ("statement_timeout", "0"),
    ("lock_timeout", "3s"),
    ("idle_in_transaction_session_timeout", "10s"),
    ("default_transaction_isolation", "read committed"),
    // One plan per statement, the one that the plan tests look at.
    ("plan_cache_mode", "force_generic_plan"),
    // A plan made while the tables are empty must be the right one when they are full.
    ("enable_seqscan", "off"),
    ("jit", "off"),
    // The server ends a session whose client is unreachable, and frees the lane's row.
    ("tcp_keepalives_idle", "3"),
    ("tcp_keepalives_interval", "1"),
    ("tcp_keepalives_count", "3"),
];

/// The options of a session that is one of a lane's.
pub(crate) fn session(options: PgConnectOptions) -> PgConnectOptions {
    let options = options.options(SESSION.iter().copied());
    if breaks("async_commit") {
        options.options([("synchronous_commit", "off")])
    } else {
        options
    }
}

/// A connection to one server session.
pub(super) struct LaneConnection {
    connection: PgConnection,
    notices: Notices,
    deadline: Duration,
}

impl LaneConnection {
    pub(super) async fn open(
        options: &PgConnectOptions,
        deadline: Duration,
    ) -> Result<Self, sqlx::Error> {
        let options = session(options.clone())
            .application_name("consign journal")
            .disable_statement_logging();
        // What the server says while it lets us in is for the log: it is about no commit.
        let connection = timely(deadline, database::connect(&options)).await?;
        let notices = Notices::new();
        Ok(Self {
            connection,
            notices,
            deadline,
        })
    }

    /// Runs a prepared statement and reads its answer to the end.
    pub(super) async fn fetch_all(
        &mut self,
        sql: &'static str,
        arguments: PgArguments,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let query = sqlx::query_with(sql, arguments);
        self.fetch(query).await
    }

    /// Believes the first row, whatever follows it: what the sabotage is for.
    pub(super) async fn fetch_first(
        &mut self,
        sql: &'static str,
        arguments: PgArguments,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let query = sqlx::query_with(sql, arguments);
        let mut rows = query.fetch(&mut self.connection);
        let first = timely(self.deadline, rows.try_next()).await?;
        Ok(first.into_iter().collect())
    }

    /// The same with the arguments bound already.
    pub(super) async fn fetch(
        &mut self,
        query: Query<'_, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        // `fetch_all` ends at ReadyForQuery: a row that came before an error of the commit is not told.
        let answer = timely(self.deadline, query.fetch_all(&mut self.connection));
        let rows = self.notices.hear(answer).await?;
        if self.notices.heard() {
            return Err(sqlx::Error::Protocol("the server gave a notice".to_owned()));
        }
        Ok(rows)
    }

    /// Whether the server is ready for the next query after a refusal, and said nothing else.
    pub(super) async fn resynchronizes(&mut self) -> bool {
        let ping = timely(self.deadline, self.connection.ping());
        self.notices.hear(ping).await.is_ok() && !self.notices.heard()
    }

    /// The connection itself, for reads and for a transaction whose commit nobody has to believe.
    pub(super) fn raw(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    pub(super) fn notices(&self) -> Notices {
        self.notices.clone()
    }

    /// Says goodbye, so that the server ends the session at once.
    pub(super) async fn close(self) {
        let _ = timely(self.deadline, self.connection.close()).await;
    }
}

/// Awaits an answer; its connection is of no use if it does not come in time.
pub(super) async fn timely<T>(
    deadline: Duration,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    timeout(deadline, answer)
        .await
        .unwrap_or_else(|elapsed| Err(sqlx::Error::Io(elapsed.into())))
}
