//! A product that its merchant does not want any more: deleted if nobody knows of it, else archived.

use engine::{
    audit::{Actor, Deed},
    catalog::{End, Traces},
    clock::Timestamp,
    ids::{MerchantId, ProductId},
};
use sqlx::PgConnection;

use super::{
    get::{self, AboutChange},
    store,
};
use crate::{
    Database, Error, audit, database::commit, error::exactly_one, owned, relationships::rows::kept,
};

/// Ends a product of this merchant, and says what became of it; none if there is no such product.
pub async fn delete(
    db: &Database,
    (merchant, id): (MerchantId, ProductId),
    actor: Actor,
    now: Timestamp,
) -> Result<Option<End>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(product) = store::lock(&mut tx, merchant, id).await? else {
            return Ok(None);
        };
        let Some(about) = get::find(&mut tx, merchant, id).await? else {
            return Ok(None);
        };
        let before = store::digest(&mut tx, id).await?;
        let end = product.ended(traces(&mut tx, id).await?);
        let after = match &end {
            End::Already => return Ok(Some(End::Already)),
            End::Deleted => {
                remove(&mut tx, id).await?;
                None
            }
            End::Archived(product) => {
                let about = about.changed(AboutChange::default(), now);
                store::update(&mut tx, product, &about).await?;
                Some(store::digest(&mut tx, id).await?)
            }
        };
        let deed = Deed {
            actor,
            action: "product.delete".to_owned(),
            target: id.to_string(),
            before: Some(before),
            after,
            at: now,
        };
        audit::append(&mut tx, merchant, deed).await?;
        commit(tx).await?;
        Ok(Some(end))
    })
    .await
}

/// Uploads and offers refer to the product's row, so none comes between this and the end of the
/// transaction.
async fn traces(connection: &mut PgConnection, id: ProductId) -> Result<Traces, Error> {
    let known: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM imports WHERE product_id = $1)
             OR EXISTS (SELECT FROM product_access WHERE product_id = $1)",
    )
    .bind(id.uuid())
    .fetch_one(connection)
    .await?;
    Ok(if known { Traces::Some } else { Traces::None })
}

async fn remove(connection: &mut PgConnection, id: ProductId) -> Result<(), Error> {
    sqlx::query("DELETE FROM variants WHERE product_id = $1")
        .bind(id.uuid())
        .execute(&mut *connection)
        .await?;
    let removed = sqlx::query("DELETE FROM products WHERE product_id = $1")
        .bind(id.uuid())
        .execute(connection)
        .await?;
    exactly_one(&removed, "a locked product")
}
