//! A reseller makes one more link.
//!
//! Keeps: the relationship is locked before its links are counted, so two calls at once cannot both make
//! the last that is allowed; whoever comes second to a code is told so by its constraint.

use std::collections::BTreeSet;

use engine::{
    audit::Actor,
    clock::Timestamp,
    links::{Link, NewLink, Refusal, Target},
    relationships::Ware,
};
use sqlx::PgConnection;

use super::{
    NotChanged, is_taken,
    rows::{self, Of},
};
use crate::{
    Database, Error,
    database::commit,
    owned,
    relationships::rows::{kept, lock, unknown_ware},
};

/// Makes a link, or says why not; none if there is no such relationship.
pub async fn create(
    db: &Database,
    (merchant, relationship): Of,
    new: NewLink,
    actor: Actor,
    now: Timestamp,
) -> Result<Option<Result<Link, NotChanged>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(seller) = lock(&mut tx, merchant, relationship).await? else {
            return Ok(None);
        };
        let live: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM links
             WHERE relationship_id = $1 AND kind = 'LINK' AND status <> 'REVOKED'",
        )
        .bind(relationship.uuid())
        .fetch_one(&mut *tx)
        .await?;
        let target = new.target.clone();
        let link = match new.of(&seller, live.unsigned_abs(), now) {
            Ok(link) => link,
            Err(refusal) => return Ok(Some(Err(NotChanged::Refused(refusal)))),
        };
        if let Some(refusal) = unknown(&mut tx, (merchant, relationship), &target).await? {
            return Ok(Some(Err(NotChanged::Refused(refusal))));
        }
        if let Err(error) = insert(&mut tx, (merchant, relationship), &link).await {
            let taken = is_taken(&error);
            return if taken {
                Ok(Some(Err(NotChanged::CodeTaken)))
            } else {
                Err(error)
            };
        }
        let did = (actor, "link.create", link.id.to_string());
        rows::note(&mut tx, merchant, did, now).await?;
        commit(tx).await?;
        Ok(Some(Ok(link)))
    })
    .await
}

/// The refusal of a product that the merchant does not sell.
pub(super) async fn unknown(
    connection: &mut PgConnection,
    (merchant, _): Of,
    target: &Target,
) -> Result<Option<Refusal>, Error> {
    let Target::Product(product) = target else {
        return Ok(None);
    };
    let named: BTreeSet<Ware> = [(*product, None)].into();
    let unknown = unknown_ware(connection, merchant, &named).await?;
    Ok(unknown.map(|(product, _)| Refusal::ProductNotAllowed(product)))
}

async fn insert(
    connection: &mut PgConnection,
    (merchant, relationship): Of,
    link: &Link,
) -> Result<(), Error> {
    let (product, url) = rows::columns(&link.target);
    sqlx::query(
        "INSERT INTO links (link_id, merchant_id, relationship_id, name, code, target_product_id,
           target_url, status, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
    )
    .bind(link.id.uuid())
    .bind(merchant.uuid())
    .bind(relationship.uuid())
    .bind(&link.name)
    .bind(&link.code)
    .bind(product)
    .bind(url)
    .bind(link.status.name())
    .bind(link.created_at)
    .execute(connection)
    .await?;
    Ok(())
}
