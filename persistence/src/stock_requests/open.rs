//! A wholesale purchase is asked for.
//!
//! Keeps: requests of one balance are judged one after the other, so that the purchase limits are kept
//! whoever races; one that is sent again under its id is found, not made again.

use std::sync::Arc;

use chrono::{DateTime, Datelike as _, NaiveTime, TimeDelta, Utc};
use engine::{
    audit::Actor,
    balances::Spending,
    catalog::Sku,
    clock::Timestamp,
    fulfillments::{Agreed, Refusal},
    ids::{BalanceId, StockRequestId, VariantId},
    money::Money,
    payments::Coin,
    relationships::{RelationshipScope, Terms},
    stock_requests::{
        Committed, Event, OPEN_MAX, RequestedBy, Status, StockRequest, VALID_DAYS, within_limits,
    },
};
use sqlx::PgConnection;

use super::rows::{Row, lock, note, select_request, store, tell};
use crate::{
    Database, Error, database::commit, fulfillments::rows::money, owned, relationships::rows::kept,
};

/// What is asked for, at the price that it was quoted at.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub id: StockRequestId,
    pub scope: RelationshipScope,
    pub sku: Sku,
    pub quantity: u32,
    pub agreed: Agreed,
    pub total: Money,
    pub requested_by: RequestedBy,
    pub note: Option<String>,
    pub coin: Option<Coin>,
    /// The balance pays at once: nobody sees it waiting.
    pub pay: bool,
}

/// What the purchase limits are counted by.
#[derive(Debug, Clone)]
pub struct Limits {
    pub terms: Arc<Terms>,
    pub spending: Spending,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    Fresh(Box<StockRequest>),
    /// It was asked for before.
    Again(Box<StockRequest>),
    Refused(Box<Refusal>),
    /// As many as may be wait for money already.
    TooMany,
}

async fn open_ones(
    connection: &mut PgConnection,
    scope: RelationshipScope,
    now: Timestamp,
) -> Result<i64, Error> {
    Ok(sqlx::query_scalar(
        "SELECT COUNT(*) FROM stock_requests
         WHERE relationship_id = $1 AND status IN ('REQUESTED', 'INVOICED', 'PAYING')
           AND expires_at > $2",
    )
    .bind(scope.relationship.uuid())
    .bind(now)
    .fetch_one(connection)
    .await?)
}

/// Stores a request, or says why there is none.
pub async fn open(
    db: &Database,
    wanted: Wanted,
    limits: Limits,
    actor: Actor,
    now: Timestamp,
) -> Result<Opened, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let scope = wanted.scope;
        sqlx::query("SELECT FROM balances WHERE balance_id = $1 FOR NO KEY UPDATE")
            .bind(scope.balance.0)
            .execute(&mut *tx)
            .await?;
        let of = (scope.merchant, Some(scope.relationship));
        if let Some(found) = lock(&mut tx, of, wanted.id).await? {
            return Ok(Opened::Again(Box::new(found)));
        }
        if open_ones(&mut tx, scope, now).await? >= OPEN_MAX {
            return Ok(Opened::TooMany);
        }
        let committed = committed(&mut tx, scope.balance, now).await?;
        let (terms, spending) = (&limits.terms, &limits.spending);
        if let Err(refusal) = within_limits(terms, spending, committed, wanted.total, now) {
            return Ok(Opened::Refused(Box::new(refusal)));
        }
        insert(&mut tx, &wanted, now).await?;
        let stored = lock(&mut tx, of, wanted.id).await?;
        let mut request = stored.ok_or(Error::Inconsistent {
            what: "a stock request is gone",
        })?;
        if wanted.pay
            && let Ok(stepped) = request.clone().step(Event::PayBegun, now)
        {
            request = stepped.into_request();
            store(&mut tx, &request).await?;
        } else {
            tell(&mut tx, &request, now).await?;
        }
        let did = (actor, "stock_request.open", wanted.id.to_string());
        note(&mut tx, scope.merchant, did, now).await?;
        commit(tx).await?;
        Ok(Opened::Fresh(Box::new(request)))
    })
    .await
}

/// What was asked for in this month and is not in the ledger, and did not end unpaid.
async fn committed(
    connection: &mut PgConnection,
    balance: BalanceId,
    now: Timestamp,
) -> Result<Committed, Error> {
    let day = now.date_naive();
    let midnight =
        |day: chrono::NaiveDate| -> DateTime<Utc> { day.and_time(NaiveTime::MIN).and_utc() };
    let month = day.with_day(1).unwrap_or(day);
    let (today, month): (i64, i64) = sqlx::query_as(
        "SELECT LEAST(COALESCE(SUM(r.unit_price * r.quantity - r.refunded)
                  FILTER (WHERE r.created_at >= $2), 0), 999999999999)::bigint,
                LEAST(COALESCE(SUM(r.unit_price * r.quantity - r.refunded), 0), 999999999999)::bigint
         FROM stock_requests AS r
         JOIN balances AS b ON b.relationship_id = r.relationship_id
         WHERE b.balance_id = $1 AND r.created_at >= $3 AND r.entry_id IS NULL
           AND r.status NOT IN ('CANCELLED', 'EXPIRED')
           AND (r.status NOT IN ('REQUESTED', 'INVOICED') OR r.expires_at > $4)",
    )
    .bind(balance.0)
    .bind(midnight(day))
    .bind(midnight(month))
    .bind(now)
    .fetch_one(connection)
    .await?;
    Ok(Committed {
        today: money(today)?,
        month: money(month)?,
    })
}

async fn insert(
    connection: &mut PgConnection,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO stock_requests (stock_request_id, merchant_id, relationship_id, balance_id,
           product_id, variant_id, quantity, unit_price, price_version, requested_by, note, coin,
           status, expires_at, attempted_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $15)",
    )
    .bind(wanted.id.uuid())
    .bind(wanted.scope.merchant.uuid())
    .bind(wanted.scope.relationship.uuid())
    .bind(wanted.scope.balance.0)
    .bind(wanted.sku.product.uuid())
    .bind(wanted.sku.variant.map(VariantId::uuid))
    .bind(i32::try_from(wanted.quantity).unwrap_or(i32::MAX))
    .bind(wanted.agreed.unit_price.minor())
    .bind(wanted.agreed.price_version)
    .bind(wanted.requested_by.name())
    .bind(&wanted.note)
    .bind(wanted.coin.as_ref().map(Coin::as_str))
    .bind(Status::Requested.name())
    .bind(now + TimeDelta::days(VALID_DAYS))
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// The request of this scope with this id, if it was asked for before.
pub async fn asked(
    db: &Database,
    scope: RelationshipScope,
    id: StockRequestId,
) -> Result<Option<StockRequest>, Error> {
    let db = db.clone();
    owned(async move {
        let row: Option<Row> = sqlx::query_as(select_request!(
            "WHERE r.stock_request_id = $1 AND r.relationship_id = $2"
        ))
        .bind(id.uuid())
        .bind(scope.relationship.uuid())
        .fetch_optional(&mut *db.read().await?)
        .await?;
        row.map(StockRequest::try_from).transpose()
    })
    .await
}
