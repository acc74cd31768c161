//! What the online proof reads: slices of ledgers with their claims, and what became of serials.
//!
//! Keeps: every statement is bounded and finds its rows by primary keys; a row that cannot be read is
//! a fault, never a row less.

use engine::{
    fault::Fault,
    ids::{BalanceId, SerialId},
    verifier::{Delivered, Line, Source},
};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Database, Error, fulfillments::rows::money, owned};

/// The kind of an entry that delivers.
const FULFILLMENT: i16 = 1;

/// Reads for the proof.
#[derive(Debug, Clone)]
pub struct PgVerifier {
    db: Database,
}

impl PgVerifier {
    pub const fn new(db: Database) -> Self {
        Self { db }
    }
}

impl Source for PgVerifier {
    fn next(
        &self,
        after: Option<BalanceId>,
    ) -> BoxFuture<'_, Result<Option<(BalanceId, i64)>, Fault>> {
        let db = self.db.clone();
        Box::pin(owned(async move {
            let next = async { next(&mut *db.read().await?, after).await };
            let next = next.await;
            next.map_err(|error| error.into_fault("find the next balance to prove"))
        }))
    }

    fn lines(
        &self,
        balance: BalanceId,
        from: i64,
        through: i64,
    ) -> BoxFuture<'_, Result<Vec<Line>, Fault>> {
        let db = self.db.clone();
        Box::pin(owned(async move {
            let lines = async { lines(&mut *db.read().await?, balance, from, through).await };
            let lines = lines.await;
            lines.map_err(|error| error.into_fault("read a ledger to prove it"))
        }))
    }

    fn claimed(&self, serials: Vec<SerialId>) -> BoxFuture<'_, Result<Vec<SerialId>, Fault>> {
        let db = self.db.clone();
        Box::pin(owned(async move {
            let claimed = async { claimed(&mut *db.read().await?, serials).await };
            let claimed = claimed.await;
            claimed.map_err(|error| error.into_fault("look serials up to prove a shelf"))
        }))
    }
}

async fn next(
    connection: &mut PgConnection,
    after: Option<BalanceId>,
) -> Result<Option<(BalanceId, i64)>, Error> {
    let found: Option<(i64, i64)> = sqlx::query_as(
        "SELECT b.balance_id, COALESCE((SELECT MAX(e.version) FROM ledger_entries AS e
                                        WHERE e.balance_id = b.balance_id), 0)
         FROM balances AS b WHERE b.balance_id > $1 ORDER BY b.balance_id LIMIT 1",
    )
    .bind(after.map_or(i64::MIN, |balance| balance.0))
    .fetch_optional(connection)
    .await?;
    Ok(found.map(|(balance, last)| (BalanceId(balance), last)))
}

#[derive(Debug, sqlx::FromRow)]
struct LineRow {
    version: i64,
    kind: i16,
    amount: i64,
    balance_after: i64,
    serials: i32,
    claims: i64,
    cost: i64,
}

pub(crate) async fn lines(
    connection: &mut PgConnection,
    balance: BalanceId,
    from: i64,
    through: i64,
) -> Result<Vec<Line>, Error> {
    let rows: Vec<LineRow> = sqlx::query_as(include_str!("lines.sql"))
        .bind(balance.0)
        .bind(from)
        .bind(through)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(Line::try_from).collect()
}

async fn claimed(
    connection: &mut PgConnection,
    serials: Vec<SerialId>,
) -> Result<Vec<SerialId>, Error> {
    let serials: Vec<Uuid> = serials.into_iter().map(SerialId::uuid).collect();
    let claimed: Vec<Uuid> = sqlx::query_scalar(include_str!("claimed.sql"))
        .bind(serials)
        .fetch_all(connection)
        .await?;
    Ok(claimed.into_iter().map(SerialId::from_uuid).collect())
}

impl TryFrom<LineRow> for Line {
    type Error = Error;

    fn try_from(row: LineRow) -> Result<Self, Error> {
        let count = |number: i64| {
            u64::try_from(number).map_err(|_| Error::Inconsistent {
                what: "a count is below zero",
            })
        };
        let delivered = if row.kind == FULFILLMENT {
            Some(Delivered {
                serials: count(i64::from(row.serials))?,
                claims: count(row.claims)?,
                cost: money(row.cost)?,
            })
        } else {
            None
        };
        Ok(Self {
            version: row.version,
            amount: money(row.amount)?,
            balance_after: money(row.balance_after)?,
            delivered,
        })
    }
}
