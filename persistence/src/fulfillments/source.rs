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

/// The fulfillment that bound an order id. A look-up that finds nothing is one indexed read.
pub(crate) async fn find(
    connection: &mut PgConnection,
    balance: BalanceId,
    order_id: &OrderId,
) -> Result<Option<Fulfillment>, Error> {
    let entry: Option<EntryRow> = sqlx::query_as(include_str!("find.sql"))
        .bind(balance.0)
        .bind(order_id.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    Ok(rows::fulfillments(connection, entry.into_iter().collect())
        .await?
        .pop())
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
            }),
        })
    })
    .transpose()
}
