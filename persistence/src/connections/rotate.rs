//! A connection gets another secret; the one before is good beside it for a while.

use chrono::TimeDelta;
use engine::{
    clock::Timestamp,
    ids::ConnectionId,
    vault::{Opened, Vault},
};

use super::{Changed, Refusal, Who, owner};
use crate::{
    Database, Error, database::commit, error::exactly_one, owned, relationships::rows::kept,
};

/// The next secret, and how long the one before is good.
#[derive(Debug, Clone)]
pub struct NewSecret {
    pub secret: Opened,
    pub overlap_hours: u32,
}

/// Puts a secret in force; none if there is no such connection. At most two are good at a time.
pub async fn rotate(
    db: &Database,
    vault: &Vault,
    who: Who,
    (id, new): (ConnectionId, NewSecret),
    now: Timestamp,
) -> Result<Option<Result<Changed, Refusal>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    let sealed = vault.seal_connection_secret(id, new.secret.expose());
    owned(async move {
        let mut tx = db.begin().await?;
        match owner::lock_live(&mut tx, who.0, id).await? {
            None => return Ok(None),
            Some(Err(refusal)) => return Ok(Some(Err(refusal))),
            Some(Ok(_)) => {}
        }
        let before = owner::digest(&mut tx, id).await?;
        let done = sqlx::query(
            "UPDATE connections SET secret = $2, old_secret = CASE WHEN $4 THEN secret END,
               old_secret_until = CASE WHEN $4 THEN $3 END, updated_at = $5
             WHERE connection_id = $1",
        )
        .bind(id.uuid())
        .bind(sealed.as_bytes())
        .bind(now + TimeDelta::hours(new.overlap_hours.into()))
        .bind(new.overlap_hours > 0)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        exactly_one(&done, "a connection whose secret is rotated")?;
        let deed = ("connection.rotate", id);
        let changed = owner::changed(&mut tx, who, deed, Some(before), now).await?;
        commit(tx).await?;
        Ok(Some(Ok(changed)))
    })
    .await
}
