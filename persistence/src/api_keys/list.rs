//! The keys of a relationship, or a merchant's own, newest first.

use engine::ids::{KeyId, RelationshipId};
use sqlx::PgConnection;

use super::{
    KeyScope, StoredKey,
    rows::{Row, select_key},
};
use crate::{
    Database, Error, owned,
    page::{self, Page},
};

/// One page of keys, below the key `before` if there is one.
pub async fn list(
    db: &Database,
    scope: KeyScope,
    before: Option<KeyId>,
    limit: u32,
) -> Result<Page<StoredKey>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(scope.read()).await?;
        let sql = if scope.relationship.is_some() {
            OF_RELATIONSHIP
        } else {
            OF_MERCHANT
        };
        let found: Vec<Row> = sqlx::query_as(sql)
            .bind(scope.merchant.uuid())
            .bind(scope.relationship.map(RelationshipId::uuid))
            .bind(before.map(KeyId::uuid))
            .bind(page::asked(limit))
            .fetch_all(&mut *connection)
            .await?;
        Page::cut(found, limit).try_map(StoredKey::try_from)
    })
    .await
}

/// One key of this scope.
pub(super) async fn find(
    connection: &mut PgConnection,
    scope: KeyScope,
    id: KeyId,
) -> Result<Option<StoredKey>, Error> {
    let row: Option<Row> = sqlx::query_as(select_key!(
        "WHERE k.merchant_id = $1 AND k.relationship_id IS NOT DISTINCT FROM $2 AND k.key_id = $3"
    ))
    .bind(scope.merchant.uuid())
    .bind(scope.relationship.map(RelationshipId::uuid))
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(StoredKey::try_from).transpose()
}

const OF_RELATIONSHIP: &str = select_key!(
    "WHERE k.merchant_id = $1 AND k.relationship_id = $2 AND ($3::uuid IS NULL OR k.key_id < $3)
     ORDER BY k.key_id DESC LIMIT $4"
);
const OF_MERCHANT: &str = select_key!(
    "WHERE k.merchant_id = $1 AND k.relationship_id IS NULL AND $2::uuid IS NULL
       AND ($3::uuid IS NULL OR k.key_id < $3)
     ORDER BY k.key_id DESC LIMIT $4"
);
