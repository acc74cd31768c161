//! A link is renamed, led elsewhere, paused, resumed or revoked.

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::LinkId,
    links::{Changed, Edit},
};

use super::{
    NotChanged,
    create::unknown,
    rows::{self, Of},
};
use crate::{
    Database, Error,
    database::commit,
    error::exactly_one,
    owned,
    relationships::rows::{kept, lock},
};

/// Changes a link of this relationship, or says why not; none if there is none such.
pub async fn change(
    db: &Database,
    of: Of,
    id: LinkId,
    edit: Edit,
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Result<Changed, NotChanged>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(seller) = lock(&mut tx, of.0, of.1).await? else {
            return Ok(None);
        };
        let Some(link) = rows::find(&mut tx, of, id).await? else {
            return Ok(None);
        };
        let wanted = edit.target.clone();
        let link = match link.changed(&seller, edit, now) {
            Ok(Changed::To(link)) => link,
            Ok(already) => return Ok(Some(Ok(already))),
            Err(refusal) => return Ok(Some(Err(NotChanged::Refused(refusal)))),
        };
        if let Some(target) = wanted
            && let Some(refusal) = unknown(&mut tx, of, &target).await?
        {
            return Ok(Some(Err(NotChanged::Refused(refusal))));
        }
        let (product, url) = rows::columns(&link.target);
        let stored = sqlx::query(
            "UPDATE links SET name = $2, target_product_id = $3, target_url = $4, status = $5,
               updated_at = $6
             WHERE link_id = $1",
        )
        .bind(id.uuid())
        .bind(&link.name)
        .bind(product)
        .bind(url)
        .bind(link.status.name())
        .bind(link.updated_at)
        .execute(&mut *tx)
        .await?;
        exactly_one(&stored, "a link that is changed")?;
        let did = (actor, "link.update", id.to_string());
        rows::note(&mut tx, of.0, did, now).await?;
        commit(tx).await?;
        Ok(Some(Ok(Changed::To(link))))
    })
    .await
}
