//! A product changed: read under a lock, judged by the engine, stored.

use engine::{
    audit::{Actor, Deed},
    catalog::{Change, Product, Shelf, Sku, Unchanged},
    clock::Timestamp,
    events::{Fact, PriceChanged},
    ids::{MerchantId, ProductId},
};
use sqlx::PgConnection;

use super::{
    get::{self, AboutChange},
    store,
};
use crate::{
    Database, Error, audit, database::commit, events::outbox, inventory::levels, owned,
    relationships::rows::kept,
};

/// Changes a product of this merchant, or says why it stays; none if there is no such product.
pub async fn update(
    db: &Database,
    (merchant, id): (MerchantId, ProductId),
    (change, about): (Change, AboutChange),
    actor: Actor,
    now: Timestamp,
) -> Result<Option<Result<Product, Unchanged>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(product) = store::lock(&mut tx, merchant, id).await? else {
            return Ok(None);
        };
        let Some(known) = get::find(&mut tx, merchant, id).await? else {
            return Ok(None);
        };
        let before = store::digest(&mut tx, id).await?;
        let shelf = shelf(&mut tx, &product, &change).await?;
        let priced = product.clone();
        let added: Vec<_> = change.added.iter().map(|variant| variant.id).collect();
        let product = match product.changed(change, shelf) {
            Ok(product) => product,
            Err(unchanged) => return Ok(Some(Err(unchanged))),
        };
        store::update(&mut tx, &product, &known.changed(about, now)).await?;
        for variant in added {
            let variant = Some(variant);
            let sku = Sku {
                product: id,
                variant,
            };
            levels::begin(&mut tx, sku, now).await?;
        }
        if !product.is_priced_as(&priced) {
            tell_price(&mut tx, &product, now).await?;
        }
        let deed = Deed {
            actor,
            action: "product.update".to_owned(),
            target: id.to_string(),
            before: Some(before),
            after: Some(store::digest(&mut tx, id).await?),
            at: now,
        };
        audit::append(&mut tx, merchant, deed).await?;
        commit(tx).await?;
        Ok(Some(Ok(product)))
    })
    .await
}

/// Tells whoever may sell it that a price is to be read anew.
async fn tell_price(
    connection: &mut PgConnection,
    product: &Product,
    now: Timestamp,
) -> Result<(), Error> {
    let fact = Fact::ProductPriceChanged(PriceChanged {
        product: product.id.uuid(),
        price_version: product.price_version,
    });
    outbox::tell(connection, (product.merchant, None), &fact, now).await
}

/// Looked at if the change depends on it. Uploads take the product's row too, so none comes between this
/// and the end of the transaction.
async fn shelf(
    connection: &mut PgConnection,
    product: &Product,
    change: &Change,
) -> Result<Shelf, Error> {
    if !product.variants.is_empty() || change.added.is_empty() {
        return Ok(Shelf::Empty);
    }
    let stocked: bool = sqlx::query_scalar(
        "SELECT EXISTS (
           SELECT FROM imports AS i
           WHERE i.product_id = $1 AND i.variant_id IS NULL AND i.low_ordinal < 4294967296
             AND EXISTS (
               SELECT FROM serials AS s
               WHERE s.serial_id >= i.import_id
                 AND s.serial_id <= (LEFT(i.import_id::text, 28) || 'ffffffff')::uuid
                 AND s.removed_at IS NULL
                 AND NOT EXISTS (SELECT FROM serial_claims AS c WHERE c.serial_id = s.serial_id)))",
    )
    .bind(product.id.uuid())
    .fetch_one(connection)
    .await?;
    Ok(if stocked {
        Shelf::Stocked
    } else {
        Shelf::Empty
    })
}
