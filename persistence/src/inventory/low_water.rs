//! The low-water mark of an import: below it every serial is claimed.
//!
//! Keeps: a mark only rises, to the first serial without a claim. It saves the next load from reading
//! what was sold; a mark that lags costs time and nothing else, so a failure is only logged.

use engine::{ids::ImportId, inventory::ShelvedSerial};
use uuid::Uuid;

use crate::{Database, Error, owned};

/// How far the mark of an import that is being sold may lag, in ordinals.
const LAG_MAX: i64 = 4096;
/// The mark of an import of which nothing is left.
const SPENT: i64 = 1 << 32;

/// Whether what a fetch read of an import, or that it `ended` there, makes a look at the mark worth it.
pub(super) fn is_worn(low: i64, found: &[ShelvedSerial], ended: bool) -> bool {
    let ordinal = |shelved: &ShelvedSerial| i64::from(ordinal(shelved.position.serial.uuid()));
    let (Some(first), Some(last)) = (found.first().map(ordinal), found.last().map(ordinal)) else {
        return ended;
    };
    // Only each time that many were read: the first unclaimed one may be held for a while.
    ended || (last - low > LAG_MAX && first / LAG_MAX != last / LAG_MAX)
}

/// Raises the marks of these imports in a task of its own.
#[expect(
    clippy::disallowed_methods,
    reason = "nobody waits for it, and a crash loses nothing"
)]
pub(super) fn advance(db: Database, imports: Vec<ImportId>) {
    if imports.is_empty() {
        return;
    }
    tokio::spawn(async move {
        for import in imports {
            if let Err(error) = raise(&db, import).await {
                tracing::warn!(%error, "could not raise a low-water mark: {error}");
                return;
            }
        }
    });
}

/// Raises the mark of an import to its first unclaimed serial.
pub(crate) async fn raise(db: &Database, import: ImportId) -> Result<(), Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let low: Option<i64> =
            sqlx::query_scalar("SELECT low_ordinal FROM imports WHERE import_id = $1")
                .bind(import.uuid())
                .fetch_optional(&mut *tx)
                .await?;
        let Some(Ok(low)) = low.map(u32::try_from) else {
            return Ok(());
        };
        let first: Option<Uuid> = sqlx::query_scalar(
            "SELECT s.serial_id FROM serials AS s
             WHERE s.serial_id >= $1 AND s.serial_id <= $2
               AND NOT EXISTS (SELECT FROM serial_claims AS c WHERE c.serial_id = s.serial_id
                                 AND c.serial_id >= $1 AND c.serial_id <= $2)
             ORDER BY s.serial_id LIMIT 1",
        )
        .bind(import.serial(low).uuid())
        .bind(import.serial(u32::MAX).uuid())
        .fetch_optional(&mut *tx)
        .await?;
        let mark = first.map_or(SPENT, |serial| i64::from(ordinal(serial)));
        sqlx::query(
            "UPDATE imports SET low_ordinal = $2 WHERE import_id = $1 AND low_ordinal < $2",
        )
        .bind(import.uuid())
        .bind(mark)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    })
    .await
}

/// The low 32 bits of a serial's id.
fn ordinal(serial: Uuid) -> u32 {
    let bytes = serial.as_bytes();
    u32::from_be_bytes([bytes[12], bytes[13], bytes[14], bytes[15]])
}
