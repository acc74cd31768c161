//! Addresses of customers whose time is over: of invoices, sales, inventories and orders.
//!
//! Keeps: a step touches a bounded number of rows, in a transaction of its own, and takes nothing but addresses:
//! entries, claims, and what an order id is bound to stay. The address of an order goes together with the digest by
//! which it is found.

use engine::{
    clock::Timestamp,
    ids::{BalanceId, MerchantId},
    payments::Status,
    vault::Sealed,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Database, Error,
    database::commit,
    error::at_most_one,
    fulfillments::customers::{Digested, Order},
    owned,
};

/// Rows of one table in one step.
const ROWS_MAX: i64 = 500;
/// Batches of a lane in one step.
const BATCHES_MAX: i64 = 16;

const SALES: &str = "UPDATE sales SET customer = NULL
     WHERE sale_id = ANY (ARRAY (
       SELECT sale_id FROM sales WHERE customer IS NOT NULL AND created_at < $1
       ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED))";
const ITEMS: &str = "UPDATE inventory_items SET email_sealed = NULL, email_digest = NULL
     WHERE serial_id = ANY (ARRAY (
       SELECT serial_id FROM inventory_items WHERE email_sealed IS NOT NULL AND delivered_at < $1
       ORDER BY delivered_at LIMIT $2 FOR UPDATE SKIP LOCKED))";

/// Erases the customers of some invoices that stand in one of these statuses, of some sales and of some items, all
/// untouched since before a time; says how many.
pub async fn erase(db: &Database, over: &[Status], before: Timestamp) -> Result<u64, Error> {
    let over: Vec<&'static str> = over.iter().map(|status| status.name()).collect();
    let db = db.clone();
    owned(async move {
        let mut erased = invoices(&db, &over, before).await?;
        for sql in [SALES, ITEMS] {
            let mut tx = db.begin_behind().await?;
            let done = sqlx::query(sql).bind(before).bind(ROWS_MAX);
            let done = done.execute(&mut *tx).await?;
            commit(tx).await?;
            erased += done.rows_affected();
        }
        Ok(erased)
    })
    .await
}

/// With what their visits know.
async fn invoices(db: &Database, over: &[&str], before: Timestamp) -> Result<u64, Error> {
    let mut tx = db.begin_behind().await?;
    let erased: Vec<Uuid> = sqlx::query_scalar(
        "UPDATE invoices SET customer = NULL, customer_sealed = NULL, customer_digest = NULL,
           address_digest = NULL
         WHERE invoice_id = ANY (ARRAY (
           SELECT invoice_id FROM invoices
           WHERE customer_sealed IS NOT NULL AND updated_at < $1 AND status = ANY ($3)
           ORDER BY updated_at LIMIT $2 FOR UPDATE SKIP LOCKED))
         RETURNING invoice_id",
    )
    .bind(before)
    .bind(ROWS_MAX)
    .bind(over)
    .fetch_all(&mut *tx)
    .await?;
    sqlx::query("UPDATE checkout_sessions SET customer_sealed = NULL WHERE invoice_id = ANY ($1)")
        .bind(&erased)
        .execute(&mut *tx)
        .await?;
    commit(tx).await?;
    Ok(erased.len() as u64)
}

/// Orders of one lane whose customers are to be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Old {
    lane: i16,
    from: i64,
    through: i64,
    pub orders: Vec<Order>,
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    merchant_id: Option<Uuid>,
    balance_id: Option<i64>,
    version: Option<i64>,
    email_sealed: Option<Vec<u8>>,
}

