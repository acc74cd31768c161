//! The statement of a balance over a time: what it was, what it is, and a digest of all between.
//!
//! Keeps: opening balance plus the totals is the closing balance, and statements that follow each
//! other count each entry once. The digest lets two copies of a ledger be compared by one number.

use std::{collections::BTreeMap, fmt::Write as _};

use engine::{
    balances::EntryKind, clock::Timestamp, ids::BalanceId, money::Money,
    relationships::RelationshipScope,
};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use super::ledger::{LedgerEntry, Row, version_before};
use crate::{Database, Error, fulfillments::rows::money, owned};

/// Entries of one look: a statement over a long time is many short reads, not one long one, which
/// would keep Postgres from cleaning up behind the lanes. Between them others get the connection.
const ENTRIES_CHUNK: i64 = 10_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Of the last entry before the time; 0 and zero if there is none.
    pub opening_version: i64,
    pub opening_balance: Money,
    pub closing_version: i64,
    pub closing_balance: Money,
    pub entries: u64,
    /// Signed sums; a kind without entries is absent.
    /// In minor units: a sum over time may be more than a balance can be.
    pub totals: BTreeMap<EntryKind, i64>,
    /// SHA-256 over [`line`] of each entry in the order of versions.
    pub digest: [u8; 32],
}

/// The statement from a time, inclusive, to a time, exclusive.
pub async fn statement(
    db: &Database,
    scope: RelationshipScope,
    from: Timestamp,
    to: Timestamp,
) -> Result<Statement, Error> {
    let db = db.clone();
    owned(async move {
        let balance = scope.balance;
        let mut connection = db.scoped(scope.into()).await?;
        let opening_version = version_before(&mut connection, balance, from).await?;
        let to_version = version_before(&mut connection, balance, to).await?;
        let closing_version = to_version.max(opening_version);
        let opening_balance = balance_at(&mut connection, balance, opening_version).await?;
        let closing_balance = balance_at(&mut connection, balance, closing_version).await?;
        drop(connection);
        let (totals, digest) = read(&db, scope, opening_version, closing_version).await?;
        Ok(Statement {
            opening_version,
            opening_balance,
            closing_version,
            closing_balance,
            entries: (closing_version - opening_version).unsigned_abs(),
            totals,
            digest,
        })
    })
    .await
}

/// What a statement's digest takes of an entry: version, id, number of the kind, amount and balance
/// in minor units, reference, and the time in milliseconds since 1970, with tabs between and a line
/// feed after.
pub fn line(entry: &LedgerEntry) -> String {
    let mut line = String::with_capacity(128);
    writeln!(
        line,
        "{}\t{}\t{}\t{}\t{}\t{}\t{}",
        entry.version,
        entry.id,
        entry.kind.number(),
        entry.amount.minor(),
        entry.balance_after.minor(),
        entry.reference,
        entry.created_at.timestamp_millis(),
    )
    .expect("a string takes any text");
    line
}

/// Sums and digests the entries above the first version, up to the second.
async fn read(
    db: &Database,
    scope: RelationshipScope,
    mut above: i64,
    up_to: i64,
) -> Result<(BTreeMap<EntryKind, i64>, [u8; 32]), Error> {
    let mut totals = BTreeMap::new();
    let mut digest = Sha256::new();
    while above < up_to {
        let end = up_to.min(above + ENTRIES_CHUNK);
        let rows = async {
            let mut connection = db.scoped(scope.into()).await?;
            rows(&mut connection, scope.balance, above, end).await
        };
        for row in rows.await? {
            let entry = LedgerEntry::try_from(row)?;
            let total = totals.entry(entry.kind).or_insert(0_i64);
            let sum = total.checked_add(entry.amount.minor());
            *total = sum.ok_or(Error::Inconsistent {
                what: "a total is beyond the bound",
            })?;
            digest.update(line(&entry));
        }
        above = end;
    }
    Ok((totals, digest.finalize().into()))
}

async fn rows(
    connection: &mut PgConnection,
    balance: BalanceId,
    above: i64,
    up_to: i64,
) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query_as(
        "SELECT version, id, CASE WHEN kind = 1 AND channel = 7 THEN 8 ELSE kind END::smallint AS kind,
           amount, balance_after, reference, created_at,
           NULL AS description, NULL AS label
         FROM ledger_entries
         WHERE balance_id = $1 AND version > $2 AND version <= $3
         ORDER BY balance_id, version",
    )
    .bind(balance.0)
    .bind(above)
    .bind(up_to)
    .fetch_all(connection)
    .await?;
    Ok(rows)
}

async fn balance_at(
    connection: &mut PgConnection,
    balance: BalanceId,
    version: i64,
) -> Result<Money, Error> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT balance_after FROM ledger_entries WHERE balance_id = $1 AND version = $2",
    )
    .bind(balance.0)
    .bind(version)
    .fetch_optional(connection)
    .await?;
    money(found.unwrap_or_default())
}
