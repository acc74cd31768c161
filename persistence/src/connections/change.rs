//! A reseller changes what a connection may deliver, pauses it, or has it go on.

use engine::{
    clock::Timestamp,
    connections::{Custom, Kind, ProductMap, Status},
    ids::ConnectionId,
    money::Money,
};

use super::{
    Changed, Refusal, Who, owner,
    rows::{CustomRow, lines},
};
use crate::{
    Database, Error, database::commit, error::exactly_one, owned, relationships::rows::kept,
};

/// What is to be different; none of a field leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    pub name: Option<String>,
    /// Active or paused.
    pub status: Option<Status>,
    pub map: Option<ProductMap>,
    pub custom: Option<Custom>,
    pub daily_spend_cap: Option<Money>,
}

/// Changes a connection; none if there is no such one.
pub async fn change(
    db: &Database,
    who: Who,
    id: ConnectionId,
    edit: Edit,
    now: Timestamp,
) -> Result<Option<Result<Changed, Refusal>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let old = match owner::lock_live(&mut tx, who.0, id).await? {
            None => return Ok(None),
            Some(Err(refusal)) => return Ok(Some(Err(refusal))),
            Some(Ok(old)) => old,
        };
        if edit.custom.is_some() && old.kind != Kind::Custom {
            return Ok(Some(Err(Refusal::NotCustom)));
        }
        if let Some(map) = &edit.map
            && let Some(refusal) = owner::unknown(&mut tx, who.0, map).await?
        {
            return Ok(Some(Err(refusal)));
        }
        let before = owner::digest(&mut tx, id).await?;
        let done = sqlx::query(
            "UPDATE connections SET name = $2, status = $3, product_map = $4, custom = $5,
               daily_spend_cap = $6, updated_at = $7
             WHERE connection_id = $1",
        )
        .bind(id.uuid())
        .bind(edit.name.unwrap_or(old.name))
        .bind(edit.status.unwrap_or(old.status).name())
        .bind(lines(&edit.map.unwrap_or(old.map)))
        .bind(edit.custom.or(old.custom).as_ref().map(CustomRow::of))
        .bind(edit.daily_spend_cap.unwrap_or(old.daily_spend_cap).minor())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        exactly_one(&done, "a locked connection")?;
        let deed = ("connection.update", id);
        let changed = owner::changed(&mut tx, who, deed, Some(before), now).await?;
        commit(tx).await?;
        Ok(Some(Ok(changed)))
    })
    .await
}
