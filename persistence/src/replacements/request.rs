//! A reseller asks for the replacement of one serial that was delivered for an order.
//!
//! Keeps: requests of one balance are judged one after the other, so that the share of replaced units is
//! kept whoever races; a serial that was asked for is not asked for again.

use chrono::TimeDelta;
use engine::{
    audit::{Actor, Deed},
    clock::Timestamp,
    fulfillments::OrderId,
    ids::{BalanceId, ReplacementId, SerialId, VariantId},
    programs,
    relationships::RelationshipScope,
    replacements::{self, Bought, DecidedBy, Facts, Refusal, Replacement, SHARE_DAYS, Status},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows::tell;
use crate::{Database, Error, audit, balances::ledger::version_before, database::commit, owned};

/// Stores a request as it was judged, or says why there is none. `wanted` says all but what follows from
/// the judgement.
pub async fn request(
    db: &Database,
    wanted: Replacement,
    (delivered_at, refunded): (Timestamp, bool),
    rule: programs::Replacement,
    (actor, now): (Actor, Timestamp),
) -> Result<Result<Replacement, Refusal>, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        sqlx::query("SELECT FROM balances WHERE balance_id = $1 FOR UPDATE")
            .bind(wanted.scope.balance.0)
            .execute(&mut *tx)
            .await?;
        let (bought, replaced) = share(&mut tx, wanted.scope.balance, now).await?;
        let facts = Facts {
            delivered_at,
            gone: false,
            refunded,
            requested: is_requested(&mut tx, wanted.serial).await?,
            rule,
            bought,
            replaced,
        };
        let status = match replacements::request(&facts, now) {
            Ok(status) => status,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let automatic = status == Status::Issuing;
        let stored = Replacement {
            status,
            decided_by: automatic.then_some(DecidedBy::Auto),
            ..wanted
        };
        insert(&mut tx, &stored, now).await?;
        tell(&mut tx, &stored, now).await?;
        note(&mut tx, &stored, (actor, "replacement.request"), now).await?;
        commit(tx).await?;
        Ok(Ok(stored))
    })
    .await
}

/// Appends what was done, which is the last thing that the transaction locks.
pub(super) async fn note(
    connection: &mut PgConnection,
    one: &Replacement,
    (actor, action): (Actor, &str),
    now: Timestamp,
) -> Result<(), Error> {
    let deed = Deed {
        actor,
        action: action.to_owned(),
        target: one.id.to_string(),
        before: None,
        after: None,
        at: now,
    };
    audit::append(connection, one.scope.merchant, deed).await
}

/// Units that a balance bought in the last days, and that were replaced of it.
async fn share(
    connection: &mut PgConnection,
    balance: BalanceId,
    now: Timestamp,
) -> Result<(u64, u64), Error> {
    let since = now - TimeDelta::days(SHARE_DAYS);
    let before = version_before(connection, balance, since).await?;
    let bought: i64 = sqlx::query_scalar(
        "SELECT COALESCE(SUM(CARDINALITY(e.serial_ids)), 0)::bigint FROM ledger_entries AS e
         WHERE e.balance_id = $1 AND e.version > $2 AND e.kind = 1
           -- What is replaced of wholesale units is decided by hand, so they give no right to it.
           AND e.channel <> 7",
    )
    .bind(balance.0)
    .bind(before)
    .fetch_one(&mut *connection)
    .await?;
    let replaced: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM replacements AS r
         JOIN balances AS b ON b.relationship_id = r.relationship_id
         WHERE b.balance_id = $1 AND r.balance_id = $1 AND r.created_at >= $2
           AND r.stock_request_id IS NULL
           AND r.status NOT IN ('REQUESTED', 'REJECTED', 'CANCELLED')",
    )
    .bind(balance.0)
    .bind(since)
    .fetch_one(connection)
    .await?;
    Ok((bought.unsigned_abs(), replaced.unsigned_abs()))
}

pub(super) async fn is_requested(
    connection: &mut PgConnection,
    serial: SerialId,
) -> Result<bool, Error> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM replacements
           WHERE serial_id = $1 AND status NOT IN ('REJECTED', 'CANCELLED'))",
    )
    .bind(serial.uuid())
    .fetch_one(connection)
    .await?)
}

pub(super) async fn insert(
    connection: &mut PgConnection,
    one: &Replacement,
    now: Timestamp,
) -> Result<(), Error> {
    let (entry, order_id, request) = match &one.bought {
        Bought::Fulfillment { id, order_id } => (id.uuid(), order_id.clone(), None),
        Bought::Wholesale(id) => (Uuid::nil(), OrderId::of_stock_request(*id), Some(id.uuid())),
    };
    sqlx::query(
        "INSERT INTO replacements (replacement_id, merchant_id, relationship_id, balance_id, test,
           entry_id, order_id, stock_request_id, serial_id, product_id, variant_id, unit_price,
           reason, note, status, decided_by, attempted_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17,
           $17)",
    )
    .bind(one.id.uuid())
    .bind(one.scope.merchant.uuid())
    .bind(one.scope.relationship.uuid())
    .bind(one.scope.balance.0)
    .bind(one.scope.test)
    .bind(entry)
    .bind(order_id.as_str())
    .bind(request)
    .bind(one.serial.uuid())
    .bind(one.sku.product.uuid())
    .bind(one.sku.variant.map(VariantId::uuid))
    .bind(one.unit_price.minor())
    .bind(one.reason.name())
    .bind(&one.note)
    .bind(one.status.name())
    .bind(one.decided_by.map(DecidedBy::name))
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// A replacement of this scope.
pub async fn find(
    db: &Database,
    scope: RelationshipScope,
    id: ReplacementId,
) -> Result<Option<Replacement>, Error> {
    let found = super::list::find(db, scope.merchant, id).await?;
    Ok(found.filter(|found| found.scope == scope))
}
