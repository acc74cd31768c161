//! A product changed: read under a lock, judged by the engine, stored.

use engine::{
    catalog::{Change, Product, Status, Unchanged, Variant},
    clock::Timestamp,
    ids::{MerchantId, ProductId},
    money::Money,
};
use sqlx::PgConnection;

use super::source;
use crate::{Database, Error, database::commit, owned};

/// Changes a product of this merchant, or says why it stays; none if there is no such product. A
/// `description` is no part of what an order is judged by.
pub async fn update(
    db: &Database,
    (merchant, id): (MerchantId, ProductId),
    change: Change,
    description: Option<String>,
    now: Timestamp,
) -> Result<Option<Result<Product, Unchanged>>, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        // The product's row stands for its variants too: whoever changes them takes it first.
        let locked = sqlx::query(
            "SELECT product_id FROM products WHERE merchant_id = $1 AND product_id = $2 FOR UPDATE",
        )
        .bind(merchant.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *tx)
        .await?;
        if locked.is_none() {
            return Ok(None);
        }
        let Some(product) = source::find(&mut tx, id).await? else {
            return Ok(None);
        };
        let product = match product.changed(change) {
            Ok(product) => product,
            Err(unchanged) => return Ok(Some(Err(unchanged))),
        };
        store(&mut tx, &product, description, now).await?;
        for variant in &product.variants {
            store_variant(&mut tx, &product, variant).await?;
        }
        commit(tx).await?;
        Ok(Some(Ok(product)))
    })
    .await
}

async fn store(
    connection: &mut PgConnection,
    product: &Product,
    description: Option<String>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE products SET title = $2, status = $3, base_price = $4, wholesale_price = $5,
           min_quantity = $6, max_quantity = $7, price_version = $8,
           description = COALESCE($9, description), updated_at = $10
         WHERE product_id = $1",
    )
    .bind(product.id.uuid())
    .bind(&product.title)
    .bind(status(product.status))
    .bind(product.base_price.minor())
    .bind(product.wholesale_price.map(Money::minor))
    .bind(product.min_quantity.map(u32::cast_signed))
    .bind(product.max_quantity.map(u32::cast_signed))
    .bind(product.price_version)
    .bind(description)
    .bind(now)
    .execute(connection)
    .await
    .map(drop)
}

async fn store_variant(
    connection: &mut PgConnection,
    product: &Product,
    variant: &Variant,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE variants SET title = $3, status = $4, base_price = $5, wholesale_price = $6
         WHERE product_id = $1 AND variant_id = $2",
    )
    .bind(product.id.uuid())
    .bind(variant.id.uuid())
    .bind(&variant.title)
    .bind(status(variant.status))
    .bind(variant.base_price.minor())
    .bind(variant.wholesale_price.map(Money::minor))
    .execute(connection)
    .await
    .map(drop)
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Active => "ACTIVE",
        Status::Disabled => "DISABLED",
        Status::Archived => "ARCHIVED",
    }
}
