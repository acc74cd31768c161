//! A product made: stored with its variants, and told to the audit log.

use engine::{
    audit::{Actor, Deed},
    catalog::Product,
    clock::Timestamp,
};

use super::{
    get::{About, AboutChange},
    store,
};
use crate::{
    Database, Error, audit, database::commit, inventory::levels, owned, relationships::rows::kept,
};

/// Stores a product that is well formed and was not there.
pub async fn create(
    db: &Database,
    product: Product,
    about: AboutChange,
    actor: Actor,
    now: Timestamp,
) -> Result<(), Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        store::insert(&mut tx, &product, &About::new(about, now)).await?;
        for sku in product.skus() {
            levels::begin(&mut tx, sku, now).await?;
        }
        let deed = Deed {
            actor,
            action: "product.create".to_owned(),
            target: product.id.to_string(),
            before: None,
            after: Some(store::digest(&mut tx, product.id).await?),
            at: now,
        };
        audit::append(&mut tx, product.merchant, deed).await?;
        commit(tx).await
    })
    .await
}
