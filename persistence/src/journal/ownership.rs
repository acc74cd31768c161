//! Becoming the owner of a shard, and staying it.
//!
//! Keeps: liveness by a session lock, safety by the takeover. The lock only decides who tries; what
//! makes a takeover safe is one transaction that raises the fence of every lane of the shard. Once it
//! is durable, an earlier owner can commit nothing and all it did commit is visible.

use std::{fmt, time::Duration};

use chrono::{DateTime, SecondsFormat, Utc};
use engine::journal::{LanePosition, Lease, OpenFailure, Owner};
use futures_util::future::BoxFuture;
use sqlx::{PgConnection, Row, postgres::PgConnectOptions};
use tokio::time::sleep;

use super::{
    connection::{LaneConnection, timely},
    fence::is_lock_timeout,
};
use crate::{
    Database, Error, database,
    error::exactly_one,
    owned,
    settings::{self, Durability},
};

/// The one shard there is, and the two halves of its lock's name.
const SHARD: i16 = 0;
const LOCK_SPACE: i32 = 0x434f_4e53;

/// How often a waiting process tries the lock.
const POLL: Duration = Duration::from_millis(250);

/// Where and how a shard is owned.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) options: PgConnectOptions,
    pub(super) durability: Durability,
    pub(super) deadline: Duration,
    /// After how long without a heartbeat an owner is taken for frozen.
    pub(super) silence_max: Duration,
}

/// Waits for the lock, then fences every lane.
pub(super) async fn take_over(
    terms: Terms,
    owner: Owner,
    lanes: u16,
) -> Result<Box<dyn Lease>, OpenFailure> {
    let lanes = i16::try_from(lanes).map_err(|_| refused("too many lanes".to_owned()))?;
    let mut connection = open(&terms).await?;
    while !try_lock(&mut connection).await.map_err(failed)? {
        end_silent_owner(&mut connection, terms.silence_max)
            .await
            .map_err(failed)?;
        sleep(POLL).await;
    }
    let halt = timely(terms.deadline, halt_in(connection.raw())).await;
    if let Some(halt) = halt.map_err(failed)? {
        return Err(refused(halt.to_string()));
    }
    let notices = connection.notices();
    let taken = loop {
        let taking = take(connection.raw(), owner, lanes);
        match notices.hear(timely(terms.deadline, taking)).await {
            // An earlier owner's session is in the middle of a statement, or its machine is gone.
            Err(error) if is_lock_timeout(&error) => {
                tracing::warn!("a lane is locked by an earlier session: ending it");
                end_sessions(&mut connection).await.map_err(failed)?;
            }
            taken => break taken.map_err(failed)?,
        }
    };
    if notices.heard() {
        return Err(passing(
            "the server gave a notice while the shard was taken over".to_owned(),
        ));
    }
    tracing::info!(
        epoch = taken.epoch,
        "took the shard over in epoch {}",
        taken.epoch
    );
    Ok(Box::new(PgLease {
        terms,
        owner,
        taken,
        connection: Some(connection),
        beating: None,
    }))
}

/// The mark of a shard that nobody may serve.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Halt {
    pub halted_at: DateTime<Utc>,
    pub halted_because: String,
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.halted_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        write!(
            f,
            "the shard is halted since {at}: {}. Find out which database this is and what it lost, then `consign unhalt`",
            self.halted_because
        )
    }
}

/// Marks the shard. The first mark stays: it says how it began.
pub(super) async fn halt(terms: &Terms, because: &str) -> Result<(), OpenFailure> {
    let mut connection = LaneConnection::open(&terms.options, terms.deadline)
        .await
        .map_err(failed)?;
    let marking = sqlx::query(
        "UPDATE shards SET halted_at = clock_timestamp(), halted_because = $2
         WHERE shard = $1 AND halted_at IS NULL",
    )
    .bind(SHARD)
    .bind(because)
    .execute(connection.raw());
    timely(terms.deadline, marking).await.map_err(failed)?;
    connection.close().await;
    Ok(())
}

/// Whether a takeover by this owner is on record.
pub(super) async fn knows(terms: &Terms, owner: Owner) -> Result<bool, OpenFailure> {
    let mut connection = LaneConnection::open(&terms.options, terms.deadline)
        .await
        .map_err(failed)?;
    let asking = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM ownership_log WHERE shard = $1 AND owner = $2)",
    )
    .bind(SHARD)
    .bind(owner.0)
    .fetch_one(connection.raw());
    let known = timely(terms.deadline, asking).await.map_err(failed)?;
    connection.close().await;
    Ok(known)
}

