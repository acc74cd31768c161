//! Whose key is being made or changed: what is locked first, and what is asked before.
//!
//! Keeps: the owner's row is locked before its keys are counted or looked at, so two calls at once cannot
//! both be the last that is allowed.

use engine::{
    api_keys::{Holder, LIVE_MAX},
    audit::{Actor, Deed, Digest},
    clock::Timestamp,
    events::Fact,
    ids::{BalanceId, KeyId, ProductId, RelationshipId},
    relationships::{Mode, Status},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    KeyScope, Refusal, StoredKey,
    rows::{Row, select_key},
};
use crate::{Error, audit, error::exactly_one, events::outbox, relationships::rows::named};

/// Whose key it is to be, locked until the transaction ends. None if there is no such owner, a refusal
/// if it may have no keys now.
pub(super) async fn lock(
    connection: &mut PgConnection,
    scope: KeyScope,
) -> Result<Option<Result<Holder, Refusal>>, Error> {
    let Some(relationship) = scope.relationship else {
        let own: Option<Uuid> = sqlx::query_scalar(
            "SELECT merchant_id FROM merchants WHERE merchant_id = $1 FOR NO KEY UPDATE",
        )
        .bind(scope.merchant.uuid())
        .fetch_optional(connection)
        .await?;
        return Ok(own.map(|_| Ok(Holder::Merchant)));
    };
    let row: Option<(String, String)> = sqlx::query_as(
        "SELECT status, mode FROM relationships
         WHERE merchant_id = $1 AND relationship_id = $2 FOR UPDATE",
    )
    .bind(scope.merchant.uuid())
    .bind(relationship.uuid())
    .fetch_optional(connection)
    .await?;
    let Some((status, mode)) = row else {
        return Ok(None);
    };
    let status = named(Status::parse(&status), "relationships.status")?;
    let mode = named(Mode::parse(&mode), "relationships.mode")?;
    Ok(Some(match status {
        Status::Active if mode.allows_fulfillment() => Ok(Holder::Buyer),
        Status::Active => Ok(Holder::Reader),
        Status::Invited | Status::Suspended | Status::Terminated => Err(Refusal::Inactive(status)),
    }))
}

/// Whether one key more would be one too many; what was rotated does not count.
pub(super) async fn has_all_keys(
    connection: &mut PgConnection,
    scope: KeyScope,
    now: Timestamp,
) -> Result<bool, Error> {
    let sql = if scope.relationship.is_some() {
        "SELECT COUNT(*) FROM api_keys WHERE merchant_id = $1 AND relationship_id = $2
           AND revoked_at IS NULL AND retires_at IS NULL AND (expires_at IS NULL OR expires_at > $3)"
    } else {
        "SELECT COUNT(*) FROM api_keys WHERE merchant_id = $1 AND relationship_id IS NULL
           AND $2::uuid IS NULL
           AND revoked_at IS NULL AND retires_at IS NULL AND (expires_at IS NULL OR expires_at > $3)"
    };
    let count: i64 = sqlx::query_scalar(sql)
        .bind(scope.merchant.uuid())
        .bind(scope.relationship.map(RelationshipId::uuid))
        .bind(now)
        .fetch_one(connection)
        .await?;
    Ok(usize::try_from(count).is_ok_and(|count| count >= LIVE_MAX))
}

/// The first of these products that is none of the merchant's.
pub(super) async fn unknown_product(
    connection: &mut PgConnection,
    scope: KeyScope,
    products: &[ProductId],
) -> Result<Option<ProductId>, Error> {
    let ids: Vec<_> = products.iter().map(|product| product.uuid()).collect();
    let known: Vec<Uuid> = sqlx::query_scalar(
        "SELECT product_id FROM products WHERE merchant_id = $1 AND product_id = ANY ($2)",
    )
    .bind(scope.merchant.uuid())
    .bind(ids)
    .fetch_all(connection)
    .await?;
    let unknown = products.iter().find(|id| !known.contains(&id.uuid()));
    Ok(unknown.copied())
}

/// A key of this scope, locked until the transaction ends.
pub(super) async fn lock_key(
    connection: &mut PgConnection,
    scope: KeyScope,
    id: KeyId,
) -> Result<Option<StoredKey>, Error> {
    let row: Option<Row> = sqlx::query_as(select_key!(
        "WHERE k.merchant_id = $1 AND k.relationship_id IS NOT DISTINCT FROM $2 AND k.key_id = $3
         FOR UPDATE OF k"
    ))
    .bind(scope.merchant.uuid())
    .bind(scope.relationship.map(RelationshipId::uuid))
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(StoredKey::try_from).transpose()
}

/// Raises the version of the relationship, so that the engine learns of its keys; says which balances
/// are to hear of it.
pub(super) async fn raise_version(
    connection: &mut PgConnection,
    scope: KeyScope,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(relationship) = scope.relationship else {
        return Ok(());
    };
    let raised = sqlx::query(
        "UPDATE relationships SET version = version + 1, updated_at = $3
         WHERE merchant_id = $1 AND relationship_id = $2",
    )
    .bind(scope.merchant.uuid())
    .bind(relationship.uuid())
    .bind(now)
    .execute(connection)
    .await?;
    exactly_one(&raised, "the relationship of a key")
}

/// The balances of a key's relationship: whose actors must hear of a change.
pub(super) async fn balances(
    connection: &mut PgConnection,
    scope: KeyScope,
) -> Result<Vec<BalanceId>, Error> {
    match scope.relationship {
        None => Ok(Vec::new()),
        Some(id) => crate::relationships::rows::balances(connection, id).await,
    }
}

/// A digest over everything that is stored of a key but its last use.
pub(super) async fn digest(connection: &mut PgConnection, id: KeyId) -> Result<Digest, Error> {
    let sum: Vec<u8> = sqlx::query_scalar(
        "SELECT sha256(convert_to((to_jsonb(k) - 'last_used_at' - 'last_used_ip')::text, 'UTF8'))
         FROM api_keys AS k WHERE k.key_id = $1",
    )
    .bind(id.uuid())
    .fetch_one(connection)
    .await?;
    audit::digest(sum)
}

/// Tells that a key was made, to whoever it belongs to.
pub(super) async fn tell_created(
    connection: &mut PgConnection,
    scope: KeyScope,
    id: KeyId,
    now: Timestamp,
) -> Result<(), Error> {
    let fact = Fact::KeyCreated {
        key: id.uuid(),
        relationship: scope.relationship.map(RelationshipId::uuid),
    };
    outbox::tell(connection, (scope.merchant, scope.relationship), &fact, now).await
}

/// Tells the audit log what was done to a key; the last thing that a transaction locks.
pub(super) async fn tell(
    connection: &mut PgConnection,
    scope: KeyScope,
    (actor, action, id): (Actor, &'static str, KeyId),
    before: Option<Digest>,
    now: Timestamp,
) -> Result<(), Error> {
    let deed = Deed {
        actor,
        action: action.to_owned(),
        target: id.to_string(),
        before,
        after: Some(digest(connection, id).await?),
        at: now,
    };
    audit::append(connection, scope.merchant, deed).await
}
