//! A product with its variants as rows: locked, written, and what the audit log keeps of them.
//!
//! Keeps: the product's row stands for its variants too; whoever changes them takes it first.

use engine::{
    audit::Digest,
    catalog::{Product, Variant},
    ids::{MerchantId, ProductId},
    money::Money,
};
use sqlx::{PgConnection, types::Json};

use super::{
    get::About,
    source::{self, CustomFieldRow},
};
use crate::{Error, audit, error::exactly_one};

/// A product of this merchant, which nobody else changes until the end of the transaction.
pub(super) async fn lock(
    connection: &mut PgConnection,
    merchant: MerchantId,
    id: ProductId,
) -> Result<Option<Product>, Error> {
    let locked = sqlx::query(
        "SELECT product_id FROM products WHERE merchant_id = $1 AND product_id = $2 FOR UPDATE",
    )
    .bind(merchant.uuid())
    .bind(id.uuid())
    .fetch_optional(&mut *connection)
    .await?;
    if locked.is_none() {
        return Ok(None);
    }
    source::find(connection, id).await
}

/// A product that was not there.
pub(super) async fn insert(
    connection: &mut PgConnection,
    product: &Product,
    about: &About,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO products (product_id, merchant_id, kind, title, base_price, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
    )
    .bind(product.id.uuid())
    .bind(product.merchant.uuid())
    .bind(product.kind.name())
    .bind(&product.title)
    .bind(product.base_price.minor())
    .bind(about.created_at)
    .execute(&mut *connection)
    .await?;
    update(connection, product, about).await
}

/// A product that was locked, or made just now, as it is from now on.
pub(super) async fn update(
    connection: &mut PgConnection,
    product: &Product,
    about: &About,
) -> Result<(), Error> {
    let fields = product.custom_fields.iter().map(CustomFieldRow::of);
    let updated = sqlx::query(
        "UPDATE products SET title = $2, status = $3, base_price = $4, wholesale_price = $5,
           min_quantity = $6, max_quantity = $7, custom_fields = $8, price_version = $9,
           description = $10, auto_fulfilled = $11, low_stock_threshold = $12, updated_at = $13
         WHERE product_id = $1",
    )
    .bind(product.id.uuid())
    .bind(&product.title)
    .bind(product.status.name())
    .bind(product.base_price.minor())
    .bind(product.wholesale_price.map(Money::minor))
    .bind(product.min_quantity.map(u32::cast_signed))
    .bind(product.max_quantity.map(u32::cast_signed))
    .bind(Json(fields.collect::<Vec<_>>()))
    .bind(product.price_version)
    .bind(&about.description)
    .bind(about.auto_fulfilled)
    .bind(about.low_stock_threshold.map(u32::cast_signed))
    .bind(about.updated_at)
    .execute(&mut *connection)
    .await?;
    exactly_one(&updated, "a locked product")?;
    for variant in &product.variants {
        put(connection, product, variant).await?;
    }
    Ok(())
}

/// A variant that was there stays in its place; a new one comes last.
async fn put(
    connection: &mut PgConnection,
    product: &Product,
    variant: &Variant,
) -> Result<(), Error> {
    let put = sqlx::query(
        "INSERT INTO variants AS v (variant_id, product_id, merchant_id, position, title, status,
           base_price, wholesale_price)
         SELECT $1, $2, $3, COALESCE(MAX(w.position) + 1, 0), $4, $5, $6, $7
         FROM variants AS w WHERE w.product_id = $2
         ON CONFLICT ON CONSTRAINT variants_pkey DO UPDATE SET title = EXCLUDED.title,
           status = EXCLUDED.status, base_price = EXCLUDED.base_price,
           wholesale_price = EXCLUDED.wholesale_price
         WHERE v.product_id = EXCLUDED.product_id",
    )
    .bind(variant.id.uuid())
    .bind(product.id.uuid())
    .bind(product.merchant.uuid())
    .bind(&variant.title)
    .bind(variant.status.name())
    .bind(variant.base_price.minor())
    .bind(variant.wholesale_price.map(Money::minor))
    .execute(connection)
    .await?;
    exactly_one(&put, "a variant")
}

/// A digest over everything that is stored of a product but its version and its last change.
pub(super) async fn digest(connection: &mut PgConnection, id: ProductId) -> Result<Digest, Error> {
    let sum: Vec<u8> = sqlx::query_scalar(
        "SELECT sha256(convert_to((to_jsonb(p) - 'price_version' - 'updated_at')::text || COALESCE((
           SELECT jsonb_agg(to_jsonb(v) ORDER BY v.position)::text
           FROM variants AS v WHERE v.product_id = p.product_id), ''), 'UTF8'))
         FROM products AS p WHERE p.product_id = $1",
    )
    .bind(id.uuid())
    .fetch_one(connection)
    .await?;
    audit::digest(sum)
}
