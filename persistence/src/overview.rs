//! What a person's programs have at this moment: listings, stock, what can be asked for.

use engine::{ids::RelationshipId, money::Money};
use uuid::Uuid;

use crate::{Database, Error, fulfillments::rows::money, owned};

/// Where one relationship stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub relationship: RelationshipId,
    pub active_listings: u64,
    pub blocked_listings: u64,
    /// Serials of its inventory that went to nobody.
    pub available_stock: u64,
    /// Of what was earned; below zero after a reversal.
    pub available_payout: Money,
}

/// Where these relationships stand, in the order of their ids.
pub async fn standings(db: &Database, of: &[RelationshipId]) -> Result<Vec<Standing>, Error> {
    let (db, ids) = (
        db.clone(),
        of.iter().map(|id| id.uuid()).collect::<Vec<_>>(),
    );
    owned(async move {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT r.relationship_id, l.active, l.blocked, i.available,
               COALESCE(e.approved - e.paid_out - e.open_payouts, 0) AS payout
             FROM relationships AS r
             LEFT JOIN earnings AS e ON e.relationship_id = r.relationship_id
             CROSS JOIN LATERAL (
               SELECT COUNT(*) FILTER (WHERE l.status = 'ACTIVE') AS active,
                      COUNT(*) FILTER (WHERE l.status = 'BLOCKED') AS blocked
               FROM listings AS l WHERE l.relationship_id = r.relationship_id
             ) AS l
             CROSS JOIN LATERAL (
               SELECT COUNT(*) AS available FROM inventory_items AS i
               WHERE i.relationship_id = r.relationship_id AND i.status = 'AVAILABLE'
             ) AS i
             WHERE r.relationship_id = ANY ($1)
             ORDER BY r.relationship_id",
        )
        .bind(ids)
        .fetch_all(&mut *db.report().await?)
        .await?;
        rows.into_iter().map(Standing::try_from).collect()
    })
    .await
}

#[derive(sqlx::FromRow)]
struct Row {
    relationship_id: Uuid,
    active: i64,
    blocked: i64,
    available: i64,
    payout: i64,
}

impl TryFrom<Row> for Standing {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            relationship: RelationshipId::from_uuid(row.relationship_id),
            active_listings: row.active.unsigned_abs(),
            blocked_listings: row.blocked.unsigned_abs(),
            available_stock: row.available.unsigned_abs(),
            available_payout: money(row.payout)?,
        })
    }
}
