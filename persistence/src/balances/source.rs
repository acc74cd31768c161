//! A balance as its ledger ends, for the actor that is about to own it.
//!
//! Keeps: the last entry is believed only if it continues the one before it. Nothing is replayed, and
//! what is read does not grow with the ledger: purchases are summed up behind it, see [`super::purchases`].

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};
use engine::{
    balances::{Loaded, Source, Spending},
    clock::Timestamp,
    fault::Fault,
    ids::{BalanceId, KeyId, RelationshipId},
    money::Money,
};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Database, Error, database::in_time, fulfillments::rows::money, owned};

/// Loads balances from their ledgers.
#[derive(Debug, Clone)]
pub struct PgBalances {
    db: Database,
}

impl PgBalances {
    pub const fn new(db: Database) -> Self {
        Self { db }
    }
}

impl Source for PgBalances {
    fn load(&self, id: BalanceId, now: Timestamp) -> BoxFuture<'_, Result<Option<Loaded>, Fault>> {
        let db = self.db.clone();
        Box::pin(owned(async move {
            let loaded = in_time(async { load(&mut *db.read().await?, id, now).await });
            loaded
                .await
                .map_err(|error| error.into_fault("load a balance"))
        }))
    }
}

async fn load(
    connection: &mut PgConnection,
    id: BalanceId,
    now: Timestamp,
) -> Result<Option<Loaded>, Error> {
    let relationship: Option<Uuid> =
        sqlx::query_scalar("SELECT relationship_id FROM balances WHERE balance_id = $1")
            .bind(id.0)
            .fetch_optional(&mut *connection)
            .await?;
    let Some(relationship) = relationship else {
        return Ok(None);
    };
    let (version, posted) = end(connection, id).await?;
    Ok(Some(Loaded {
        relationship: RelationshipId::from_uuid(relationship),
        version,
        posted,
        spending: spending(connection, id, version, now).await?,
    }))
}

#[derive(Debug, sqlx::FromRow)]
struct EndRow {
    version: i64,
    amount: i64,
    balance_after: i64,
}

/// Version and balance of the last entry.
async fn end(connection: &mut PgConnection, id: BalanceId) -> Result<(i64, Money), Error> {
    let rows: Vec<EndRow> = sqlx::query_as(include_str!("end.sql"))
        .bind(id.0)
        .fetch_all(connection)
        .await?;
    let Some(last) = rows.first() else {
        return Ok((0, Money::ZERO));
    };
    let before = rows
        .get(1)
        .map_or((0, 0), |row| (row.version, row.balance_after));
    let continues = last.version.checked_sub(1) == Some(before.0)
        && last.balance_after.checked_sub(last.amount) == Some(before.1);
    if !continues {
        return Err(Error::Inconsistent {
            what: "the last two entries do not follow each other",
        });
    }
    Ok((last.version, money(last.balance_after)?))
}

#[derive(Debug, sqlx::FromRow)]
struct SpentRow {
    today: bool,
    key_id: Uuid,
    spent: i64,
}

/// What was bought in the month of `now`, until the entry `last`.
async fn spending(
    connection: &mut PgConnection,
    id: BalanceId,
    last: i64,
    now: Timestamp,
) -> Result<Spending, Error> {
    let day = now.date_naive();
    let month = day.with_day(1).expect("every month has a first day");
    let rows: Vec<SpentRow> = sqlx::query_as(include_str!("spending.sql"))
        .bind(id.0)
        .bind(last)
        .bind(midnight(month))
        .bind(midnight(day))
        .fetch_all(connection)
        .await?;
    let mut spending = Spending {
        day,
        today: Money::ZERO,
        month: Money::ZERO,
        keys_today: [].into(),
    };
    for row in rows {
        let spent = money(row.spent)?;
        spending.month = sum(spending.month, spent)?;
        if row.today {
            spending.today = sum(spending.today, spent)?;
            spending
                .keys_today
                .insert(KeyId::from_uuid(row.key_id), spent);
        }
    }
    Ok(spending)
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

fn sum(one: Money, other: Money) -> Result<Money, Error> {
    one.checked_add(other).ok_or(Error::Inconsistent {
        what: "a sum is beyond the bound",
    })
}
