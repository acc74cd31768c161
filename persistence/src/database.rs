//! Connections to Postgres for reads and cold writes.
//!
//! Keeps: a caller that hangs up leaves no half transaction. Work runs in a task of its own
//! ([`owned`]), and a connection rolls back before it returns to the pool. What a caller can make long,
//! lists and sums, has connections of its own: reports wait for reports, sales never do; and so has what
//! is found by a token or a name without a key, and what follows the sales at a distance.
//! A server that does not answer at all takes no connection away: what sales wait for ends in time, and
//! a connection that does not answer when it is given back is closed. Lanes and ownership have
//! connections of their own, outside the pools.

use std::{
    io,
    panic::resume_unwind,
    sync::{Arc, LazyLock},
    time::Duration,
};

use engine::{
    events::Feed,
    ids::{MerchantId, RelationshipId},
    relationships::RelationshipScope,
};
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, PgPool, Postgres, Transaction,
    migrate::Migrator,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;

use crate::{balances::Whose, error::Error, journal::Tails, notices::Notices};

/// The schema's migrations, embedded.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// How long a read may take that sales wait for: above what the server allows a statement, which ends
/// it if the server is there at all.
const READ_MAX: Duration = Duration::from_secs(12);
/// Ends a transaction, if there is one. A `ROLLBACK` without one is a line in the server's log, and there is
/// one for every connection that is given back; so only the rare open one is warned of.
const END_ANY: &str = "BEGIN; ROLLBACK";
/// Nobody hears that there was a transaction.
static QUIET: LazyLock<Notices> = LazyLock::new(Notices::new);
/// How long a connection that is given back may take to answer.
const RELEASE_MAX: Duration = Duration::from_secs(1);

/// Whose rows a list may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadScope {
    pub merchant: MerchantId,
    /// None: all of the merchant's.
    pub relationship: Option<RelationshipId>,
}

impl From<RelationshipScope> for ReadScope {
    fn from(scope: RelationshipScope) -> Self {
        Self {
            merchant: scope.merchant,
            relationship: Some(scope.relationship),
        }
    }
}

impl From<Feed> for ReadScope {
    fn from(feed: Feed) -> Self {
        Self {
            merchant: feed.merchant,
            relationship: feed.relationship,
        }
    }
}

impl ReadScope {
    /// Everything of a merchant.
    pub const fn of(merchant: MerchantId) -> Self {
        Self {
            merchant,
            relationship: None,
        }
    }
}

/// How many connections may be open, and how long work waits for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    pub reads_max: u32,
    pub reports_max: u32,
    pub writes_max: u32,
    /// Below the deadline of a request, or every wait ends in the wrong error.
    pub acquire_wait: Duration,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            reads_max: 16,
            reports_max: 4,
            writes_max: 8,
            acquire_wait: Duration::from_secs(2),
        }
    }
}

/// One database; cloning shares the pools.
#[derive(Debug, Clone)]
pub struct Database {
    options: PgConnectOptions,
    reads: PgPool,
    reports: PgPool,
    finds: PgPool,
    writes: PgPool,
    behind: PgPool,
    tails: Tails,
    whose: Whose,
    /// What all lists see, instead of what is there when they look.
    snapshot: Option<Arc<str>>,
}

/// Longest time that a moment is kept: it keeps Postgres from cleaning up behind the lanes.
const MOMENT_MAX: &str = "120s";

/// Connections for what follows the sales at a distance: events and their deliveries.
const BEHIND_MAX: u32 = 3;

/// Connections for what is found by a token or a name: pages that anybody opens, hooks, and whoever watches
/// payments. Neither a long report nor a flood of visitors takes them from the other.
const FINDS_MAX: u32 = 4;

impl Database {
    /// Opens a first connection, so that a wrong address is known at once.
    pub async fn connect(options: &PgConnectOptions, sizes: Sizes) -> Result<Self, Error> {
        let pool = PgPoolOptions::new()
            .acquire_timeout(sizes.acquire_wait)
            .test_before_acquire(false)
            .max_lifetime(None);
        let read_only = pooled(options).options([("default_transaction_read_only", "on")]);
        let reading = pool
            .clone()
            .after_release(|connection, _| Box::pin(answering(connection.ping())));
        // A scope that was set by a future that was dropped must not meet the next reader.
        let reports = pool
            .clone()
            .after_release(|connection, _| Box::pin(answering(connection.execute(END_ANY))))
            .max_connections(sizes.reports_max)
            .connect_lazy_with(read_only.clone());
        let finds = reading
            .clone()
            .max_connections(FINDS_MAX)
            .connect_lazy_with(read_only.clone());
        let reads = reading
            .max_connections(sizes.reads_max)
            .connect_with(read_only)
            .await?;
        // A `BEGIN` whose future was dropped is open on the server and unknown to the driver.
        let writing = pool.after_release(|connection, _| {
            Box::pin(QUIET.hear(answering(connection.execute(END_ANY))))
        });
        // A commit is believed only if the server says nothing beside it.
        let heard = pooled(options).options([("client_min_messages", "warning")]);
        let behind = writing
            .clone()
            .max_connections(BEHIND_MAX)
            .connect_lazy_with(heard.clone());
        let writes = writing
            .max_connections(sizes.writes_max)
            .connect_lazy_with(heard);
        Ok(Self {
            options: options.clone(),
            reads,
            reports,
            finds,
            writes,
            behind,
            tails: Tails::default(),
            whose: Whose::default(),
            snapshot: None,
        })
    }