/// The next orders of each lane that were committed before a time and are stored by their customers already.
pub async fn old(db: &Database, before: Timestamp) -> Result<Vec<Old>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.behind().await?;
        let lanes: Vec<(i16, i64, i64)> = sqlx::query_as(
            "SELECT c.lane, COALESCE(e.seq, 0), c.seq FROM customer_cursors AS c
             LEFT JOIN erasure_cursors AS e ON e.lane = c.lane
             WHERE c.seq > COALESCE(e.seq, 0) ORDER BY c.lane",
        )
        .fetch_all(&mut *connection)
        .await?;
        let mut found = Vec::with_capacity(lanes.len());
        for (lane, from, to) in lanes {
            found.extend(next(&mut connection, (lane, from, to), before).await?);
        }
        Ok(found)
    })
    .await
}

async fn next(
    connection: &mut PgConnection,
    (lane, from, to): (i16, i64, i64),
    before: Timestamp,
) -> Result<Option<Old>, Error> {
    let rows: Vec<Row> = sqlx::query_as(include_str!("erasure.sql"))
        .bind(lane)
        .bind(from)
        .bind(to)
        .bind(BATCHES_MAX)
        .bind(before)
        .fetch_all(connection)
        .await?;
    let through = rows.iter().map(|row| row.seq).max();
    let orders = rows.into_iter().filter_map(|row| {
        Some(Order {
            merchant: MerchantId::from_uuid(row.merchant_id?),
            balance: BalanceId(row.balance_id?),
            version: row.version?,
            email: Sealed::from_bytes(row.email_sealed?),
        })
    });
    let orders = orders.collect();
    Ok(through.map(|through| Old {
        lane,
        from,
        through,
        orders,
    }))
}

/// Erases what was read of a lane, with the digests by which it is found; false if somebody else did.
pub async fn erase_orders(db: &Database, of: Old, digested: Vec<Digested>) -> Result<bool, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin_behind().await?;
        let moved = sqlx::query(
            "INSERT INTO erasure_cursors AS c (lane, seq) VALUES ($1, $3)
             ON CONFLICT ON CONSTRAINT erasure_cursors_pkey
               DO UPDATE SET seq = EXCLUDED.seq WHERE c.seq = $2",
        )
        .bind(of.lane)
        .bind(of.from)
        .bind(of.through)
        .execute(&mut *tx)
        .await?;
        if !at_most_one(&moved, "the cursor of a lane")? {
            return Ok(false);
        }
        forget(&mut tx, &of.orders).await?;
        unfind(&mut tx, &digested).await?;
        commit(tx).await?;
        Ok(true)
    })
    .await
}

async fn forget(connection: &mut PgConnection, orders: &[Order]) -> Result<(), Error> {
    let balances: Vec<i64> = orders.iter().map(|one| one.balance.0).collect();
    let versions: Vec<i64> = orders.iter().map(|one| one.version).collect();
    sqlx::query(
        "UPDATE ledger_entries AS e SET email_sealed = NULL
         FROM UNNEST($1::bigint[], $2::bigint[]) AS o (balance_id, version)
         WHERE e.balance_id = o.balance_id AND e.version = o.version AND e.kind = 1",
    )
    .bind(balances)
    .bind(versions)
    .execute(connection)
    .await?;
    Ok(())
}

async fn unfind(connection: &mut PgConnection, digested: &[Digested]) -> Result<(), Error> {
    let merchants: Vec<Uuid> = digested.iter().map(|one| one.merchant.uuid()).collect();
    let digests: Vec<&[u8]> = digested.iter().map(|one| &one.digest[..]).collect();
    let balances: Vec<i64> = digested.iter().map(|one| one.balance.0).collect();
    let versions: Vec<i64> = digested.iter().map(|one| one.version).collect();
    sqlx::query(
        "DELETE FROM customer_orders AS c
         USING UNNEST($1::uuid[], $2::bytea[], $3::bigint[], $4::bigint[])
           AS o (merchant_id, digest, balance_id, version)
         WHERE c.merchant_id = o.merchant_id AND c.digest = o.digest
           AND c.balance_id = o.balance_id AND c.version = o.version",
    )
    .bind(merchants)
    .bind(digests)
    .bind(balances)
    .bind(versions)
    .execute(connection)
    .await?;
    Ok(())
}
