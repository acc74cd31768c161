//! A merchant changes a relationship: read under a lock, judged by the engine, stored.

use engine::{
    audit::{Actor, Deed},
    clock::Timestamp,
    ids::{BalanceId, MerchantId, RelationshipId},
    relationships::{Change, Unchanged, Ware},
};

use super::rows::{self, kept};
use crate::{Database, Error, audit, database::commit, links, owned};

/// What to tell the engine's `terms_changed` after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    pub balances: Vec<BalanceId>,
}

/// Why a relationship stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotChanged {
    Unchanged(Unchanged),
    UnknownWare(Ware),
    CodeTaken,
}

/// Changes a relationship of this merchant, or says why it stays; none if there is none.
pub async fn update(
    db: &Database,
    (merchant, id): (MerchantId, RelationshipId),
    change: Change,
    actor: Actor,
    now: Timestamp,
) -> Result<Option<Result<Changed, NotChanged>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(relationship) = rows::lock(&mut tx, merchant, id).await? else {
            return Ok(None);
        };
        let before = rows::digest(&mut tx, id).await?;
        let named = change.access.named();
        let access = relationship.access.clone();
        let relationship = match relationship.changed(change, now) {
            Ok(relationship) => relationship,
            Err(unchanged) => return Ok(Some(Err(NotChanged::Unchanged(unchanged)))),
        };
        if let Some(ware) = rows::unknown_ware(&mut tx, merchant, &named).await? {
            return Ok(Some(Err(NotChanged::UnknownWare(ware))));
        }
        if let Err(error) = rows::store(&mut tx, &relationship).await {
            return if links::is_taken(&error) {
                Ok(Some(Err(NotChanged::CodeTaken)))
            } else {
                Err(error)
            };
        }
        rows::tell(&mut tx, &relationship, now).await?;
        if relationship.access != access {
            rows::tell_access(&mut tx, &relationship, now).await?;
        }
        let deed = Deed {
            actor,
            action: "reseller.update".to_owned(),
            target: id.to_string(),
            before: Some(before),
            after: Some(rows::digest(&mut tx, id).await?),
            at: now,
        };
        let balances = rows::balances(&mut tx, id).await?;
        audit::append(&mut tx, merchant, deed).await?;
        commit(tx).await?;
        Ok(Some(Ok(Changed { balances })))
    })
    .await
}
