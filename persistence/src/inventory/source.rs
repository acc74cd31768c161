//! The window of unclaimed serials, in the order of their imports.
//!
//! Keeps: each import is read as one range of the primary key, from its low-water mark or from where
//! the window ends; what is claimed is looked up in the same range. The mark only ever moves over
//! serials that are claimed, and claims are for ever, so it never passes one that can be sold.

use engine::{
    catalog::Sku,
    fault::Fault,
    ids::{ImportId, MerchantId, SerialId, VariantId, WithdrawalId},
    inventory::{
        Position, ReservedUnits, Restock, ShelvedSerial, Source, Standing, Withdrawal,
        import::Import,
    },
    vault::Sealed,
};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{import::rehearse, low_water, reservations, withdrawal};
use crate::{Database, Error, database::in_time, owned};

/// How many imports one look reads.
const IMPORTS_CHUNK: i64 = 32;
/// The kind of a claim that takes a serial out of sale because it does not open.
const QUARANTINE: i16 = 2;

/// Loads windows of serials.
#[derive(Debug, Clone)]
pub struct PgInventory {
    db: Database,
}

impl PgInventory {
    pub const fn new(db: Database) -> Self {
        Self { db }
    }
}

impl Source for PgInventory {
    fn fetch(
        &self,
        sku: Sku,
        after: Option<Position>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<ShelvedSerial>, Fault>> {
        let db = self.db.clone();
        Box::pin(owned(async move {
            let mut worn = Vec::new();
            let fetched = in_time(async {
                fetch(&mut *db.read().await?, sku, after, limit, &mut worn).await
            });
            let fetched = fetched
                .await
                .map_err(|error| error.into_fault("load serials"))?;
            low_water::advance(db, worn);
            Ok(fetched)
        }))
    }

    fn count(&self, sku: Sku, after: Option<Position>) -> BoxFuture<'_, Result<u64, Fault>> {
        let db = self.db.clone();
        Box::pin(owned(async move {
            let counted = async { count(&mut *db.report().await?, sku, after).await };
            counted
                .await
                .map_err(|error| error.into_fault("count serials"))
        }))
    }

    fn count_to(
        &self,
        sku: Sku,
        after: Option<Position>,
        most: usize,
    ) -> BoxFuture<'_, Result<usize, Fault>> {
        let db = self.db.clone();
        Box::pin(owned(async move {
            let counted =
                in_time(async { count_to(&mut *db.read().await?, sku, after, most).await });
            counted
                .await
                .map_err(|error| error.into_fault("count serials up to a number"))
        }))
    }

    fn quarantine(&self, serial: SerialId) -> BoxFuture<'_, Result<(), Fault>> {
        let db = self.db.clone();
        Box::pin(owned(async move {
            let claimed = quarantine(&db, serial).await;
            claimed.map_err(|error| error.into_fault("quarantine a serial"))
        }))
    }

    fn rehearse(&self, import: Import) -> BoxFuture<'_, Result<(), Fault>> {
        let db = self.db.clone();
        Box::pin(owned(async move {
            let stored = in_time(rehearse(&db, &import)).await;
            stored.map_err(|error| error.into_fault("store serials of test mode"))
        }))
    }

    fn standing(
        &self,
        merchant: MerchantId,
        sku: Sku,
        serials: Vec<SerialId>,
    ) -> BoxFuture<'_, Result<Vec<Standing>, Fault>> {
        let db = self.db.clone();
        Box::pin(owned(async move {
            let found = in_time(async {
                withdrawal::standing(&mut *db.read().await?, (merchant, sku), &serials).await
            });
            found
                .await
                .map_err(|error| error.into_fault("look serials up"))
        }))
    }

    fn withdrawal(&self, id: WithdrawalId) -> BoxFuture<'_, Result<Option<Withdrawal>, Fault>> {
        let db = self.db.clone();
        Box::pin(owned(async move {
            let found = in_time(async { withdrawal::find(&mut *db.read().await?, id).await });
            found
                .await
                .map_err(|error| error.into_fault("look a withdrawal up"))
        }))
    }

    fn reserved(&self, sku: Sku) -> BoxFuture<'_, Result<Vec<ReservedUnits>, Fault>> {
        let db = self.db.clone();
        Box::pin(owned(async move {
            let found = in_time(async { reservations::settled(&mut *db.read().await?, sku).await });
            found
                .await
                .map_err(|error| error.into_fault("load reservations"))
        }))
    }

    fn unnumbered(&self) -> BoxFuture<'_, Result<Vec<Restock>, Fault>> {
        let db = self.db.clone();
        Box::pin(owned(async move {
            let found = in_time(async { unnumbered(&mut *db.read().await?).await });
            found
                .await
                .map_err(|error| error.into_fault("list unnumbered imports"))
        }))
    }
}

#[derive(Debug, sqlx::FromRow)]
struct ImportRow {
    import_id: Uuid,
    number: i64,
    low_ordinal: i64,
}

impl ImportRow {
    /// The serials of this import that are still to be read: from one, inclusive, to the last.
    fn range(&self, after: Option<Position>) -> (Uuid, Uuid) {
        let import = ImportId::from_uuid(self.import_id);
        let last = import.serial(u32::MAX).uuid();
        let low = import
            .serial(u32::try_from(self.low_ordinal).unwrap_or(u32::MAX))
            .uuid();
        let next = after
            .filter(|position| position.number == self.number)
            .map(|position| Uuid::from_u128(position.serial.uuid().as_u128().saturating_add(1)));
        (next.map_or(low, |next| next.max(low)), last)
    }
}