    /// Brings the schema up to this version.
    pub async fn migrate(&self) -> Result<(), sqlx::migrate::MigrateError> {
        migrate(&self.options).await
    }

    /// A connection that can only read; to be used in [`owned`] work only.
    pub async fn read(&self) -> Result<PoolConnection<Postgres>, Error> {
        Ok(self.reads.acquire().await?)
    }

    /// A connection that can only read, for lists and sums that nobody's sale waits for; to be used in
    /// [`owned`] work only.
    pub async fn report(&self) -> Result<PoolConnection<Postgres>, Error> {
        Ok(self.reports.acquire().await?)
    }

    /// A connection that can only read, for the few rows that a token, a name or a turn leads to; to be used in
    /// [`owned`] work only.
    pub async fn find(&self) -> Result<PoolConnection<Postgres>, Error> {
        Ok(self.finds.acquire().await?)
    }

    /// A connection of the reports, as the role that sees only the rows of this scope, and none of anybody else's: a
    /// second wall behind the scope that every statement names. To be used in [`owned`] work only.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place: see the front page"
    )]
    pub async fn scoped(&self, scope: ReadScope) -> Result<Transaction<'static, Postgres>, Error> {
        let mut transaction = self.reports.begin().await?;
        if let Some(snapshot) = &self.snapshot {
            enter(&mut transaction, snapshot).await?;
        }
        let relationship = scope.relationship.map(|id| id.uuid().to_string());
        sqlx::query(
            "SELECT set_config('consign.merchant', $1, true),
               set_config('consign.relationship', $2, true),
               set_config('role', 'consign_read', true)",
        )
        .bind(scope.merchant.uuid().to_string())
        .bind(relationship.unwrap_or_default())
        .execute(&mut *transaction)
        .await?;
        Ok(transaction)
    }

    /// One moment, for lists that must agree with each other. At most as long as [`MOMENT_MAX`].
    pub async fn moment(&self) -> Result<Moment, Error> {
        let this = self.clone();
        owned(async move {
            let options = pooled(&this.options).options([
                ("default_transaction_read_only", "on"),
                ("idle_in_transaction_session_timeout", MOMENT_MAX),
            ]);
            let mut keeper = connect(&options).await?;
            sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ")
                .execute(&mut keeper)
                .await?;
            let snapshot: String = sqlx::query_scalar("SELECT pg_export_snapshot()")
                .fetch_one(&mut keeper)
                .await?;
            Ok(Moment {
                database: Self {
                    snapshot: Some(snapshot.into()),
                    ..this
                },
                keeper,
            })
        })
        .await
    }

    /// A transaction for a cold change; to be called in [`owned`] work only.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place: see the front page"
    )]
    pub async fn begin(&self) -> Result<Transaction<'static, Postgres>, Error> {
        Ok(self.writes.begin().await?)
    }

    /// A connection for work that nobody waits for; to be used in [`owned`] work only.
    pub(crate) async fn behind(&self) -> Result<PoolConnection<Postgres>, Error> {
        Ok(self.behind.acquire().await?)
    }

    /// A transaction of such work; to be called in [`owned`] work only.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place: see the front page"
    )]
    pub(crate) async fn begin_behind(&self) -> Result<Transaction<'static, Postgres>, Error> {
        Ok(self.behind.begin().await?)
    }

    /// The same, with what its statement takes beside the `BEGIN`.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place: see the front page"
    )]
    pub(crate) async fn begin_behind_with(
        &self,
        begin: &'static str,
    ) -> Result<Transaction<'static, Postgres>, Error> {
        Ok(self.behind.begin_with(begin).await?)
    }

    /// What lanes of this process have just committed, if its journal puts it there.
    pub const fn tails(&self) -> &Tails {
        &self.tails
    }

    pub(crate) const fn whose(&self) -> &Whose {
        &self.whose
    }

    /// The address, for connections outside the pools.
    pub fn connect_options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Lets running work end and closes the pools.
    pub async fn close(&self) {
        self.behind.close().await;
        self.writes.close().await;
        self.reports.close().await;
        self.finds.close().await;
        self.reads.close().await;
    }
}

