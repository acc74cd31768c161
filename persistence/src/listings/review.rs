//! Listings whose causes changed are reviewed: blocked, or brought back as they were.
//!
//! Keeps: a change that was stored while a review looked is seen by the next one: whatever changed within
//! the last minute is looked at again.

use std::sync::Arc;

use engine::{
    clock::Timestamp,
    events::{Fact, ListingBlocked},
    ids::{ListingId, VariantId},
    listings::{Listing, Reason, State},
    vault::Vault,
};
use sqlx::PgConnection;

use super::rows::{self, Judged, Row, select_judged};
use crate::{
    Database, Error,
    database::commit,
    events::outbox,
    mail::{self, Post},
    owned,
    relationships::rows::kept,
};

/// What a reseller is mailed about a listing that is blocked now.
pub struct Blocked {
    pub to: String,
    pub merchant_name: String,
    pub title: String,
    pub reason: Reason,
}

/// At most so many listings whose causes may have changed since they were reviewed.
pub async fn due(db: &Database, limit: u32) -> Result<Vec<Judged>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<Row> = sqlx::query_as(select_judged!(
            "WHERE l.status <> 'ARCHIVED' AND l.reviewed_at
               < GREATEST(r.updated_at, p.updated_at, g.updated_at) + interval '1 minute'
             ORDER BY l.reviewed_at LIMIT $1"
        ))
        .bind(i64::from(limit))
        .fetch_all(&mut *db.behind().await?)
        .await?;
        rows.into_iter().map(Judged::try_from).collect()
    })
    .await
}

/// Notes that these were reviewed, and changes and tells those that are to be otherwise; says how many.
pub async fn review(
    db: &Database,
    vault: &Vault,
    due: Vec<Judged>,
    letter: Arc<dyn Fn(&Blocked) -> Post + Send + Sync>,
    now: Timestamp,
) -> Result<u32, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let mut changed = 0;
        let (same, otherwise): (Vec<_>, Vec<_>) = due
            .into_iter()
            .partition(|it| it.listing.reviewed(&it.facts, now).is_none());
        for judged in otherwise {
            let id = judged.listing.id;
            changed += u32::from(settle(&db, &vault, id, &*letter, now).await?);
        }
        let ids: Vec<_> = same.iter().map(|it| it.listing.id.uuid()).collect();
        let mut tx = db.begin_behind().await?;
        sqlx::query("UPDATE listings SET reviewed_at = $2 WHERE listing_id = ANY ($1)")
            .bind(ids)
            .bind(now)
            .execute(&mut *tx)
            .await?;
        commit(tx).await?;
        Ok(changed)
    })
    .await
}

/// Makes a listing what it has to be, as its rows are under its lock.
async fn settle(
    db: &Database,
    vault: &Vault,
    id: ListingId,
    letter: &(dyn Fn(&Blocked) -> Post + Send + Sync),
    now: Timestamp,
) -> Result<bool, Error> {
    let mut tx = db.begin_behind().await?;
    let Some(judged) = rows::lock(&mut tx, id, None).await? else {
        return Ok(false);
    };
    let Some(listing) = judged.listing.reviewed(&judged.facts, now) else {
        return Ok(false);
    };
    rows::store(&mut tx, &listing, now).await?;
    if let (State::Active | State::Paused, State::Blocked { reason, .. }) =
        (judged.listing.state, listing.state)
    {
        let blocked = about(&mut tx, &judged, reason).await?;
        tell(&mut tx, (&judged, &listing), reason, now).await?;
        let Post { id, letter } = letter(&blocked);
        mail::queue(&mut tx, vault, (id, "listing-blocked"), &letter, now).await?;
    }
    commit(tx).await?;
    Ok(true)
}

async fn tell(
    connection: &mut PgConnection,
    (judged, listing): (&Judged, &Listing),
    reason: Reason,
    now: Timestamp,
) -> Result<(), Error> {
    let fact = Fact::ListingBlocked(ListingBlocked {
        listing: listing.id.uuid(),
        relationship: listing.relationship.uuid(),
        product: listing.product.uuid(),
        variant: listing.variant.map(VariantId::uuid),
        reason: reason.name().to_owned(),
    });
    let of = (judged.merchant, Some(listing.relationship));
    outbox::tell(connection, of, &fact, now).await
}

async fn about(
    connection: &mut PgConnection,
    judged: &Judged,
    reason: Reason,
) -> Result<Blocked, Error> {
    let (to, merchant_name): (String, String) = sqlx::query_as(
        "SELECT COALESCE(p.email, r.email), m.name FROM relationships AS r
         JOIN merchants AS m ON m.merchant_id = r.merchant_id
         LEFT JOIN persons AS p ON p.person_id = r.person_id
         WHERE r.relationship_id = $1",
    )
    .bind(judged.listing.relationship.uuid())
    .fetch_one(connection)
    .await?;
    let title = match &judged.variant_title {
        Some(variant) => format!("{}, {variant}", judged.title),
        None => judged.title.clone(),
    };
    Ok(Blocked {
        to,
        merchant_name,
        title,
        reason,
    })
}