async fn fetch(
    connection: &mut PgConnection,
    sku: Sku,
    after: Option<Position>,
    limit: usize,
    worn: &mut Vec<ImportId>,
) -> Result<Vec<ShelvedSerial>, Error> {
    let mut fetched = Vec::with_capacity(limit);
    let mut from = after.map_or(0, |position| position.number);
    loop {
        let imports = imports(connection, sku, from).await?;
        let full = i64::try_from(imports.len()) == Ok(IMPORTS_CHUNK);
        for import in &imports {
            let wanted = limit - fetched.len();
            if wanted == 0 {
                return Ok(fetched);
            }
            let found = unclaimed(connection, import, after, wanted).await?;
            if low_water::is_worn(import.low_ordinal, &found, found.len() < wanted) {
                worn.push(ImportId::from_uuid(import.import_id));
            }
            fetched.extend(found);
        }
        let Some(last) = imports.last().filter(|_| full) else {
            return Ok(fetched);
        };
        from = last.number + 1;
    }
}

/// Imports of the sku that may have something left, by number, from `from`.
async fn imports(
    connection: &mut PgConnection,
    sku: Sku,
    from: i64,
) -> Result<Vec<ImportRow>, Error> {
    let query = match sku.variant {
        None => sqlx::query_as(
            "SELECT import_id, number, low_ordinal FROM imports
             WHERE product_id = $1 AND variant_id IS NULL AND number >= $2
               AND low_ordinal < 4294967296
             ORDER BY number LIMIT $3",
        ),
        Some(_) => sqlx::query_as(
            "SELECT import_id, number, low_ordinal FROM imports
             WHERE product_id = $1 AND variant_id = $4 AND number >= $2
               AND low_ordinal < 4294967296
             ORDER BY number LIMIT $3",
        ),
    };
    let query = query
        .bind(sku.product.uuid())
        .bind(from)
        .bind(IMPORTS_CHUNK);
    let query = match sku.variant {
        None => query,
        Some(variant) => query.bind(variant.uuid()),
    };
    Ok(query.fetch_all(connection).await?)
}

async fn unclaimed(
    connection: &mut PgConnection,
    import: &ImportRow,
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<ShelvedSerial>, Error> {
    let (first, last) = import.range(after);
    let rows: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(include_str!("unclaimed.sql"))
        .bind(first)
        .bind(last)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    let shelved = |(serial, sealed)| ShelvedSerial {
        position: Position {
            number: import.number,
            serial: SerialId::from_uuid(serial),
        },
        sealed: Sealed::from_bytes(sealed),
    };
    Ok(rows.into_iter().map(shelved).collect())
}

/// As many imports at once as one look reads, until there are as many.
async fn count_to(
    connection: &mut PgConnection,
    sku: Sku,
    after: Option<Position>,
    most: usize,
) -> Result<usize, Error> {
    let (mut counted, mut from) = (0, after.map_or(0, |position| position.number));
    while counted < most {
        let imports = imports(connection, sku, from).await?;
        let (first, last): (Vec<_>, Vec<_>) =
            imports.iter().map(|import| import.range(after)).unzip();
        let found: i64 = sqlx::query_scalar(include_str!("count_to.sql"))
            .bind(first)
            .bind(last)
            .bind(i64::try_from(most - counted).unwrap_or(i64::MAX))
            .fetch_one(&mut *connection)
            .await?;
        counted += usize::try_from(found).unwrap_or_default();
        let full = i64::try_from(imports.len()) == Ok(IMPORTS_CHUNK);
        let Some(last) = imports.last().filter(|_| full) else {
            break;
        };
        from = last.number + 1;
    }
    Ok(counted)
}

/// Serials after the position less claims after it. Whole imports carry their number of serials.
async fn count(
    connection: &mut PgConnection,
    sku: Sku,
    after: Option<Position>,
) -> Result<u64, Error> {
    let number = after.map_or(0, |position| position.number);
    let serial = after.map_or(Uuid::nil(), |position| position.serial.uuid());
    let end = after.map_or(Uuid::nil(), |position| {
        position.serial.import().serial(u32::MAX).uuid()
    });
    let counted: i64 = sqlx::query_scalar(include_str!("count.sql"))
        .bind(sku.product.uuid())
        .bind(sku.variant.map(VariantId::uuid))
        .bind(number)
        .bind(serial)
        .bind(end)
        .fetch_one(connection)
        .await?;
    u64::try_from(counted).map_err(|_| Error::Inconsistent {
        what: "more claims than serials",
    })
}

async fn quarantine(db: &Database, serial: SerialId) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    sqlx::query(
        "INSERT INTO serial_claims
           (serial_id, kind, line, unit_price, price_version, balance_id, version)
         VALUES ($1, $2, 0, 0, 0, 0, 0)
         ON CONFLICT ON CONSTRAINT serial_claims_pkey DO NOTHING",
    )
    .bind(serial.uuid())
    .bind(QUARANTINE)
    .execute(&mut *tx)
    .await?;
    Ok(tx.commit().await?)
}

async fn unnumbered(connection: &mut PgConnection) -> Result<Vec<Restock>, Error> {
    let rows: Vec<(Uuid, Uuid, Uuid, Option<Uuid>)> = sqlx::query_as(
        "SELECT import_id, merchant_id, product_id, variant_id FROM imports
         WHERE number IS NULL AND NOT test ORDER BY import_id",
    )
    .fetch_all(connection)
    .await?;
    let restock = |(import, merchant, product, variant): (_, _, _, Option<Uuid>)| Restock {
        merchant: MerchantId::from_uuid(merchant),
        sku: withdrawal::sku(product, variant),
        import: ImportId::from_uuid(import),
    };
    Ok(rows.into_iter().map(restock).collect())
}