/// A moment that is kept for as long as this is.
#[derive(Debug)]
pub struct Moment {
    database: Database,
    keeper: PgConnection,
}

impl Moment {
    /// The database, whose lists ([`Database::scoped`]) see this moment.
    pub fn database(&self) -> Database {
        self.database.clone()
    }

    /// Lets the moment go. Dropped, it goes too, when the server notices.
    pub async fn end(self) {
        if let Err(error) = self.keeper.close().await {
            tracing::debug!(%error, "a connection did not close: {error}");
        }
    }
}

/// Has a transaction that has not begun to read see a moment.
async fn enter(connection: &mut PgConnection, snapshot: &str) -> Result<(), Error> {
    // The server's own word; no value can stand in its place.
    let enter = format!(
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '{snapshot}'"
    );
    sqlx::raw_sql(AssertSqlSafe(enter))
        .execute(connection)
        .await?;
    Ok(())
}

/// Brings the schema of a database up to this version.
pub async fn migrate(options: &PgConnectOptions) -> Result<(), sqlx::migrate::MigrateError> {
    let options = options
        .clone()
        .options([("statement_timeout", "0"), ("lock_timeout", "2s")]);
    let mut connection = connect(&options).await?;
    MIGRATOR.run(&mut connection).await?;
    #[cfg(feature = "sabotage")]
    crate::sabotage::weaken(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// Runs work to its end in a task of its own, whether or not the caller waits for it.
#[expect(
    clippy::disallowed_methods,
    reason = "tasks of persistence are started here"
)]
pub async fn owned<T, Work>(work: Work) -> T
where
    T: Send + 'static,
    Work: Future<Output = T> + Send + 'static,
{
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(failed) if failed.is_panic() => resume_unwind(failed.into_panic()),
        // The runtime is being shut down, and this caller with it.
        Err(_) => std::future::pending().await,
    }
}

/// A read that sales wait for, given up when no answer comes.
pub(crate) async fn in_time<T>(read: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match timeout(READ_MAX, read).await {
        Ok(read) => read,
        Err(_) => Err(Error::Unavailable {
            reason: "no answer in time".to_owned(),
        }),
    }
}

/// Whether the server still answers on a connection; the pool closes it on an error.
async fn answering<T>(
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<bool, sqlx::Error> {
    match timeout(RELEASE_MAX, answer).await {
        Ok(answered) => answered.map(|_| true),
        Err(_) => Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into())),
    }
}

/// Makes a cold change durable. Every change of what somebody is told of ends here: a commit whose answer
/// is lost may have happened, and must not be told as if it had not. Nor must one be told as durable whose
/// wait for the standby was cut short: the server warns of it and goes on.
pub(crate) async fn commit(transaction: Transaction<'_, Postgres>) -> Result<(), Error> {
    let notices = Notices::new();
    let committed = notices.hear(transaction.commit()).await;
    committed.map_err(Error::of_commit)?;
    if notices.heard() {
        let reason = "the server gave a notice with the commit".to_owned();
        return Err(Error::Unknown { reason });
    }
    Ok(())
}

/// A transaction on a connection that is in no pool: dropped half-way, both are gone.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place: see the front page"
)]
pub(crate) async fn begin_unpooled(
    connection: &mut PgConnection,
) -> Result<Transaction<'_, Postgres>, sqlx::Error> {
    connection.begin().await
}

/// Opens a connection outside the pools.
pub(crate) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    Box::pin(PgConnection::connect_with(options)).await
}

/// Bounds of every wait on a pooled connection. Nothing long may run on the primary: it would bloat
/// the lanes' rows.
fn pooled(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().options([
        ("statement_timeout", "10s"),
        ("lock_timeout", "3s"),
        ("idle_in_transaction_session_timeout", "5s"),
        // The rollback of a connection without a transaction is worth no warning.
        ("client_min_messages", "error"),
        ("jit", "off"),
        // Statements come prepared, so each is planned once. A plan made for given values is worse as
        // well as slower: the planner takes a range of uuids for a single row.
        ("plan_cache_mode", "force_generic_plan"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn read_without_an_answer_is_given_up() {
        let read = in_time(std::future::pending::<Result<(), Error>>()).await;
        assert!(matches!(read, Err(Error::Unavailable { .. })));
    }
}
