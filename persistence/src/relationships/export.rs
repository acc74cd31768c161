//! Everything of a relationship leaves with its reseller: noted, and its unsold serials stamped, before the
//! first line is read.
//!
//! Keeps: a serial that left counts as handed over, so nobody gives its price back as if it had not.

use engine::{
    audit::{Actor, Deed},
    clock::Timestamp,
    relationships::RelationshipScope,
};

use super::rows::kept;
use crate::{Database, Error, audit, database::commit, owned};

/// Notes that everything is about to be read.
pub async fn note_export(
    db: &Database,
    scope: RelationshipScope,
    (actor, now): (Actor, Timestamp),
) -> Result<(), Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        // Whoever changes items has their requests: in their order, so that nobody waits crosswise.
        sqlx::query(
            "SELECT FROM stock_requests WHERE relationship_id = $1 AND merchant_id = $2
             ORDER BY relationship_id, number FOR UPDATE",
        )
        .bind(scope.relationship.uuid())
        .bind(scope.merchant.uuid())
        .fetch_all(&mut *tx)
        .await?;
        sqlx::query(
            "UPDATE inventory_items SET exported_at = COALESCE(exported_at, $3),
               handed_over_at = COALESCE(handed_over_at, $3), updated_at = $3
             WHERE relationship_id = $1 AND merchant_id = $2 AND status = 'AVAILABLE'
               AND exported_at IS NULL",
        )
        .bind(scope.relationship.uuid())
        .bind(scope.merchant.uuid())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        let deed = Deed {
            actor,
            action: "relationship.export".to_owned(),
            target: scope.relationship.to_string(),
            before: None,
            after: None,
            at: now,
        };
        audit::append(&mut tx, scope.merchant, deed).await?;
        commit(tx).await
    })
    .await
}
