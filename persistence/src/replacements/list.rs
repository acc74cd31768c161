//! Replacements as a merchant or one of its resellers reads them, newest first.

use engine::{
    ids::{ImportId, MerchantId, RelationshipId, ReplacementId},
    replacements::{Replacement, Status},
};

use super::rows::{Row, select_replacement};
use crate::{
    Database, Error,
    database::ReadScope,
    owned,
    page::{self, Page},
};

/// Which replacements to list; none of a field is any.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of test mode instead of live.
    pub test: bool,
    pub statuses: Vec<Status>,
    pub relationship: Option<RelationshipId>,
    pub import: Option<ImportId>,
}

/// One page, below the replacement `before` or from the newest.
pub async fn list(
    db: &Database,
    merchant: MerchantId,
    filter: Filter,
    before: Option<ReplacementId>,
    limit: u32,
) -> Result<Page<Replacement>, Error> {
    let db = db.clone();
    owned(async move {
        let scope = ReadScope {
            merchant,
            relationship: filter.relationship,
        };
        let mut connection = db.scoped(scope).await?;
        let names: Vec<_> = filter.statuses.iter().map(|status| status.name()).collect();
        let rows: Vec<Row> = sqlx::query_as(select_replacement!(
            "WHERE r.merchant_id = $1 AND ($2::text[] = '{}' OR r.status = ANY ($2))
               AND ($3::uuid IS NULL OR r.relationship_id = $3)
               AND ($4::uuid IS NULL
                    OR (LEFT(r.serial_id::text, 28) || '00000000')::uuid = $4)
               AND ($5::uuid IS NULL OR r.replacement_id < $5) AND r.test = $7
             ORDER BY r.merchant_id DESC, r.replacement_id DESC LIMIT $6"
        ))
        .bind(merchant.uuid())
        .bind(names)
        .bind(filter.relationship.map(RelationshipId::uuid))
        .bind(filter.import.map(ImportId::uuid))
        .bind(before.map(ReplacementId::uuid))
        .bind(page::asked(limit))
        .bind(filter.test)
        .fetch_all(&mut *connection)
        .await?;
        Page::cut(rows, limit).try_map(Replacement::try_from)
    })
    .await
}

/// A replacement of this merchant.
pub async fn find(
    db: &Database,
    merchant: MerchantId,
    id: ReplacementId,
) -> Result<Option<Replacement>, Error> {
    let db = db.clone();
    owned(async move {
        let row: Option<Row> = sqlx::query_as(select_replacement!(
            "WHERE r.merchant_id = $1 AND r.replacement_id = $2"
        ))
        .bind(merchant.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *db.read().await?)
        .await?;
        row.map(Replacement::try_from).transpose()
    })
    .await
}
