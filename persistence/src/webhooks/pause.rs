//! The webhooks of a relationship that ends: nothing more is sent.

use engine::{clock::Timestamp, ids::RelationshipId};
use sqlx::PgConnection;

use crate::Error;

/// Pauses them all, in the transaction that ends the relationship.
pub(crate) async fn pause(
    connection: &mut PgConnection,
    relationship: RelationshipId,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE webhooks SET status = 'PAUSED', updated_at = $2
         WHERE relationship_id = $1 AND status = 'ACTIVE'",
    )
    .bind(relationship.uuid())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
