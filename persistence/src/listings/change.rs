//! A listing gets another price, is paused, resumed or archived.

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::ListingId,
    listings::{Changed, Edit, Refusal},
};

use super::rows::{self, Of};
use crate::{
    Database, Error, database::commit, links::rows::note, owned, relationships::rows::kept,
};

/// What is done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// By its reseller.
    Edit(Edit),
    /// By the merchant, who says why.
    Archive(String),
}

/// Changes a listing of this relationship, or says why not; none if there is none such.
pub async fn change(
    db: &Database,
    of: Of,
    id: ListingId,
    deed: Deed,
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Result<Changed, Refusal>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(judged) = rows::lock(&mut tx, id, Some(of)).await? else {
            return Ok(None);
        };
        let (changed, action) = match deed {
            Deed::Edit(edit) => {
                let changed = judged.listing.changed(&judged.facts, edit, now);
                (changed, "listing.update")
            }
            Deed::Archive(reason) => (Ok(judged.listing.archived(reason, now)), "listing.archive"),
        };
        let listing = match changed {
            Ok(Changed::To(listing)) => listing,
            Ok(already) => return Ok(Some(Ok(already))),
            Err(refusal) => return Ok(Some(Err(refusal))),
        };
        rows::store(&mut tx, &listing, now).await?;
        note(&mut tx, of.0, (actor, action, id.to_string()), now).await?;
        commit(tx).await?;
        Ok(Some(Ok(Changed::To(listing))))
    })
    .await
}
