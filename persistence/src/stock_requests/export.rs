//! Items leave Consign as a file.
//!
//! Keeps: that an item's text leaves is noted before it does; nothing but available items leave.

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::{ProductId, StockRequestId},
    relationships::RelationshipScope,
    stock_requests::Item,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    items::{ItemRow, select_item, whole},
    rows::note,
};
use crate::{Database, Error, database::commit, owned, relationships::rows::kept};

/// Items of one page of a file.
const EXPORTED_AT_ONCE: usize = 500;

/// Which available items; none of a field is any.
#[derive(Debug, Clone, Copy, Default)]
pub struct Exporting {
    pub product: Option<ProductId>,
    pub request: Option<StockRequestId>,
}

/// Items that were noted as handed over, and after which number to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    pub items: Vec<Item>,
    pub next: Option<i64>,
}

/// Notes that an inventory is about to be exported.
pub async fn exports(
    db: &Database,
    scope: RelationshipScope,
    actor: Actor,
    now: Timestamp,
) -> Result<(), Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let target = scope.relationship.to_string();
        let did = (actor, "inventory.export", target);
        note(&mut tx, scope.merchant, did, now).await?;
        commit(tx).await
    })
    .await
}

/// The available items after this number, oldest first: a page of them, noted as handed over.
pub async fn export(
    db: &Database,
    scope: RelationshipScope,
    wanted: Exporting,
    after: i64,
    now: Timestamp,
) -> Result<Exported, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let found: Vec<(Uuid, Uuid, i64)> = sqlx::query_as(
            "SELECT i.serial_id, i.stock_request_id, i.number FROM inventory_items AS i
             JOIN stock_requests AS r ON r.stock_request_id = i.stock_request_id
             WHERE i.relationship_id = $1 AND i.number > $2 AND i.status = 'AVAILABLE'
               AND ($3::uuid IS NULL OR r.product_id = $3)
               AND ($4::uuid IS NULL OR i.stock_request_id = $4)
             ORDER BY i.relationship_id, i.number LIMIT $5",
        )
        .bind(scope.relationship.uuid())
        .bind(after)
        .bind(wanted.product.map(ProductId::uuid))
        .bind(wanted.request.map(StockRequestId::uuid))
        .bind(i64::try_from(EXPORTED_AT_ONCE).unwrap_or(i64::MAX))
        .fetch_all(&mut *tx)
        .await?;
        let full = found.len() == EXPORTED_AT_ONCE;
        let next = found.last().filter(|_| full).map(|(_, _, number)| *number);
        let (serials, requests): (Vec<_>, Vec<_>) = found
            .into_iter()
            .map(|(serial, of, _)| (serial, of))
            .unzip();
        let left = stamp(&mut tx, serials, requests, now).await?;
        let rows: Vec<ItemRow> = sqlx::query_as(select_item!(
            "WHERE i.serial_id = ANY ($1) ORDER BY i.number"
        ))
        .bind(left)
        .fetch_all(&mut *tx)
        .await?;
        commit(tx).await?;
        let items = whole(&db, scope.merchant, rows).await?;
        Ok(Exported { items, next })
    })
    .await
}

/// Those of the items that are still available, noted as handed over.
async fn stamp(
    connection: &mut PgConnection,
    serials: Vec<Uuid>,
    requests: Vec<Uuid>,
    now: Timestamp,
) -> Result<Vec<Uuid>, Error> {
    // Whoever changes an item locks its request first.
    sqlx::query(
        "SELECT FROM stock_requests WHERE stock_request_id = ANY ($1)
         ORDER BY stock_request_id FOR UPDATE",
    )
    .bind(requests)
    .execute(&mut *connection)
    .await?;
    Ok(sqlx::query_scalar(
        "UPDATE inventory_items SET exported_at = $2,
           handed_over_at = COALESCE(handed_over_at, $2), updated_at = $2
         WHERE serial_id = ANY ($1) AND status = 'AVAILABLE' RETURNING serial_id",
    )
    .bind(serials)
    .bind(now)
    .fetch_all(connection)
    .await?)
}
