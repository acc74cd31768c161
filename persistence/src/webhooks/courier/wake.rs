//! Webhooks whose feeds have something new: their turn has come.

use engine::{
    clock::Timestamp,
    events::Feed,
    ids::{MerchantId, RelationshipId},
};
use uuid::Uuid;

use crate::{Database, Error, owned};

/// Has the webhooks of these feeds looked at.
pub async fn wake(
    db: &Database,
    feeds: impl IntoIterator<Item = Feed>,
    now: Timestamp,
) -> Result<(), Error> {
    let live = feeds.into_iter().filter(|feed| !feed.test);
    let sides = live.map(|feed| (feed.merchant, feed.relationship));
    let (merchants, relationships): (Vec<Uuid>, Vec<Option<Uuid>>) = sides
        .map(|(merchant, relationship)| {
            let relationship = relationship.map(RelationshipId::uuid);
            (MerchantId::uuid(merchant), relationship)
        })
        .unzip();
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin_behind().await?;
        sqlx::query(
            "UPDATE webhooks AS w SET due_at = $3
             FROM UNNEST($1::uuid[], $2::uuid[]) AS f (merchant_id, relationship_id)
             WHERE w.merchant_id = f.merchant_id
               AND w.relationship_id IS NOT DISTINCT FROM f.relationship_id
               AND w.status = 'ACTIVE' AND (w.due_at IS NULL OR w.due_at > $3)
               AND (w.rests_until IS NULL OR w.rests_until <= $3)",
        )
        .bind(merchants)
        .bind(relationships)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    })
    .await
}

/// The same for every webhook that is behind its feed, whoever told what is new: another process may have,
/// or one that ended before it could say so.
pub async fn wake_all(db: &Database, now: Timestamp) -> Result<u64, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin_behind().await?;
        let woken = sqlx::query(
            "UPDATE webhooks AS w SET due_at = $1 FROM event_feeds AS f
             WHERE f.merchant_id = w.merchant_id
               AND f.relationship_id IS NOT DISTINCT FROM w.relationship_id AND NOT f.test
               AND f.seq > w.told_seq AND w.status = 'ACTIVE'
               AND (w.due_at IS NULL OR w.due_at > $1)
               AND (w.leased_until IS NULL OR w.leased_until <= $1)
               AND (w.rests_until IS NULL OR w.rests_until <= $1)",
        )
        .bind(now)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(woken.rows_affected())
    })
    .await
}