async fn halt_in(connection: &mut PgConnection) -> Result<Option<Halt>, sqlx::Error> {
    sqlx::query_as(
        "SELECT halted_at, halted_because FROM shards WHERE shard = $1 AND halted_at IS NOT NULL",
    )
    .bind(SHARD)
    .fetch_optional(connection)
    .await
}

/// The mark, if the shard has one.
pub async fn find_halt(db: &Database) -> Result<Option<Halt>, Error> {
    let db = db.clone();
    owned(async move { Ok(halt_in(&mut *db.read().await?).await?) }).await
}

/// Takes the mark away; it says what it was.
pub async fn clear_halt(db: &Database) -> Result<Option<Halt>, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let halt = halt_in(&mut tx).await?;
        sqlx::query("UPDATE shards SET halted_at = NULL, halted_because = NULL WHERE shard = $1")
            .bind(SHARD)
            .execute(&mut *tx)
            .await?;
        database::commit(tx).await?;
        Ok(halt)
    })
    .await
}

/// A connection to a server that may be owned.
async fn open(terms: &Terms) -> Result<LaneConnection, OpenFailure> {
    let mut connection = LaneConnection::open(&terms.options, terms.deadline)
        .await
        .map_err(failed)?;
    let looked = timely(terms.deadline, async {
        let mut checks = settings::server(connection.raw(), terms.durability).await;
        if let Ok(checks) = &mut checks {
            match settings::schema(connection.raw()).await {
                Ok(schema) => checks.extend(schema),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(checks)
    });
    let checks = looked
        .await
        .map_err(failed)?
        .map_err(|error| passing(error.to_string()))?;
    match settings::broken(&checks) {
        None => Ok(connection),
        Some(broken) => Err(refused(format!("the database must not be used: {broken}"))),
    }
}

async fn try_lock(connection: &mut LaneConnection) -> Result<bool, sqlx::Error> {
    let query = sqlx::query("SELECT pg_try_advisory_lock($1, $2)");
    let rows = connection
        .fetch(query.bind(LOCK_SPACE).bind(i32::from(SHARD)))
        .await?;
    rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)
}

/// Ends the session that holds the lock if neither its heartbeat nor anything else came for long.
async fn end_silent_owner(
    connection: &mut LaneConnection,
    silence_max: Duration,
) -> Result<(), sqlx::Error> {
    let query = sqlx::query(include_str!("end_silent_owner.sql"))
        .bind(SHARD)
        .bind(i64::from(LOCK_SPACE))
        .bind(silence_max.as_secs_f64());
    let ended = connection.fetch(query).await?;
    if !ended.is_empty() {
        tracing::warn!("the owner of the shard gave no heartbeat for {silence_max:?}: ended it");
    }
    Ok(())
}

/// Ends the sessions that the lanes' rows name.
async fn end_sessions(connection: &mut LaneConnection) -> Result<(), sqlx::Error> {
    let query = sqlx::query(
        "SELECT pg_terminate_backend(a.pid) FROM lanes AS l
         JOIN pg_stat_activity AS a ON a.pid = l.backend_pid AND a.backend_start = l.backend_start
         WHERE l.shard = $1",
    );
    connection.fetch(query.bind(SHARD)).await.map(drop)
}

#[derive(Debug)]
struct Taken {
    epoch: i64,
    positions: Vec<LanePosition>,
}

/// The takeover: one transaction over every lane row of the shard, used or not.
async fn take(
    connection: &mut PgConnection,
    owner: Owner,
    lanes: i16,
) -> Result<Taken, sqlx::Error> {
    let mut tx = database::begin_unpooled(connection).await?;
    let epoch: i64 = sqlx::query_scalar(
        "UPDATE shards SET epoch = epoch + 1, owner = $2, heartbeat_at = clock_timestamp(),
                           backend_pid = pg_backend_pid()
         WHERE shard = $1 RETURNING epoch",
    )
    .bind(SHARD)
    .bind(owner.0)
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query(
        "INSERT INTO lanes (lane, shard)
         SELECT n, $1 FROM generate_series(0, $2 - 1) AS n
         ON CONFLICT ON CONSTRAINT lanes_pkey DO NOTHING",
    )
    .bind(SHARD)
    .bind(i32::from(lanes))
    .execute(&mut *tx)
    .await?;
    let rows: Vec<(i16, i64, i64)> = sqlx::query_as(
        "UPDATE lanes SET owner = $2, fence = fence + 1 WHERE shard = $1
         RETURNING lane, fence, seq",
    )
    .bind(SHARD)
    .bind(owner.0)
    .fetch_all(&mut *tx)
    .await?;
    sqlx::query("INSERT INTO ownership_log (shard, epoch, owner) VALUES ($1, $2, $3)")
        .bind(SHARD)
        .bind(epoch)
        .bind(owner.0)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    let position = |(lane, fence, seq): (i16, _, _)| LanePosition {
        lane: lane.unsigned_abs(),
        fence,
        seq,
    };
    let mut positions: Vec<_> = rows.into_iter().map(position).collect();
    positions.sort_unstable_by_key(|position| position.lane);
    Ok(Taken { epoch, positions })
}

/// The ownership of a shard by this process.
struct PgLease {
    terms: Terms,
    owner: Owner,
    taken: Taken,
    /// None while a heartbeat has it, and after it was lost: then the lanes go on, and the next
    /// heartbeat locks again.
    connection: Option<LaneConnection>,
    /// A heartbeat that its caller gave up. It goes on with the next one: to close its connection
    /// would be to give the lock away.
    beating: Option<Beating>,
}

/// The connection comes back unless it is lost.
type Beating = BoxFuture<'static, (Option<LaneConnection>, Result<(), OpenFailure>)>;

impl PgLease {
    async fn beat(&mut self) -> Result<(), OpenFailure> {
        if self.beating.is_some() {
            // It says how things were when it was asked for, so a new one has to follow.
            self.beaten().await?;
        }
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => lock_again(&self.terms).await?,
        };
        let silence_max = self.terms.silence_max;
        let beating = beat(connection, self.owner, self.taken.epoch, silence_max);
        self.beating = Some(Box::pin(beating));
        self.beaten().await
    }

    /// Awaits the heartbeat that is under way.
    async fn beaten(&mut self) -> Result<(), OpenFailure> {
        let beating = self.beating.as_mut().expect("a heartbeat is under way");
        let (connection, beaten) = beating.await;
        self.beating = None;
        self.connection = connection;
        beaten
    }
}

