//! What a call needs that arrives for a connection.

use engine::{
    clock::Timestamp,
    connections::Connection,
    ids::{BalanceId, ConnectionId, MerchantId, RelationshipId},
    relationships::RelationshipScope,
    vault::Sealed,
};
use uuid::Uuid;

use super::rows::Row;
use crate::{Database, Error, database::in_time, owned};

/// A connection with what verifies its calls, and whose balance they spend.
#[derive(Debug, Clone)]
pub struct Receiver {
    pub connection: Connection,
    pub scope: RelationshipScope,
    pub secret: Sealed,
    /// The one before, while it is good.
    pub old_secret: Option<Sealed>,
}

/// A connection that is not revoked, whoever's: the signature says whether the caller may use it.
pub async fn receiver(
    db: &Database,
    id: ConnectionId,
    now: Timestamp,
) -> Result<Option<Receiver>, Error> {
    let db = db.clone();
    let read = async move {
        let row: Option<ReceiverRow> = sqlx::query_as(
            "SELECT c.connection_id, c.name, c.kind, c.status, c.namespace, c.product_map, c.custom,
               c.daily_spend_cap, c.old_secret_until, c.last_call_at, c.created_at, c.updated_at,
               c.merchant_id, c.relationship_id, b.balance_id, c.secret, c.old_secret
             FROM connections AS c
             JOIN balances AS b ON b.relationship_id = c.relationship_id AND NOT b.test
             WHERE c.connection_id = $1 AND c.status <> 'REVOKED'",
        )
        .bind(id.uuid())
        .fetch_optional(&mut *db.find().await?)
        .await?;
        row.map(|row| row.receiver(now)).transpose()
    };
    owned(in_time(read)).await
}

#[derive(sqlx::FromRow)]
struct ReceiverRow {
    #[sqlx(flatten)]
    connection: Row,
    merchant_id: Uuid,
    relationship_id: Uuid,
    balance_id: i64,
    secret: Vec<u8>,
    old_secret: Option<Vec<u8>>,
}

impl ReceiverRow {
    fn receiver(self, now: Timestamp) -> Result<Receiver, Error> {
        let connection = Connection::try_from(self.connection)?;
        let good = connection.old_secret_until.is_some_and(|until| now < until);
        Ok(Receiver {
            connection,
            scope: RelationshipScope {
                merchant: MerchantId::from_uuid(self.merchant_id),
                relationship: RelationshipId::from_uuid(self.relationship_id),
                balance: BalanceId(self.balance_id),
                test: false,
            },
            secret: Sealed::from_bytes(self.secret),
            old_secret: self.old_secret.filter(|_| good).map(Sealed::from_bytes),
        })
    }
}
