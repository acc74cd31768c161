//! A campaign is changed, stopped, or gets tokens of another version.

use engine::{
    audit::Actor,
    campaigns::{Campaign, Changed, Edit},
    clock::Timestamp,
    ids::CampaignId,
};
use sqlx::PgConnection;

use super::{
    Named, NotChanged,
    rows::{self, Of},
    scope::known,
};
use crate::{
    Database, Error,
    database::commit,
    error::exactly_one,
    links::rows::note,
    owned,
    relationships::rows::{kept, lock},
};

/// Changes a campaign of this relationship, or says why not; none if there is none such. What is named, if
/// anything is, is what it is limited to from now on.
pub async fn change(
    db: &Database,
    of: Of,
    id: CampaignId,
    (edit, named): (Edit, Option<Named>),
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Result<Changed, NotChanged>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(seller) = lock(&mut tx, of.0, of.1).await? else {
            return Ok(None);
        };
        let Some(campaign) = rows::find(&mut tx, of, id).await? else {
            return Ok(None);
        };
        let mut edit = edit;
        if let Some(named) = named {
            match known(&mut tx, of.0, named).await? {
                Ok(scope) => edit.scope = Some(scope),
                Err(unknown) => return Ok(Some(Err(unknown))),
            }
        }
        let campaign = match campaign.changed(&seller, edit, now) {
            Ok(Changed::To(campaign)) => campaign,
            Ok(already) => return Ok(Some(Ok(already))),
            Err(refusal) => return Ok(Some(Err(NotChanged::Refused(refusal)))),
        };
        store(&mut tx, &campaign).await?;
        let did = (actor, "campaign.update", id.to_string());
        note(&mut tx, of.0, did, now).await?;
        commit(tx).await?;
        Ok(Some(Ok(Changed::To(campaign))))
    })
    .await
}

/// Gives tokens another version, or says why not; none if there is no such campaign.
pub async fn rotate(
    db: &Database,
    of: Of,
    id: CampaignId,
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Result<Campaign, NotChanged>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        if lock(&mut tx, of.0, of.1).await?.is_none() {
            return Ok(None);
        }
        let Some(campaign) = rows::find(&mut tx, of, id).await? else {
            return Ok(None);
        };
        let campaign = match campaign.rotated(now) {
            Ok(campaign) => campaign,
            Err(refusal) => return Ok(Some(Err(NotChanged::Refused(refusal)))),
        };
        store(&mut tx, &campaign).await?;
        let did = (actor, "campaign.rotate_token", id.to_string());
        note(&mut tx, of.0, did, now).await?;
        commit(tx).await?;
        Ok(Some(Ok(campaign)))
    })
    .await
}

async fn store(connection: &mut PgConnection, campaign: &Campaign) -> Result<(), Error> {
    let (products, variants) = rows::columns(&campaign.scope);
    let stored = sqlx::query(
        "UPDATE embed_campaigns SET name = $2, status = $3, product_ids = $4, variant_ids = $5,
           origins = $6, token_version = $7, updated_at = $8
         WHERE campaign_id = $1",
    )
    .bind(campaign.id.uuid())
    .bind(&campaign.name)
    .bind(campaign.status.name())
    .bind(products)
    .bind(variants)
    .bind(&campaign.origins)
    .bind(campaign.token_version.cast_signed())
    .bind(campaign.updated_at)
    .execute(&mut *connection)
    .await?;
    exactly_one(&stored, "a campaign that is changed")?;
    let linked = sqlx::query(
        "UPDATE links SET name = $2, status = $3, updated_at = $4
         WHERE link_id = $1 AND kind = 'CAMPAIGN'",
    )
    .bind(campaign.id.link().uuid())
    .bind(&campaign.name)
    .bind(campaign.status.name())
    .bind(campaign.updated_at)
    .execute(connection)
    .await?;
    exactly_one(&linked, "the link of a campaign")
}
