//! What the cluster itself says about a run: write-ahead log written, and which processes it is.
//!
//! Keeps: in `postgres` it creates one extension; it writes no row but in a
//! table of its own that it drops again.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use sqlx::{ConnectOptions as _, PgConnection};

use crate::peer::pool;

pub(crate) struct Cluster {
    connection: PgConnection,
    pub(crate) postmaster: u32,
    walinspect: bool,
}

/// Write-ahead log between two positions, in bytes.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wal {
    pub(crate) total: u64,
    /// Without the page images that follow a checkpoint; none if the cluster cannot tell.
    pub(crate) without_images: Option<u64>,
}

impl Cluster {
    pub(crate) async fn connect(url: &str) -> anyhow::Result<Self> {
        let mut connection = pool::options(url, "postgres")?.connect().await?;
        let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
            .fetch_one(&mut connection)
            .await?;
        let postmaster = parent(u32::try_from(backend)?)?;
        let walinspect = sqlx::raw_sql("CREATE EXTENSION IF NOT EXISTS pg_walinspect")
            .execute(&mut connection)
            .await
            .is_ok();
        Ok(Self {
            connection,
            postmaster,
            walinspect,
        })
    }

    /// So that no run pays for the writes of the one before it.
    pub(crate) async fn checkpoint(&mut self) -> anyhow::Result<()> {
        sqlx::raw_sql("CHECKPOINT")
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    pub(crate) async fn wal_position(&mut self) -> anyhow::Result<String> {
        Ok(
            sqlx::query_scalar("SELECT pg_current_wal_flush_lsn()::text")
                .fetch_one(&mut self.connection)
                .await?,
        )
    }

    pub(crate) async fn wal_between(&mut self, from: &str, to: &str) -> anyhow::Result<Wal> {
        let total: i64 = sqlx::query_scalar("SELECT ($2::pg_lsn - $1::pg_lsn)::bigint")
            .bind(from)
            .bind(to)
            .fetch_one(&mut self.connection)
            .await?;
        let images: Option<i64> = if self.walinspect {
            sqlx::query_scalar(
                "SELECT sum(fpi_size)::bigint FROM pg_get_wal_stats($1::pg_lsn, $2::pg_lsn)",
            )
            .bind(from)
            .bind(to)
            .fetch_one(&mut self.connection)
            .await
            .unwrap_or(None)
        } else {
            None
        };
        let total = u64::try_from(total)?;
        let images = images.map(u64::try_from).transpose()?;
        Ok(Wal {
            total,
            without_images: images.map(|images| total.saturating_sub(images)),
        })
    }

    pub(crate) async fn describe(&mut self) -> anyhow::Result<Vec<(String, String)>> {
        Ok(sqlx::query_as(
            "SELECT name, setting || coalesce(' ' || unit, '') FROM pg_settings
             WHERE name IN ('server_version', 'fsync', 'full_page_writes', 'synchronous_commit',
               'wal_sync_method', 'shared_buffers', 'max_wal_size', 'wal_compression',
               'data_checksums', 'autovacuum', 'max_connections')
             ORDER BY name",
        )
        .fetch_all(&mut self.connection)
        .await?)
    }
}

/// The postmaster is the parent of each backend.
fn parent(pid: u32) -> anyhow::Result<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .context("the cluster runs on another machine or in another name space")?;
    let fields = stat.rsplit(')').next().unwrap_or_default();
    fields
        .split_whitespace()
        .nth(1)
        .and_then(|field| field.parse().ok())
        .context("an unreadable process state")
}

/// Commits of one small row a second over one connection: what a flush costs on this cluster.
pub(crate) async fn commit_rate(url: &str, time: Duration) -> anyhow::Result<f64> {
    let mut connection = pool::options(url, "postgres")?.connect().await?;
    sqlx::raw_sql("DROP TABLE IF EXISTS flushes; CREATE TABLE flushes (n integer)")
        .execute(&mut connection)
        .await?;
    let started = Instant::now();
    let mut commits = 0;
    while started.elapsed() < time {
        sqlx::query("INSERT INTO flushes VALUES ($1)")
            .bind(commits)
            .execute(&mut connection)
            .await?;
        commits += 1;
    }
    let took = started.elapsed();
    sqlx::raw_sql("DROP TABLE flushes")
        .execute(&mut connection)
        .await?;
    Ok(f64::from(commits) / took.as_secs_f64())
}

/// Serials and orders the engine's database holds.
pub(crate) async fn sizes(url: &str) -> anyhow::Result<(i64, i64)> {
    let mut connection = pool::near(url)?.connect().await?;
    Ok(sqlx::query_as(
        "SELECT (SELECT count(*) FROM serials), (SELECT count(*) FROM ledger_entries WHERE kind = 1)",
    )
    .fetch_one(&mut connection)
    .await?)
}

/// What one serial of the engine takes in memory: its id, a pointer with length, its ciphertext.
pub(crate) async fn serial_bytes(url: &str) -> anyhow::Result<u64> {
    let mut connection = pool::near(url)?.connect().await?;
    let sealed: i64 = sqlx::query_scalar(
        "SELECT coalesce(avg(octet_length(sealed)), 0)::bigint
         FROM (SELECT sealed FROM serials LIMIT 1000) AS sample",
    )
    .fetch_one(&mut connection)
    .await?;
    Ok(u64::try_from(sealed)? + 32)
}
