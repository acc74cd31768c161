//! The judge of a finished run: reads what is stored and compares it with what was answered.
//!
//! Keeps: it shares no code with the engine and trusts none of its constraints: serials sold twice,
//! gaps and wrong sums are looked for although the schema forbids them. A point that could not be
//! read counts as failed, because the whole audit then is an error.

pub(crate) mod cluster;

use std::time::{Duration, Instant};

use serde::Serialize;
use sqlx::{ConnectOptions as _, PgConnection};

use crate::{load::History, peer::pool};

/// Each point counts its violations.
const POINTS: &[(&str, &str)] = &[
    (
        "no serial is in two deliveries",
        include_str!("serial_twice.sql"),
    ),
    (
        "each delivery has its claims and its exact cost",
        include_str!("claims.sql"),
    ),
    (
        "balances are the sums of gapless ledgers",
        include_str!("ledgers.sql"),
    ),
    (
        "batches of each lane are gapless, fences rising",
        include_str!("batches.sql"),
    ),
    (
        "each order answered as delivered is stored once",
        include_str!("answered.sql"),
    ),
];

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) stage: String,
    pub(crate) entries: i64,
    pub(crate) acknowledged: i64,
    pub(crate) points: Vec<Point>,
    pub(crate) seconds: f64,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Point {
    pub(crate) name: &'static str,
    pub(crate) violations: i64,
}

impl Verdict {
    pub(crate) fn good(&self) -> bool {
        self.points.iter().all(|point| point.violations == 0)
    }
}

/// Judges the engine's database after a stage.
pub(crate) async fn audit(
    url: &str,
    stage: &str,
    histories: &[History],
) -> anyhow::Result<Verdict> {
    let started = Instant::now();
    let mut connection = pool::near(url)?.connect().await?;
    sqlx::raw_sql("SET work_mem = '256MB'")
        .execute(&mut connection)
        .await?;
    let acknowledged = load_histories(&mut connection, histories).await?;
    let entries = sqlx::query_scalar("SELECT count(*) FROM ledger_entries WHERE kind = 1")
        .fetch_one(&mut connection)
        .await?;
    let mut points = Vec::with_capacity(POINTS.len());
    for (name, sql) in POINTS {
        let violations = sqlx::query_scalar(*sql).fetch_one(&mut connection).await?;
        points.push(Point { name, violations });
    }
    let took: Duration = started.elapsed();
    Ok(Verdict {
        stage: stage.to_owned(),
        entries,
        acknowledged,
        points,
        seconds: took.as_secs_f64(),
    })
}

/// Puts the order ids answered as delivered into a temporary table.
async fn load_histories(
    connection: &mut PgConnection,
    histories: &[History],
) -> anyhow::Result<i64> {
    let prefixes: Vec<&str> = histories
        .iter()
        .map(|history| history.prefix.as_str())
        .collect();
    let sent = histories
        .iter()
        .map(|history| i64::try_from(history.sent))
        .collect::<Result<Vec<_>, _>>()?;
    let open: Vec<String> = histories
        .iter()
        .flat_map(|history| {
            history
                .open
                .iter()
                .map(|n| format!("{}-{n}", history.prefix))
        })
        .collect();
    sqlx::raw_sql("CREATE TEMPORARY TABLE answered (reference text COLLATE \"C\" NOT NULL)")
        .execute(&mut *connection)
        .await?;
    sqlx::query(include_str!("histories.sql"))
        .bind(&prefixes)
        .bind(&sent)
        .bind(&open)
        .execute(&mut *connection)
        .await?;
    sqlx::raw_sql("ANALYZE answered")
        .execute(&mut *connection)
        .await?;
    Ok(sqlx::query_scalar("SELECT count(*) FROM answered")
        .fetch_one(connection)
        .await?)
}
