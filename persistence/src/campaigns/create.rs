//! A reseller, or its merchant, makes a campaign.
//!
//! Keeps: the relationship is locked before its campaigns are counted, so two calls at once cannot both
//! make the last that is allowed.

use engine::{
    audit::Actor,
    campaigns::{Campaign, NewCampaign},
    clock::Timestamp,
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
    links::rows::note,
    owned,
    relationships::rows::{kept, lock},
};

/// Makes a campaign limited to what is named, or says why not; none if there is no such relationship.
pub async fn create(
    db: &Database,
    (merchant, relationship): Of,
    (new, named): (NewCampaign, Named),
    actor: Actor,
    now: Timestamp,
) -> Result<Option<Result<Campaign, NotChanged>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(seller) = lock(&mut tx, merchant, relationship).await? else {
            return Ok(None);
        };
        let scope = match known(&mut tx, merchant, named).await? {
            Ok(scope) => scope,
            Err(unknown) => return Ok(Some(Err(unknown))),
        };
        let live: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM embed_campaigns
             WHERE relationship_id = $1 AND status <> 'REVOKED'",
        )
        .bind(relationship.uuid())
        .fetch_one(&mut *tx)
        .await?;
        let new = NewCampaign { scope, ..new };
        let campaign = match new.of(&seller, live.unsigned_abs(), now) {
            Ok(campaign) => campaign,
            Err(refusal) => return Ok(Some(Err(NotChanged::Refused(refusal)))),
        };
        insert_link(&mut tx, (merchant, relationship), &campaign).await?;
        insert(&mut tx, (merchant, relationship), &campaign).await?;
        let did = (actor, "campaign.create", campaign.id.to_string());
        note(&mut tx, merchant, did, now).await?;
        commit(tx).await?;
        Ok(Some(Ok(campaign)))
    })
    .await
}

/// The link under which its sales are attributed.
async fn insert_link(
    connection: &mut PgConnection,
    (merchant, relationship): Of,
    campaign: &Campaign,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO links (link_id, merchant_id, relationship_id, kind, name, status, created_at,
           updated_at)
         VALUES ($1, $2, $3, 'CAMPAIGN', $4, $5, $6, $6)",
    )
    .bind(campaign.id.link().uuid())
    .bind(merchant.uuid())
    .bind(relationship.uuid())
    .bind(&campaign.name)
    .bind(campaign.status.name())
    .bind(campaign.created_at)
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert(
    connection: &mut PgConnection,
    (merchant, relationship): Of,
    campaign: &Campaign,
) -> Result<(), Error> {
    let (products, variants) = rows::columns(&campaign.scope);
    sqlx::query(
        "INSERT INTO embed_campaigns (campaign_id, merchant_id, relationship_id, name, status,
           product_ids, variant_ids, origins, token_version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)",
    )
    .bind(campaign.id.uuid())
    .bind(merchant.uuid())
    .bind(relationship.uuid())
    .bind(&campaign.name)
    .bind(campaign.status.name())
    .bind(products)
    .bind(variants)
    .bind(&campaign.origins)
    .bind(campaign.token_version.cast_signed())
    .bind(campaign.created_at)
    .execute(connection)
    .await?;
    Ok(())
}