async fn lock_again(terms: &Terms) -> Result<LaneConnection, OpenFailure> {
    let mut connection = LaneConnection::open(&terms.options, terms.deadline)
        .await
        .map_err(failed)?;
    match try_lock(&mut connection).await {
        Ok(true) => Ok(connection),
        // Perhaps our own old session, which the server has not missed yet.
        Ok(false) => Err(passing(
            "the shard's lock is held by another session".to_owned(),
        )),
        Err(error) => Err(failed(error)),
    }
}

async fn beat(
    mut connection: LaneConnection,
    owner: Owner,
    epoch: i64,
    deadline: Duration,
) -> (Option<LaneConnection>, Result<(), OpenFailure>) {
    let beating = sqlx::query(
        "UPDATE shards SET heartbeat_at = clock_timestamp(), backend_pid = pg_backend_pid()
         WHERE shard = $1 AND owner = $2 AND epoch = $3",
    )
    .bind(SHARD)
    .bind(owner.0)
    .bind(epoch)
    .execute(connection.raw());
    match timely(deadline, beating).await {
        Ok(beaten) => {
            let ours = exactly_one(&beaten, "a heartbeat")
                .map_err(|_| refused("another process has taken the shard over".to_owned()));
            (Some(connection), ours)
        }
        Err(error) => {
            let refusal = error.as_database_error().is_some();
            let kept = if refusal && connection.resynchronizes().await {
                Some(connection)
            } else {
                None
            };
            (kept, Err(failed(error)))
        }
    }
}

impl Lease for PgLease {
    fn positions(&self) -> &[LanePosition] {
        &self.taken.positions
    }

    fn heartbeat(&mut self) -> BoxFuture<'_, Result<(), OpenFailure>> {
        Box::pin(self.beat())
    }

    fn release(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            if let Some(connection) = self.connection {
                // The lock goes with its session.
                connection.close().await;
            }
        })
    }
}

fn failed(error: sqlx::Error) -> OpenFailure {
    passing(Error::from(error).to_string())
}

const fn passing(message: String) -> OpenFailure {
    OpenFailure {
        passing: true,
        message,
    }
}

const fn refused(message: String) -> OpenFailure {
    OpenFailure {
        passing: false,
        message,
    }
}
