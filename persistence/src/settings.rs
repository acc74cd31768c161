//! What must be so at the server, or nothing is sold.
//!
//! Keeps: "committed" means durable. Each condition is looked at by name, so that `consign doctor`
//! can show them all and a lane's connection can refuse to be one.

use sqlx::{PgConnection, Row, postgres::PgRow};

use crate::{
    Database, Error, database,
    journal::{CONSTRAINTS, session},
};

/// How much must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A crash and the loss of power.
    Local,
    /// The loss of the primary, too: a commit waits for a synchronous standby.
    Replicated,
}

/// One condition, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub name: String,
    pub found: String,
    /// The rule in words, and the next step when it is broken.
    pub wanted: &'static str,
    pub holds: bool,
}

/// Indexes without which a promise or the speed of a hot read is gone; constraints are checked beside.
const INDEXES: [&str; 3] = [
    "serials_merchant_id_fingerprint_key",
    "imports_product_id_variant_id_number_idx",
    "imports_unnumbered_idx",
];

/// Every condition, looked at on a connection like a lane's.
pub async fn check(db: &Database, durability: Durability) -> Result<Vec<Check>, Error> {
    let options = db.connect_options().clone();
    database::owned(async move {
        let mut connection = database::connect(&session(options)).await?;
        let mut checks = server(&mut connection, durability).await?;
        checks.extend(schema(&mut connection).await?);
        Ok(checks)
    })
    .await
}

/// The broken ones, as one sentence for a log or an error; `None` if all hold.
pub(crate) fn broken(checks: &[Check]) -> Option<String> {
    let broken = checks.iter().filter(|check| !check.holds);
    let words: Vec<_> = broken
        .map(|check| format!("{} is \"{}\": {}", check.name, check.found, check.wanted))
        .collect();
    (!words.is_empty()).then(|| words.join("; "))
}

type Rule = (&'static str, &'static str, fn(&str) -> bool);

const RULES: [Rule; 12] = [
    (
        "server_version_num",
        "must be 150000 or more: use Postgres 15 or newer",
        |found| found.parse().is_ok_and(|version: u32| version >= 150_000),
    ),
    (
        "fsync",
        "must be on, or a crash loses what was answered",
        is_on,
    ),
    (
        "full_page_writes",
        "must be on, or a crash damages pages",
        is_on,
    ),
    (
        "data_checksums",
        "must be on: run initdb with --data-checksums, or pg_checksums --enable",
        is_on,
    ),
    (
        "synchronous_commit",
        "must be on or remote_apply",
        |found| matches!(found, "on" | "remote_apply"),
    ),
    (
        "in_recovery",
        "must be off: this is a standby; connect to the primary",
        |found| found == "off",
    ),
    (
        "transaction_read_only",
        "must be off for the role and the database",
        |found| found == "off",
    ),
    ("transaction_isolation", "must be read committed", |found| {
        found == "read committed"
    }),
    (
        "statement_timeout",
        "must be 0 on a lane: no transaction-mode pooler may be between",
        |found| found == "0",
    ),
    (
        "lock_timeout",
        "must be 3s on a lane: no transaction-mode pooler may be between",
        |found| found == "3s",
    ),
    (
        "idle_in_transaction_session_timeout",
        "must be set on a lane",
        |found| found != "0",
    ),
    (
        "lc_messages",
        "must be C or English: set lc_messages = 'C'",
        |found| {
            found.is_empty()
                || found == "POSIX"
                || found.starts_with('C')
                || found.starts_with("en")
        },
    ),
];

fn is_on(found: &str) -> bool {
    found == "on"
}

/// Settings of the server and of this session.
pub(crate) async fn server(
    connection: &mut PgConnection,
    durability: Durability,
) -> Result<Vec<Check>, Error> {
    let row = sqlx::query(
        "SELECT current_setting('server_version_num') AS server_version_num,
                current_setting('fsync') AS fsync,
                current_setting('full_page_writes') AS full_page_writes,
                current_setting('data_checksums') AS data_checksums,
                current_setting('synchronous_commit') AS synchronous_commit,
                current_setting('synchronous_standby_names') AS synchronous_standby_names,
                CASE WHEN pg_is_in_recovery() THEN 'on' ELSE 'off' END AS in_recovery,
                current_setting('transaction_read_only') AS transaction_read_only,
                current_setting('transaction_isolation') AS transaction_isolation,
                current_setting('statement_timeout') AS statement_timeout,
                current_setting('lock_timeout') AS lock_timeout,
                current_setting('idle_in_transaction_session_timeout')
                  AS idle_in_transaction_session_timeout,
                current_setting('lc_messages') AS lc_messages",
    )
    .fetch_one(connection)
    .await?;
    let mut checks = Vec::with_capacity(RULES.len() + 1);
    for (name, wanted, holds) in RULES {
        let found: String = row.try_get(name)?;
        checks.push(Check {
            name: name.to_owned(),
            holds: holds(&found),
            found,
            wanted,
        });
    }
    checks.push(standby(&row, durability)?);
    Ok(checks)
}

fn standby(row: &PgRow, durability: Durability) -> Result<Check, Error> {
    let found: String = row.try_get("synchronous_standby_names")?;
    Ok(Check {
        name: "synchronous_standby_names".to_owned(),
        holds: durability == Durability::Local || !found.is_empty(),
        found,
        wanted: "must name a standby when durability is replicated",
    })
}

/// Constraints and indexes of the hot tables, and the version of the schema.
pub(crate) async fn schema(connection: &mut PgConnection) -> Result<Vec<Check>, Error> {
    let version: Option<i64> = sqlx::query_scalar(
        "SELECT CASE WHEN to_regclass('_sqlx_migrations') IS NULL THEN 0 ELSE 1 END::bigint",
    )
    .fetch_one(&mut *connection)
    .await?;
    let applied: Option<i64> = match version {
        Some(1) => {
            sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations WHERE success")
                .fetch_one(&mut *connection)
                .await?
        }
        Some(_) | None => None,
    };
    let known = database::MIGRATOR
        .iter()
        .map(|migration| migration.version)
        .max();
    let mut checks = vec![Check {
        name: "schema version".to_owned(),
        found: applied.map_or_else(|| "none".to_owned(), |version| version.to_string()),
        wanted: "must be at least this program's: run `consign migrate`",
        holds: applied >= known,
    }];
    let valid: Vec<String> = sqlx::query_scalar(
        "SELECT c.conname::text FROM pg_constraint AS c
         LEFT JOIN pg_index AS i ON i.indexrelid = c.conindid AND c.contype IN ('p', 'u')
         WHERE c.connamespace = current_schema()::regnamespace AND c.convalidated
           AND (i.indexrelid IS NULL OR (i.indisvalid AND i.indisready AND i.indisunique))
         UNION ALL
         SELECT r.relname::text FROM pg_index AS i
         JOIN pg_class AS r ON r.oid = i.indexrelid
         WHERE r.relnamespace = current_schema()::regnamespace AND i.indisvalid AND i.indisready",
    )
    .fetch_all(connection)
    .await?;
    checks.extend(CONSTRAINTS.into_iter().chain(INDEXES).map(|name| {
        let holds = valid.iter().any(|valid| valid == name);
        Check {
            name: name.to_owned(),
            found: if holds { "valid" } else { "missing or invalid" }.to_owned(),
            wanted: "must be present and valid: see `docs/OPERATIONS.md`, restore",
            holds,
        }
    }));
    Ok(checks)
}
