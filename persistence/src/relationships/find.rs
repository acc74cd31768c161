//! A relationship as its reseller and its merchant read it, and the scope that calls need.

use engine::{
    clock::Timestamp,
    ids::{BalanceId, MerchantId, RelationshipId},
    relationships::RelationshipScope,
};
use uuid::Uuid;

use crate::{Database, Error, owned};

/// What is told of a relationship beyond its terms, which the engine has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relationship {
    pub id: RelationshipId,
    pub merchant: MerchantId,
    pub code: String,
    pub name: String,
    pub email: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A relationship of this merchant.
pub async fn find(
    db: &Database,
    merchant: MerchantId,
    id: RelationshipId,
) -> Result<Option<Relationship>, Error> {
    let db = db.clone();
    owned(async move {
        let row: Option<Row> = sqlx::query_as(
            "SELECT relationship_id, merchant_id, code, name, email, created_at, updated_at
             FROM relationships WHERE merchant_id = $1 AND relationship_id = $2",
        )
        .bind(merchant.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *db.read().await?)
        .await?;
        Ok(row.map(Relationship::from))
    })
    .await
}

/// The scope of a relationship's live or test balance, for a merchant's call.
pub async fn find_scope(
    db: &Database,
    merchant: MerchantId,
    relationship: RelationshipId,
    test: bool,
) -> Result<Option<RelationshipScope>, Error> {
    let db = db.clone();
    owned(async move {
        let balance: Option<i64> = sqlx::query_scalar(
            "SELECT b.balance_id FROM balances AS b
             JOIN relationships AS r ON r.relationship_id = b.relationship_id
             WHERE r.merchant_id = $1 AND b.relationship_id = $2 AND b.test = $3",
        )
        .bind(merchant.uuid())
        .bind(relationship.uuid())
        .bind(test)
        .fetch_optional(&mut *db.read().await?)
        .await?;
        Ok(balance.map(|balance| RelationshipScope {
            merchant,
            relationship,
            balance: BalanceId(balance),
            test,
        }))
    })
    .await
}

#[derive(sqlx::FromRow)]
struct Row {
    relationship_id: Uuid,
    merchant_id: Uuid,
    code: String,
    name: String,
    email: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Row> for Relationship {
    fn from(row: Row) -> Self {
        Self {
            id: RelationshipId::from_uuid(row.relationship_id),
            merchant: MerchantId::from_uuid(row.merchant_id),
            code: row.code,
            name: row.name,
            email: row.email,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
