//! A fact that is not in the ledger, stored in the transaction that makes it one.

use engine::{
    clock::Timestamp,
    events::Fact,
    ids::{MerchantId, RelationshipId},
};
use sqlx::{PgConnection, types::Json};

use crate::Error;

/// Stores a fact of this merchant, and of this relationship if it concerns one. It locks nothing.
pub(crate) async fn tell(
    connection: &mut PgConnection,
    (merchant, relationship): (MerchantId, Option<RelationshipId>),
    fact: &Fact,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO event_outbox (merchant_id, relationship_id, fact, occurred_at)
         VALUES ($1, $2, $3, $4)",
    )
    .bind(merchant.uuid())
    .bind(relationship.map(RelationshipId::uuid))
    .bind(Json(fact))
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
