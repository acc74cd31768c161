//! Stores an upload of serials, before its product's lane puts it on sale.
//!
//! Keeps: an upload is stored whole or not at all, in one transaction; a secret is stored once per
//! merchant. The serials keep the ordinals for which they were sealed, so those left out as duplicates
//! leave gaps: `imports.serials` counts rows, not ordinals.

use std::{collections::HashSet, time::Duration};

use engine::{
    ids::VariantId,
    inventory::import::{Duplicates, Flaw, Import, Problem, Refusal},
};
use sqlx::PgConnection;
use tokio::{sync::Semaphore, time::timeout};
use uuid::Uuid;

use crate::{Database, Error, database::commit, owned};

/// How many serials one statement takes.
const CHUNK: usize = 10_000;
/// How many uploads are stored at once, so that other cold writes find connections.
const UPLOADS_MAX: usize = 3;
/// How long an upload waits for its turn.
const TURN_WAIT: Duration = Duration::from_secs(10);

static TURNS: Semaphore = Semaphore::const_new(UPLOADS_MAX);

/// What became of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Durable; it is sold once its [`Restock`](engine::inventory::Restock) has passed its lane.
    Stored {
        added: u32,
        /// Left out, within the upload and against what was stored before.
        duplicates: u32,
    },
    /// Nothing was stored.
    Refused(Refusal),
}

/// Stores an import without a number.
pub async fn import(db: &Database, import: Import) -> Result<Outcome, Error> {
    let db = db.clone();
    owned(async move {
        let turn = timeout(TURN_WAIT, TURNS.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err(Error::Unavailable {
                reason: "too many uploads at once".to_owned(),
            });
        };
        store(&db, &import).await
    })
    .await
}

async fn store(db: &Database, import: &Import) -> Result<Outcome, Error> {
    let mut tx = db.begin().await?;
    if !is_restockable(&mut tx, import).await? {
        return Ok(Outcome::Refused(Refusal::NotFound));
    }
    let stored = insert_serials(&mut tx, import).await?;
    let left_out = import.serials.len() - stored.len();
    match import.duplicates {
        Duplicates::Refuse if left_out > 0 => {
            return Ok(Outcome::Refused(stored_before(import, &stored)));
        }
        Duplicates::Refuse | Duplicates::Remove => {}
    }
    let added = count(stored.len());
    insert_import(&mut tx, import, added).await?;
    commit(tx).await?;
    Ok(Outcome::Stored {
        added,
        duplicates: import.removed + count(left_out),
    })
}

/// Whether the sku is one of this merchant's and may have serials; it stays so until the end of the
/// transaction. What an upload waits for here and below is another upload of the same secrets.
async fn is_restockable(
    connection: &mut PgConnection,
    import: &Import,
) -> Result<bool, sqlx::Error> {
    sqlx::query("SET LOCAL lock_timeout = '10s'")
        .execute(&mut *connection)
        .await?;
    let found = sqlx::query(
        "SELECT p.product_id FROM products AS p
         WHERE p.merchant_id = $1 AND p.product_id = $2 AND p.kind = 'SERIALS'
           AND CASE WHEN $3::uuid IS NULL
             THEN NOT EXISTS (SELECT FROM variants AS v WHERE v.product_id = p.product_id)
             ELSE EXISTS (SELECT FROM variants AS v
                          WHERE v.product_id = p.product_id AND v.variant_id = $3) END
         FOR SHARE OF p",
    )
    .bind(import.merchant.uuid())
    .bind(import.target.sku.product.uuid())
    .bind(import.target.sku.variant.map(VariantId::uuid))
    .execute(connection)
    .await?;
    Ok(found.rows_affected() == 1)
}

/// The ids of those serials that the merchant did not have.
///
/// They go in by the order of their fingerprints: of two uploads of the same secrets one waits for
/// the other, and neither can hold what the other waits for while it waits itself.
async fn insert_serials(
    connection: &mut PgConnection,
    import: &Import,
) -> Result<HashSet<Uuid>, sqlx::Error> {
    let mut serials: Vec<_> = (0..).zip(&import.serials).collect();
    serials.sort_unstable_by_key(|(_, serial)| serial.fingerprint);
    let mut stored = HashSet::with_capacity(serials.len());
    for chunk in serials.chunks(CHUNK) {
        let id = |ordinal: u32| import.target.import.serial(ordinal).uuid();
        let ids: Vec<_> = chunk.iter().map(|(ordinal, _)| id(*ordinal)).collect();
        let fingerprints: Vec<_> = chunk.iter().map(|(_, s)| &s.fingerprint[..]).collect();
        let sealed: Vec<_> = chunk.iter().map(|(_, s)| s.sealed.as_bytes()).collect();
        let inserted: Vec<Uuid> = sqlx::query_scalar(
            "INSERT INTO serials (serial_id, merchant_id, fingerprint, sealed)
             SELECT s.serial_id, $1, s.fingerprint, s.sealed
             FROM UNNEST($2::uuid[], $3::bytea[], $4::bytea[])
               WITH ORDINALITY AS s (serial_id, fingerprint, sealed, place)
             ORDER BY s.place
             ON CONFLICT (merchant_id, fingerprint) WHERE removed_at IS NULL DO NOTHING
             RETURNING serial_id",
        )
        .bind(import.merchant.uuid())
        .bind(ids)
        .bind(fingerprints)
        .bind(sealed)
        .fetch_all(&mut *connection)
        .await?;
        stored.extend(inserted);
    }
    Ok(stored)
}

/// Stores serials for one order of test mode: an import that is counted as sold from the first moment, and
/// gets no number.
pub(super) async fn rehearse(db: &Database, import: &Import) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    let stored = insert_serials(&mut tx, import).await?;
    if stored.len() < import.serials.len() {
        return Err(Error::Inconsistent {
            what: "random serials are there already",
        });
    }
    insert_import(&mut tx, import, count(stored.len())).await?;
    sqlx::query("UPDATE imports SET test = true, low_ordinal = 4294967296 WHERE import_id = $1")
        .bind(import.target.import.uuid())
        .execute(&mut *tx)
        .await?;
    commit(tx).await
}

async fn insert_import(
    connection: &mut PgConnection,
    import: &Import,
    added: u32,
) -> Result<(), sqlx::Error> {
    let added = i32::try_from(added).expect("an upload has at most 50000 serials");
    sqlx::query(
        "INSERT INTO imports (import_id, merchant_id, product_id, variant_id, serials, label)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(import.target.import.uuid())
    .bind(import.merchant.uuid())
    .bind(import.target.sku.product.uuid())
    .bind(import.target.sku.variant.map(VariantId::uuid))
    .bind(added)
    .bind(&import.target.label)
    .execute(connection)
    .await
    .map(drop)
}

fn stored_before(import: &Import, stored: &HashSet<Uuid>) -> Refusal {
    let missing = (0..).zip(&import.serials).filter(|(ordinal, _)| {
        let id = import.target.import.serial(*ordinal);
        !stored.contains(&id.uuid())
    });
    Refusal::lines(
        missing
            .map(|(_, serial)| Problem {
                line: serial.line,
                flaw: Flaw::Stored,
            })
            .collect(),
    )
}

fn count(serials: usize) -> u32 {
    u32::try_from(serials).expect("an upload has at most 50000 serials")
}
