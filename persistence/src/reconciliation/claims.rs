//! Claims of serials for orders, each looked for in the entry that it names.
//!
//! Keeps: claim and entry are read by one statement, as they were written by one.

use engine::{
    ids::{ImportId, MerchantId, RelationshipId, SerialId},
    reconciliation::{self, IMPORTS_AT_ONCE},
};
use uuid::Uuid;

use super::parts::{CHUNK, Mismatch, Part, Place};
use crate::{Database, Error};

#[derive(sqlx::FromRow)]
struct Row {
    serial_id: Uuid,
    relationship_id: Option<Uuid>,
    version: i64,
    named: bool,
}

/// Looks at the claims after a serial; the part says where to go on if they are too many for it. An import counts
/// as a claim, so that a part has an end also where nothing was sold.
pub(super) async fn claims(
    db: &Database,
    merchant: MerchantId,
    mut after: Option<SerialId>,
    part: &mut Part,
    mut left: i64,
) -> Result<(), Error> {
    loop {
        let mut imports = imports(db, merchant, after).await?;
        let full = imports.len() == IMPORTS_AT_ONCE as usize;
        while let Some(last) = imports.last() {
            if left <= 0 {
                part.next = Some(Place::Claims { after });
                return Ok(());
            }
            let most = left.min(CHUNK);
            let rows = rows(db, &imports, after, most).await?;
            left -= i64::try_from(rows.len()).unwrap_or(i64::MAX);
            let ended = i64::try_from(rows.len()).unwrap_or(i64::MAX) < most;
            after = match rows.last() {
                Some(row) if !ended => Some(SerialId::from_uuid(row.serial_id)),
                Some(_) | None => Some(last.serial(u32::MAX)),
            };
            part.claims(&rows);
            let done = after.map(SerialId::import);
            let place = imports.iter().position(|import| Some(*import) == done);
            imports.drain(..place.unwrap_or_default());
            if ended {
                break;
            }
        }
        left -= i64::from(IMPORTS_AT_ONCE);
        if !full {
            return Ok(());
        }
    }
}

async fn imports(
    db: &Database,
    merchant: MerchantId,
    after: Option<SerialId>,
) -> Result<Vec<ImportId>, Error> {
    let from = after.map_or(Uuid::nil(), |serial| serial.import().uuid());
    let found: Vec<Uuid> = sqlx::query_scalar(include_str!("imports.sql"))
        .bind(merchant.uuid())
        .bind(from)
        .bind(i64::from(IMPORTS_AT_ONCE))
        .fetch_all(&mut *db.report().await?)
        .await?;
    Ok(found.into_iter().map(ImportId::from_uuid).collect())
}

async fn rows(
    db: &Database,
    imports: &[ImportId],
    after: Option<SerialId>,
    most: i64,
) -> Result<Vec<Row>, Error> {
    let begun = after.map(|serial| (serial.import(), serial.uuid().as_u128().saturating_add(1)));
    let range = |import: &ImportId| {
        let first = begun.filter(|(begun, _)| begun == import);
        let first = first.map_or(import.uuid(), |(_, next)| Uuid::from_u128(next));
        (first, import.serial(u32::MAX).uuid())
    };
    let (first, last): (Vec<_>, Vec<_>) = imports.iter().map(range).unzip();
    Ok(sqlx::query_as(include_str!("claims.sql"))
        .bind(first)
        .bind(last)
        .bind(most)
        .fetch_all(&mut *db.report().await?)
        .await?)
}

impl Part {
    fn claims(&mut self, rows: &[Row]) {
        self.checked.claims += rows.len() as u64;
        for row in rows {
            let wrong = reconciliation::claim(row.named);
            self.mismatches.extend(wrong.map(|check| Mismatch {
                relationship: row.relationship_id.map(RelationshipId::from_uuid),
                version: Some(row.version),
                serial: Some(SerialId::from_uuid(row.serial_id)),
                check,
            }));
        }
    }
}
