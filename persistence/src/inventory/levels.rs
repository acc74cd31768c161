//! How shelves stand, noted, and told when they come to stand otherwise.
//!
//! Keeps: a crossing is told once, in the transaction that notes it, from what is durable. Two lookers
//! at once agree: the shelf's row is locked before it is counted again. What comes and goes between two
//! looks is not told, and was not worth acting upon.

use engine::{
    catalog::Sku,
    clock::Timestamp,
    events::{Fact, ShelfChanged},
    ids::{MerchantId, ProductId, VariantId},
    inventory::{Crossing, Level},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Database, Error, database::commit, events::outbox, owned};

/// A part of a merchant's products that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Shelves that do not stand as they were noted, or were not noted yet.
    pub moved: Vec<Sku>,
    /// The product to go on after; none if that was all.
    pub next: Option<ProductId>,
}

#[derive(sqlx::FromRow)]
struct Row {
    product_id: Uuid,
    variant_id: Option<Uuid>,
    low_stock_threshold: Option<i32>,
    level: Option<String>,
    free: i64,
}

impl Row {
    fn sku(&self) -> Sku {
        Sku {
            product: ProductId::from_uuid(self.product_id),
            variant: self.variant_id.map(VariantId::from_uuid),
        }
    }

    fn stock(&self) -> Result<u64, Error> {
        u64::try_from(self.free).map_err(|_| Error::Inconsistent {
            what: "more claims than serials",
        })
    }

    fn level(&self) -> Result<Level, Error> {
        let threshold = self.low_stock_threshold.map(i32::unsigned_abs);
        Ok(Level::of(self.stock()?, threshold))
    }

    fn noted(&self) -> Result<Option<Level>, Error> {
        let unknown = Error::Inconsistent {
            what: "the level of a shelf is not known",
        };
        let Some(name) = &self.level else {
            return Ok(None);
        };
        Level::parse(name).map(Some).ok_or(unknown)
    }
}

/// Looks at the shelves of a merchant, from the first product after one.
pub async fn look(
    db: &Database,
    merchant: MerchantId,
    after: Option<ProductId>,
    limit: u32,
) -> Result<Look, Error> {
    let db = db.clone();
    owned(async move {
        let after = after.map_or(Uuid::nil(), ProductId::uuid);
        let mut connection = db.behind().await?;
        let rows = rows(&mut connection, merchant, after, i64::from(limit)).await?;
        let mut products: Vec<_> = rows.iter().map(|row| row.product_id).collect();
        products.dedup();
        let last = products.last().filter(|_| products.len() == limit as usize);
        let mut moved = Vec::new();
        for row in &rows {
            if row.noted()? != Some(row.level()?) {
                moved.push(row.sku());
            }
        }
        Ok(Look {
            moved,
            next: last.map(|id| ProductId::from_uuid(*id)),
        })
    })
    .await
}

async fn rows(
    connection: &mut PgConnection,
    merchant: MerchantId,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Row>, Error> {
    Ok(sqlx::query_as(include_str!("levels.sql"))
        .bind(merchant.uuid())
        .bind(after)
        .bind(limit)
        .fetch_all(connection)
        .await?)
}

/// Notes how a shelf stands now, and tells what that is to be told of; what was told.
pub async fn note(
    db: &Database,
    merchant: MerchantId,
    sku: Sku,
    now: Timestamp,
) -> Result<Option<Crossing>, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin_behind().await?;
        if !lock(&mut tx, merchant, sku).await? {
            return Ok(None);
        }
        // The products before this one are those below its id.
        let before = Uuid::from_u128(sku.product.uuid().as_u128().saturating_sub(1));
        let found = rows(&mut tx, merchant, before, 1).await?;
        let Some(row) = found.into_iter().find(|row| row.sku() == sku) else {
            return Ok(None);
        };
        let (noted, level) = (row.noted()?, row.level()?);
        if noted == Some(level) {
            return Ok(None);
        }
        put(&mut tx, sku, level, now).await?;
        let crossing = noted.and_then(|noted| noted.crossing(level));
        if let Some(crossing) = crossing {
            tell(&mut tx, (merchant, sku), crossing, row.stock()?, now).await?;
        }
        commit(tx).await?;
        Ok(crossing)
    })
    .await
}

/// Locks a shelf's row; one that has none is noted by whoever locks the product first.
async fn lock(
    connection: &mut PgConnection,
    merchant: MerchantId,
    sku: Sku,
) -> Result<bool, Error> {
    let product = sqlx::query(
        "SELECT product_id FROM products WHERE merchant_id = $1 AND product_id = $2 FOR NO KEY UPDATE",
    )
    .bind(merchant.uuid())
    .bind(sku.product.uuid())
    .fetch_optional(connection)
    .await?;
    Ok(product.is_some())
}

async fn put(
    connection: &mut PgConnection,
    sku: Sku,
    level: Level,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO shelf_levels (shelf_id, product_id, level, noted_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT ON CONSTRAINT shelf_levels_pkey
           DO UPDATE SET level = EXCLUDED.level, noted_at = EXCLUDED.noted_at",
    )
    .bind(shelf(sku))
    .bind(sku.product.uuid())
    .bind(level.name())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

async fn tell(
    connection: &mut PgConnection,
    (merchant, sku): (MerchantId, Sku),
    crossing: Crossing,
    stock: u64,
    now: Timestamp,
) -> Result<(), Error> {
    let fact = Fact::ProductStock(ShelfChanged {
        product: sku.product.uuid(),
        variant: sku.variant.map(VariantId::uuid),
        change: crossing.name().to_owned(),
        stock,
        sellers: crossing.is_for_resellers(),
    });
    outbox::tell(connection, (merchant, None), &fact, now).await
}

/// Notes a shelf that is new and therefore empty: its first serials are told.
pub(crate) async fn begin(
    connection: &mut PgConnection,
    sku: Sku,
    now: Timestamp,
) -> Result<(), Error> {
    put(connection, sku, Level::Out, now).await
}

/// The id of a shelf: the variant's, or the product's own if it has no variants.
pub(super) const fn shelf(sku: Sku) -> Uuid {
    match sku.variant {
        Some(variant) => variant.uuid(),
        None => sku.product.uuid(),
    }
}

/// Merchants in the order of their ids, after one of them.
pub async fn merchants(
    db: &Database,
    after: Option<MerchantId>,
    limit: u32,
) -> Result<Vec<MerchantId>, Error> {
    let db = db.clone();
    owned(async move {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT merchant_id FROM merchants WHERE merchant_id > $1 ORDER BY merchant_id LIMIT $2",
        )
        .bind(after.map_or(Uuid::nil(), MerchantId::uuid))
        .bind(i64::from(limit))
        .fetch_all(&mut *db.behind().await?)
        .await?;
        Ok(ids.into_iter().map(MerchantId::from_uuid).collect())
    })
    .await
}
