//! What a merchant reads of its own product beyond what the engine knows.

use engine::{
    clock::Timestamp,
    ids::{MerchantId, ProductId},
};

use crate::{Database, Error, owned};

/// The part of a product that no order is judged by.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct About {
    pub description: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// That of a product of this merchant, archived or not.
pub async fn about(
    db: &Database,
    merchant: MerchantId,
    id: ProductId,
) -> Result<Option<About>, Error> {
    let db = db.clone();
    owned(async move {
        let about = sqlx::query_as(
            "SELECT description, created_at, updated_at FROM products
             WHERE merchant_id = $1 AND product_id = $2",
        )
        .bind(merchant.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *db.read().await?)
        .await?;
        Ok(about)
    })
    .await
}
