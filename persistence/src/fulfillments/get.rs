//! One fulfillment by its public id, or by the order id that it is bound to.

use engine::{
    fulfillments::{Channel, Fulfillment, OrderId},
    ids::FulfillmentId,
    relationships::RelationshipScope,
};

use super::{
    rows::{self, EntryRow},
    source,
};
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

/// The fulfillment of this scope that an order id is bound to, as far as it is stored. A wholesale purchase
/// is none.
pub async fn find_by_order_id(
    db: &Database,
    scope: RelationshipScope,
    order_id: OrderId,
) -> Result<Option<Fulfillment>, Error> {
    let db = db.clone();
    owned(async move {
        let asked = [(scope.balance, order_id)];
        let found = source::find_all(&mut *db.read().await?, &asked).await?;
        let found = found.into_iter().next().transpose()?.flatten();
        Ok(found.filter(|one| one.contents.channel != Channel::Stock))
    })
    .await
}
