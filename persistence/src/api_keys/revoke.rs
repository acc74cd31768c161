//! The end of a key.

use engine::{
    clock::Timestamp,
    events::Fact,
    ids::{BalanceId, KeyId, RelationshipId},
};
use sqlx::PgConnection;

use super::{
    KeyScope, StoredKey,
    rows::{Row, select_key},
};
use crate::{Database, Error, database::commit, events::outbox, owned};

/// A revoked key, and whose actors must hear of it.
#[derive(Debug, Clone)]
pub struct Revoked {
    pub stored: StoredKey,
    /// It was revoked before: nothing was changed.
    pub already: bool,
    /// The balances of its relationship: what to tell the engine's `terms_changed`.
    pub balances: Vec<BalanceId>,
}

/// Revokes a key of this scope; none if there is no such key. The version of its relationship rises
/// in the same transaction.
pub async fn revoke(
    db: &Database,
    scope: KeyScope,
    id: KeyId,
    reason: Option<String>,
    now: Timestamp,
) -> Result<Option<Revoked>, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let changed = sqlx::query(
            "UPDATE api_keys SET revoked_at = $4, revoked_reason = $5
             WHERE merchant_id = $1 AND relationship_id IS NOT DISTINCT FROM $2 AND key_id = $3
               AND revoked_at IS NULL",
        )
        .bind(scope.merchant.uuid())
        .bind(scope.relationship.map(RelationshipId::uuid))
        .bind(id.uuid())
        .bind(now)
        .bind(reason)
        .execute(&mut *tx)
        .await?
        .rows_affected()
            == 1;
        if changed {
            raise_version(&mut tx, scope, now).await?;
            let fact = Fact::KeyRevoked {
                key: id.uuid(),
                relationship: scope.relationship.map(RelationshipId::uuid),
            };
            outbox::tell(&mut tx, (scope.merchant, scope.relationship), &fact, now).await?;
        }
        let row: Option<Row> = sqlx::query_as(select_key!(
            "WHERE k.merchant_id = $1 AND k.relationship_id IS NOT DISTINCT FROM $2 AND k.key_id = $3"
        ))
        .bind(scope.merchant.uuid())
        .bind(scope.relationship.map(RelationshipId::uuid))
        .bind(id.uuid())
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let balances = balances(&mut tx, scope).await?;
        commit(tx).await?;
        Ok(Some(Revoked { stored: row.try_into()?, already: !changed, balances }))
    })
    .await
}

async fn raise_version(
    connection: &mut PgConnection,
    scope: KeyScope,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE relationships SET version = version + 1, updated_at = $3
         WHERE merchant_id = $1 AND relationship_id = $2",
    )
    .bind(scope.merchant.uuid())
    .bind(scope.relationship.map(RelationshipId::uuid))
    .bind(now)
    .execute(connection)
    .await
    .map(drop)
}

async fn balances(
    connection: &mut PgConnection,
    scope: KeyScope,
) -> Result<Vec<BalanceId>, sqlx::Error> {
    let found: Vec<i64> = sqlx::query_scalar(
        "SELECT balance_id FROM balances WHERE merchant_id = $1 AND relationship_id = $2
         ORDER BY balance_id",
    )
    .bind(scope.merchant.uuid())
    .bind(scope.relationship.map(RelationshipId::uuid))
    .fetch_all(connection)
    .await?;
    Ok(found.into_iter().map(BalanceId).collect())
}
