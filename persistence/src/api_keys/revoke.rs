//! The end of a key.

use engine::{
    audit::Actor,
    clock::Timestamp,
    events::Fact,
    ids::{BalanceId, KeyId, RelationshipId},
};

use super::{Changed, KeyScope, StoredKey, owner};
use crate::{Database, Error, database::commit, events::outbox, owned, relationships::rows::kept};

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
    (scope, actor): (KeyScope, Actor),
    id: KeyId,
    reason: Option<String>,
    now: Timestamp,
) -> Result<Option<Revoked>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        // Before the key, as everybody does who changes one; whatever its owner's status is.
        let _owner = owner::lock(&mut tx, scope).await?;
        let Some(key) = owner::lock_key(&mut tx, scope, id).await? else {
            return Ok(None);
        };
        let already = key.key.revoked_at.is_some();
        let balances = owner::balances(&mut tx, scope).await?;
        if !already {
            let before = owner::digest(&mut tx, id).await?;
            sqlx::query(
                "UPDATE api_keys SET revoked_at = $2, revoked_reason = $3 WHERE key_id = $1",
            )
            .bind(id.uuid())
            .bind(now)
            .bind(reason)
            .execute(&mut *tx)
            .await?;
            owner::raise_version(&mut tx, scope, now).await?;
            let fact = Fact::KeyRevoked {
                key: id.uuid(),
                relationship: scope.relationship.map(RelationshipId::uuid),
            };
            outbox::tell(&mut tx, (scope.merchant, scope.relationship), &fact, now).await?;
            owner::tell(&mut tx, scope, (actor, "key.revoke", id), Some(before), now).await?;
        }
        let changed = Changed::read(&mut tx, scope, id, balances).await?;
        commit(tx).await?;
        Ok(Some(Revoked {
            stored: changed.stored,
            already,
            balances: changed.balances,
        }))
    })
    .await
}
