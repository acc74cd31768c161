//! What goes back to balances for purchases: stored with the step that says so, credited by the caller.
//!
//! Keeps: one that was stored and not credited stays in [`refunds_waiting`] until it is [`refund_credited`]. Money
//! that went to the balance of who owes settles the debt, as a top-up does.

use engine::{
    clock::Timestamp,
    ids::{BalanceId, MerchantId, RelationshipId, StockRefundId, StockRequestId},
    relationships::RelationshipScope,
    stock_requests::StockRefund,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Database, Error,
    database::commit,
    error::at_most_one,
    fulfillments::rows::money,
    owned,
    relationships::rows::kept,
    top_ups::{
        Cause, Taking,
        rows::lock_balance,
        takings::{self, CreditedMoney},
    },
};

pub(super) async fn insert(
    connection: &mut PgConnection,
    refund: &StockRefund,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO stock_refunds (refund_id, stock_request_id, merchant_id, relationship_id,
           balance_id, amount, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(refund.id.uuid())
    .bind(refund.request.uuid())
    .bind(refund.scope.merchant.uuid())
    .bind(refund.scope.relationship.uuid())
    .bind(refund.scope.balance.0)
    .bind(refund.amount.minor())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// The entry of a refund is in the ledger: nobody need look for it any more. Says what it settles of a debt, and is to
/// be taken, if it was not known before.
pub async fn refund_credited(
    db: &Database,
    refund: StockRefund,
    now: Timestamp,
) -> Result<Option<Taking>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let scope = refund.scope;
        lock_balance(&mut tx, (scope.merchant, scope.relationship)).await?;
        let noted = sqlx::query(
            "UPDATE stock_refunds SET credited_at = $2 WHERE refund_id = $1 AND credited_at IS NULL",
        )
        .bind(refund.id.uuid())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        if !at_most_one(&noted, "a refund that was credited")? {
            return Ok(None);
        }
        let money = CreditedMoney {
            reference: refund.id.to_string(),
            cause: Cause::Purchase(refund.request),
            amount: refund.amount,
        };
        let settles = takings::settle(&mut tx, scope, money, now).await?;
        commit(tx).await?;
        Ok(settles)
    })
    .await
}

#[derive(sqlx::FromRow)]
struct Row {
    refund_id: Uuid,
    stock_request_id: Uuid,
    merchant_id: Uuid,
    relationship_id: Uuid,
    balance_id: i64,
    amount: i64,
}

/// A refund that is stored, credited or not.
pub async fn find_refund(db: &Database, id: StockRefundId) -> Result<Option<StockRefund>, Error> {
    let db = db.clone();
    owned(async move {
        let row: Option<Row> = sqlx::query_as(
            "SELECT refund_id, stock_request_id, merchant_id, relationship_id, balance_id, amount
             FROM stock_refunds WHERE refund_id = $1",
        )
        .bind(id.uuid())
        .fetch_optional(&mut *db.read().await?)
        .await?;
        row.map(StockRefund::try_from).transpose()
    })
    .await
}

/// Refunds from before a time that were stored and perhaps not credited, after that one: who goes on where
/// a page ended reaches all of them, however many cannot be credited.
pub async fn refunds_waiting(
    db: &Database,
    before: Timestamp,
    after: Option<StockRefundId>,
    limit: u32,
) -> Result<Vec<StockRefund>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT refund_id, stock_request_id, merchant_id, relationship_id, balance_id, amount
             FROM stock_refunds
             WHERE credited_at IS NULL AND created_at < $1 AND refund_id > $3
             ORDER BY refund_id LIMIT $2",
        )
        .bind(before)
        .bind(i64::from(limit))
        .bind(after.map_or(Uuid::nil(), StockRefundId::uuid))
        .fetch_all(&mut *db.read().await?)
        .await?;
        rows.into_iter().map(StockRefund::try_from).collect()
    })
    .await
}

impl TryFrom<Row> for StockRefund {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: StockRefundId::from_uuid(row.refund_id),
            request: StockRequestId::from_uuid(row.stock_request_id),
            scope: RelationshipScope {
                merchant: MerchantId::from_uuid(row.merchant_id),
                relationship: RelationshipId::from_uuid(row.relationship_id),
                balance: BalanceId(row.balance_id),
                test: false,
            },
            amount: money(row.amount)?,
        })
    }
}
