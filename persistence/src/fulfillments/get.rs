//! One fulfillment by its public id.

use engine::{fulfillments::Fulfillment, ids::FulfillmentId, relationships::RelationshipScope};

use super::rows::{self, EntryRow};
use crate::{Database, Error, owned};

/// The fulfillment of an order with this id in this scope. The id carries the version, by which the row is
/// found; a guessed version alone finds nothing, because the whole id must match.
pub async fn find(
    db: &Database,
    scope: RelationshipScope,
    id: FulfillmentId,
) -> Result<Option<Fulfillment>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.read().await?;
        let entry: Option<EntryRow> = sqlx::query_as(
            "SELECT balance_id, version, id, amount, balance_after, created_at, reference, channel,
                    key_id, fingerprint, email_sealed, serial_ids, details,
                    COALESCE((SELECT r.refunded FROM refunded AS r
                              WHERE r.balance_id = e.balance_id AND r.version = e.version), 0)
                      AS refunded
             FROM ledger_entries AS e
             WHERE balance_id = $1 AND version = $2 AND id = $3 AND kind = 1 AND channel <> 7",
        )
        .bind(scope.balance.0)
        .bind(id.entry().version())
        .bind(id.uuid())
        .fetch_optional(&mut *connection)
        .await?;
        Ok(
            rows::fulfillments(&mut connection, entry.into_iter().collect())
                .await?
                .pop(),
        )
    })
    .await
}
