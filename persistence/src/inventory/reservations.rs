//! Rows of units that are kept for withdrawals which may come.
//!
//! Keeps: a row is stored by the owner of the shard only, under a lock of its shelf that lasts as long as
//! its transaction. Whoever loads the shelf passes that lock first: a row is then seen, or its transaction
//! sees who owns the shard now, and fails.

use engine::{
    catalog::Sku,
    clock::Timestamp,
    ids::{VariantId, WithdrawalId},
    inventory::{Ending, Reach, Reservation, ReservedUnits, Stored},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::levels::shelf;
use crate::Error;

/// Stores a reservation as the last step but the commit of what it is made for; one that ended begins
/// anew, one that did not keeps its place. Any error means that its transaction must not be committed.
pub async fn insert(
    connection: &mut PgConnection,
    reservation: Reservation,
    now: Timestamp,
) -> Result<Stored, Error> {
    let call = *reservation.call();
    sqlx::query("SELECT pg_advisory_xact_lock_shared(hashtextextended($1::uuid::text, 0))")
        .bind(shelf(call.sku))
        .execute(&mut *connection)
        .await?;
    // A statement of its own, after the lock: it sees every takeover that came before a look at this shelf.
    let stored = sqlx::query(
        "INSERT INTO reservations
           (withdrawal_id, merchant_id, product_id, variant_id, quantity, waits, unpaid,
            reserved_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8 FROM shards WHERE shard = 0 AND owner = $9
         ON CONFLICT ON CONSTRAINT reservations_pkey DO UPDATE SET
           quantity = EXCLUDED.quantity,
           waits = CASE WHEN reservations.ended_at IS NULL
             THEN reservations.waits ELSE EXCLUDED.waits END,
           unpaid = CASE WHEN reservations.ended_at IS NULL
             THEN reservations.unpaid ELSE EXCLUDED.unpaid END,
           reserved_at = CASE WHEN reservations.ended_at IS NULL
             THEN reservations.reserved_at ELSE EXCLUDED.reserved_at END,
           ended_at = NULL, ending = NULL",
    )
    .bind(call.id.uuid())
    .bind(call.merchant.uuid())
    .bind(call.sku.product.uuid())
    .bind(call.sku.variant.map(VariantId::uuid))
    .bind(i64::from(call.quantity))
    .bind(reservation.reach() == Reach::Beyond)
    .bind(reservation.reach() == Reach::Share)
    .bind(now)
    .bind(reservation.owner().0)
    .execute(connection)
    .await?;
    if stored.rows_affected() == 0 {
        return Err(Error::Unavailable {
            reason: "another process has the shard".to_owned(),
        });
    }
    Ok(reservation.stored())
}

/// Ends a reservation in the transaction that ends what it was made for; false if it had ended before, or
/// there is none. Afterwards the engine is told.
pub async fn end(
    connection: &mut PgConnection,
    id: WithdrawalId,
    ending: Ending,
    now: Timestamp,
) -> Result<bool, Error> {
    let ended = sqlx::query(
        "UPDATE reservations SET ended_at = $2, ending = $3
         WHERE withdrawal_id = $1 AND ended_at IS NULL",
    )
    .bind(id.uuid())
    .bind(now)
    .bind(ending.name())
    .execute(connection)
    .await?;
    Ok(ended.rows_affected() == 1)
}

/// Whether there is one that has no end.
pub async fn is_live(connection: &mut PgConnection, id: WithdrawalId) -> Result<bool, Error> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM reservations WHERE withdrawal_id = $1 AND ended_at IS NULL)",
    )
    .bind(id.uuid())
    .fetch_one(connection)
    .await?)
}

/// Somebody paid for it: it is in no share from now on, and behind those that were not by then. Afterwards the
/// engine is told.
pub async fn paid(
    connection: &mut PgConnection,
    id: WithdrawalId,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE reservations SET unpaid = false, reserved_at = $2
         WHERE withdrawal_id = $1 AND ended_at IS NULL AND unpaid",
    )
    .bind(id.uuid())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// What is reserved of a shelf, in its order, once nobody is storing more of it.
pub(super) async fn settled(
    connection: &mut PgConnection,
    sku: Sku,
) -> Result<Vec<ReservedUnits>, Error> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text, 0))")
        .bind(shelf(sku))
        .execute(&mut *connection)
        .await?;
    let rows: Vec<(Uuid, i32, bool, bool)> = sqlx::query_as(include_str!("reserved.sql"))
        .bind(sku.product.uuid())
        .bind(sku.variant.map(VariantId::uuid))
        .fetch_all(connection)
        .await?;
    let reserved = |(id, quantity, waits, unpaid): (_, i32, _, _)| ReservedUnits {
        id: WithdrawalId::from_uuid(id),
        quantity: quantity.unsigned_abs(),
        reach: match (waits, unpaid) {
            (true, _) => Reach::Beyond,
            (false, true) => Reach::Share,
            (false, false) => Reach::Shelf,
        },
    };
    Ok(rows.into_iter().map(reserved).collect())
}
