//! The look-up of an order id and of a credit, by the unique reference.

use chrono::{DateTime, Utc};
use engine::{
    balances::{Credit, CreditEntry, EntryKind},
    fulfillments::{Fulfillment, OrderId, Stamp},
    ids::{BalanceId, EntryId},
};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::rows::{self, EntryRow, money};
use crate::{balances::rows::CreditDetails, error::Error};

#[derive(Debug, sqlx::FromRow)]
struct FoundRow {
    /// Of the order id that was asked for, from 1.
    place: i64,
    #[sqlx(flatten)]
    entry: EntryRow,
}

/// What bound these order ids, in their order: a fulfillment, nothing, or rows that do not fit. Where
/// nothing is found, all of them are one indexed read.
pub(crate) async fn find_all(
    connection: &mut PgConnection,
    asked: &[(BalanceId, OrderId)],
) -> Result<Vec<Result<Option<Fulfillment>, Error>>, Error> {
    let balances: Vec<i64> = asked.iter().map(|(balance, _)| balance.0).collect();
    let references: Vec<&str> = asked
        .iter()
        .map(|(_, order_id)| order_id.as_str())
        .collect();
    let rows: Vec<FoundRow> = sqlx::query_as(include_str!("find.sql"))
        .bind(balances)
        .bind(references)
        .fetch_all(&mut *connection)
        .await?;
    let (places, entries): (Vec<i64>, _) =
        rows.into_iter().map(|row| (row.place, row.entry)).unzip();
    let mut found: Vec<_> = asked.iter().map(|_| Ok(None)).collect();
    for (place, fulfillment) in places
        .into_iter()
        .zip(rows::each(connection, entries).await?)
    {
        let index = usize::try_from(place - 1).ok();
        let slot = index.and_then(|index| found.get_mut(index));
        *slot.expect("a place is one of those asked for") = fulfillment.map(Some);
    }
    Ok(found)
}

#[derive(Debug, sqlx::FromRow)]
struct CreditRow {
    version: i64,
    id: Uuid,
    amount: i64,
    balance_after: i64,
    created_at: DateTime<Utc>,
    details: Option<Json<CreditDetails>>,
}

/// The credit of this kind and reference.
pub(crate) async fn find_credit(
    connection: &mut PgConnection,
    balance: BalanceId,
    kind: EntryKind,
    reference: &str,
) -> Result<Option<CreditEntry>, Error> {
    let row: Option<CreditRow> = sqlx::query_as(
        "SELECT version, id, amount, balance_after, created_at, details
         FROM ledger_entries
         WHERE balance_id = $1 AND kind = $2 AND reference = $3",
    )
    .bind(balance.0)
    .bind(kind.number())
    .bind(reference)
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        let details = row.details.map(|details| details.0).unwrap_or_default();
        Ok(CreditEntry {
            stamp: Stamp {
                id: EntryId::from_uuid(row.id),
                version: row.version,
                balance_after: money(row.balance_after)?,
                created_at: row.created_at,
            },
            credit: std::sync::Arc::new(Credit {
                balance,
                kind,
                reference: reference.to_owned(),
                amount: money(row.amount)?,
                description: details.description,
                label: details.label,
                by: None,
            }),
        })
    })
    .transpose()
}
