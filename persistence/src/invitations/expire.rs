//! Offers whose time is over: they end, and the relationships that waited for them.

use engine::{audit::Actor, clock::Timestamp, ids::MerchantId, invitations::Invitation};

use super::{
    decline::end,
    rows::{Row, select_invitation},
};
use crate::{Database, Error, database::commit, owned, relationships::rows::kept};

const ACTION: &str = "invitation.expire";
const REASON: &str = "The invitation expired.";
/// Who the audit log says it was.
const JOB: &str = "expiry of invitations";

/// Ends at most so many offers that are over, one after the other; says how many.
pub async fn expire(db: &Database, limit: u32, now: Timestamp) -> Result<u32, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut ended = 0;
        while ended < limit && expire_one(&db, now).await? {
            ended += 1;
        }
        Ok(ended)
    })
    .await
}

async fn expire_one(db: &Database, now: Timestamp) -> Result<bool, Error> {
    let mut tx = db.begin().await?;
    let row: Option<Row> = sqlx::query_as(select_invitation!(
        "WHERE i.status = 'PENDING' AND i.expires_at <= $1
         ORDER BY i.expires_at LIMIT 1 FOR UPDATE SKIP LOCKED"
    ))
    .bind(now)
    .fetch_optional(&mut *tx)
    .await?;
    let over = row.map(Invitation::try_from).transpose()?;
    let Some(over) = over.and_then(|invitation| invitation.expire(now)) else {
        return Ok(false);
    };
    let deed = (Actor::job(JOB), ACTION);
    end(&mut tx, &over, REASON.to_owned(), deed, now).await?;
    commit(tx).await?;
    Ok(true)
}

/// Ends the offer to this address, if it is over.
pub(super) async fn expire_of(
    db: &Database,
    merchant: MerchantId,
    email: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    let row: Option<Row> = sqlx::query_as(select_invitation!(
        "WHERE i.merchant_id = $1 AND i.email = $2 AND i.status = 'PENDING'
           AND i.expires_at <= $3 FOR UPDATE"
    ))
    .bind(merchant.uuid())
    .bind(email)
    .bind(now)
    .fetch_optional(&mut *tx)
    .await?;
    let over = row.map(Invitation::try_from).transpose()?;
    let Some(over) = over.and_then(|invitation| invitation.expire(now)) else {
        return Ok(());
    };
    let deed = (Actor::job(JOB), ACTION);
    end(&mut tx, &over, REASON.to_owned(), deed, now).await?;
    commit(tx).await
}
