//! Commissions whose hold is over are approved, a relationship at a time.

use std::sync::Arc;

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::{MerchantId, RelationshipId},
    random::Random,
    sales::{Sale, Stepped},
};
use uuid::Uuid;

use super::{
    earnings,
    rows::{self, Of, Row, select_sale},
};
use crate::{Database, Error, database::commit, owned, relationships::rows::kept};

/// Who the audit log says it was.
const JOB: &str = "end of commissions' holds";
/// Commissions of one relationship that one transaction approves.
const AT_ONCE: i64 = 100;
const RELATIONSHIPS_AT_ONCE: i64 = 100;

/// Approves what is due, of each relationship the same number at most; says how many commissions. No
/// relationship waits for another one, however much is due of it or whatever is wrong with it.
pub async fn release(db: &Database, random: Arc<dyn Random>, now: Timestamp) -> Result<u32, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let (mut approved, mut last) = (0, None);
        loop {
            let page = due(&db, last, now).await?;
            let Some(end) = page.last() else {
                return Ok(approved);
            };
            last = Some(end.1);
            for of in page {
                match release_of(&db, &*random, of, now).await {
                    Ok(count) => approved += count,
                    Err(error) => {
                        let id = of.1;
                        tracing::error!(relationship.id = %id, %error, "commissions of {id} wait");
                    }
                }
            }
        }
    })
    .await
}

/// Some relationships of which something is due, above the last one.
async fn due(
    db: &Database,
    last: Option<RelationshipId>,
    now: Timestamp,
) -> Result<Vec<Of>, Error> {
    let due: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT e.merchant_id, e.relationship_id FROM earnings AS e
         WHERE ($2::uuid IS NULL OR e.relationship_id > $2)
           AND EXISTS (SELECT FROM sales AS s WHERE s.relationship_id = e.relationship_id
                       AND s.commission_status = 'PENDING' AND s.status <> 'DISPUTED'
                       AND s.hold_until <= $1)
         ORDER BY e.relationship_id LIMIT $3",
    )
    .bind(now)
    .bind(last.map(RelationshipId::uuid))
    .bind(RELATIONSHIPS_AT_ONCE)
    .fetch_all(&mut *db.report().await?)
    .await?;
    let due = due.into_iter().map(|(merchant, relationship)| {
        (
            MerchantId::from_uuid(merchant),
            RelationshipId::from_uuid(relationship),
        )
    });
    Ok(due.collect())
}

/// Found without a lock, so looked for again under it.
async fn release_of(
    db: &Database,
    random: &dyn Random,
    of: Of,
    now: Timestamp,
) -> Result<u32, Error> {
    let mut tx = db.begin_behind().await?;
    let mut account = earnings::lock(&mut tx, of).await?;
    let due: Vec<Row> = sqlx::query_as(select_sale!(
        "WHERE s.relationship_id = $1 AND s.commission_status = 'PENDING'
           AND s.status <> 'DISPUTED' AND s.hold_until <= $2
         ORDER BY s.hold_until LIMIT $3"
    ))
    .bind(of.1.uuid())
    .bind(now)
    .bind(AT_ONCE)
    .fetch_all(&mut *tx)
    .await?;
    let mut sales = Vec::new();
    for row in due {
        let sale = Sale::try_from(row)?;
        if !sale.is_due(now) {
            continue;
        }
        let Ok(Stepped::To(sale, movement)) = sale.approve(now) else {
            continue;
        };
        if !account
            .store(&mut tx, movement, (sale.id.uuid(), random), now)
            .await?
        {
            return Err(Error::Inconsistent {
                what: "the earnings that a commission is part of",
            });
        }
        rows::store(&mut tx, &sale).await?;
        rows::tell_approved(&mut tx, &sale, now).await?;
        sales.push(sale);
    }
    // Last, because the head of the log is what others wait for.
    for sale in &sales {
        let what = ("commission.approve", sale.id.commission().to_string());
        rows::note(&mut tx, of.0, what, (Actor::job(JOB), now)).await?;
    }
    commit(tx).await?;
    Ok(u32::try_from(sales.len()).unwrap_or(u32::MAX))
}
