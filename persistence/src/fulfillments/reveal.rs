//! When a customer opened a serial, as the shop says.
//!
//! Keeps: the first word counts, whoever says another one later.

use engine::{clock::Timestamp, ids::SerialId, relationships::RelationshipScope};

use crate::{Database, Error, database::commit, error::at_most_one, owned};

/// Notes that a serial of this scope's order was opened; false if that was noted before.
pub async fn reveal(
    db: &Database,
    scope: RelationshipScope,
    serial: SerialId,
    (revealed_at, now): (Timestamp, Timestamp),
) -> Result<bool, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let noted = sqlx::query(
            "INSERT INTO reveals (serial_id, merchant_id, balance_id, revealed_at, created_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT ON CONSTRAINT reveals_pkey DO NOTHING",
        )
        .bind(serial.uuid())
        .bind(scope.merchant.uuid())
        .bind(scope.balance.0)
        .bind(revealed_at)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        commit(tx).await?;
        at_most_one(&noted, "the reveal of a serial")
    })
    .await
}
