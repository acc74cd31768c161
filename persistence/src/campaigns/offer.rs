//! What a campaign shows, to whoever comes by its snippet.

use engine::{
    campaigns::{self, Standing},
    catalog::Sku,
    clock::Timestamp,
    ids::{CampaignId, MerchantId, ProductId, RelationshipId, VariantId},
    links::{Status, Visitor},
    money::{Currency, Money},
    relationships::{Mode, ProductScope, Status as RelationshipStatus},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Database, Error, database::commit, fulfillments::rows::money, links::is_fresh, owned,
    relationships::rows::named,
};

/// A campaign with all that decides whether it shows anything, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub standing: Standing,
    pub merchant: MerchantId,
    pub merchant_name: String,
    pub storefront_url: Option<String>,
    pub currency: Currency,
    pub relationship: RelationshipId,
    pub window_days: u16,
    pub origins: Vec<String>,
    product_scope: ProductScope,
    products: Vec<Uuid>,
    variants: Vec<Uuid>,
}

/// Something that it sells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    pub product: ProductId,
    pub variant: Option<VariantId>,
    pub title: String,
    pub variant_title: Option<String>,
    pub price: Money,
}

/// The campaign with this id.
pub async fn find(db: &Database, id: CampaignId) -> Result<Option<Offer>, Error> {
    let db = db.clone();
    owned(async move { find_in(&mut *db.find().await?, id).await }).await
}

async fn find_in(connection: &mut PgConnection, id: CampaignId) -> Result<Option<Offer>, Error> {
    let row: Option<Row> = sqlx::query_as(
            "SELECT c.status, c.token_version, c.origins, c.product_ids, c.variant_ids,
               r.relationship_id, r.status AS relationship_status, r.mode, r.product_scope,
               p.enabled, p.attribution_window_days AS window_days, m.merchant_id, m.name AS merchant_name, m.storefront_url,
               m.currency
             FROM embed_campaigns AS c
             JOIN relationships AS r ON r.relationship_id = c.relationship_id
             JOIN programs AS p ON p.merchant_id = c.merchant_id
             JOIN merchants AS m ON m.merchant_id = c.merchant_id
             WHERE c.campaign_id = $1",
        )
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(|row| row.offer(id)).transpose()
}

/// What it sells now, by its title: a hundred at most.
pub async fn offered(db: &Database, offer: &Offer) -> Result<Vec<Offered>, Error> {
    let (db, offer) = (db.clone(), offer.clone());
    owned(async move { offered_in(&mut *db.find().await?, offer, None).await }).await
}

/// Whether it sells this now.
pub async fn offers(db: &Database, offer: &Offer, sku: Sku) -> Result<bool, Error> {
    let (db, offer) = (db.clone(), offer.clone());
    owned(async move {
        let found = offered_in(&mut *db.find().await?, offer, Some(sku)).await?;
        Ok(!found.is_empty())
    })
    .await
}

/// Of one sku only whether it is among it: a list has an end, and what is sold has none.
async fn offered_in(
    connection: &mut PgConnection,
    offer: Offer,
    only: Option<Sku>,
) -> Result<Vec<Offered>, Error> {
    let rows: Vec<OfferedRow> = sqlx::query_as(include_str!("offered.sql"))
        .bind(offer.merchant.uuid())
        .bind(offer.relationship.uuid())
        .bind(offer.products)
        .bind(offer.variants)
        .bind(offer.product_scope == ProductScope::All)
        .bind(only.map(|sku| sku.product.uuid()))
        .bind(only.and_then(|sku| sku.variant).map(VariantId::uuid))
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(Offered::try_from).collect()
}

/// What a campaign of this merchant sells now, to whoever came by a token that counted: a hundred at most; nothing, if
/// it sells nothing.
pub async fn sold(db: &Database, of: (MerchantId, CampaignId)) -> Result<Vec<Offered>, Error> {
    let db = db.clone();
    owned(async move { sold_in(&mut *db.find().await?, of, None).await }).await
}

/// What a merchant has on sale, for whoever comes: a hundred at most.
pub async fn on_sale(db: &Database, merchant: MerchantId) -> Result<Vec<Offered>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<OfferedRow> = sqlx::query_as(include_str!("offered.sql"))
            .bind(merchant.uuid())
            .bind(Uuid::nil())
            .bind(Vec::<Uuid>::new())
            .bind(Vec::<Uuid>::new())
            .bind(true)
            .bind(None::<Uuid>)
            .bind(None::<Uuid>)
            .fetch_all(&mut *db.find().await?)
            .await?;
        rows.into_iter().map(Offered::try_from).collect()
    })
    .await
}

/// Whether a campaign of this merchant sells this now, to whoever came by a token that counted.
pub async fn sells(db: &Database, of: (MerchantId, CampaignId), sku: Sku) -> Result<bool, Error> {
    let db = db.clone();
    owned(async move { sells_in(&mut *db.find().await?, of, sku).await }).await
}

pub(crate) async fn sells_in(
    connection: &mut PgConnection,
    of: (MerchantId, CampaignId),
    sku: Sku,
) -> Result<bool, Error> {
    let found = sold_in(connection, of, Some(sku)).await?;
    Ok(!found.is_empty())
}

async fn sold_in(
    connection: &mut PgConnection,
    (merchant, id): (MerchantId, CampaignId),
    only: Option<Sku>,
) -> Result<Vec<Offered>, Error> {
    let found = find_in(&mut *connection, id).await?;
    let sells = |offer: &Offer| offer.merchant == merchant && campaigns::sells(&offer.standing);
    let Some(offer) = found.filter(sells) else {
        return Ok(Vec::new());
    };
    offered_in(connection, offer, only).await
}

/// Counts somebody who looks at a campaign; false if this one was counted in this hour.
pub async fn viewed(
    db: &Database,
    id: CampaignId,
    visitor: Visitor,
    now: Timestamp,
) -> Result<bool, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin_behind().await?;
        if !is_fresh(&mut tx, id.uuid(), visitor, now).await? {
            return Ok(false);
        }
        sqlx::query("UPDATE embed_campaigns SET views = views + 1 WHERE campaign_id = $1")
            .bind(id.uuid())
            .execute(&mut *tx)
            .await?;
        commit(tx).await?;
        Ok(true)
    })
    .await
}

#[derive(sqlx::FromRow)]
struct Row {
    status: String,
    token_version: i32,
    origins: Vec<String>,
    product_ids: Vec<Uuid>,
    variant_ids: Vec<Uuid>,
    relationship_id: Uuid,
    relationship_status: String,
    mode: String,
    product_scope: String,
    enabled: bool,
    window_days: i32,
    merchant_id: Uuid,
    merchant_name: String,
    storefront_url: Option<String>,
    currency: String,
}

impl Row {
    fn offer(self, campaign: CampaignId) -> Result<Offer, Error> {
        let relationship = RelationshipStatus::parse(&self.relationship_status);
        let version = u32::try_from(self.token_version).ok();
        let days = u16::try_from(self.window_days).ok();
        let product_scope = ProductScope::parse(&self.product_scope);
        Ok(Offer {
            standing: Standing {
                campaign,
                status: named(Status::parse(&self.status), "embed_campaigns.status")?,
                token_version: named(version, "embed_campaigns.token_version")?,
                relationship: named(relationship, "relationships.status")?,
                mode: named(Mode::parse(&self.mode), "relationships.mode")?,
                enabled: self.enabled,
            },
            merchant: MerchantId::from_uuid(self.merchant_id),
            merchant_name: self.merchant_name,
            storefront_url: self.storefront_url,
            currency: named(Currency::parse(&self.currency), "merchants.currency")?,
            relationship: RelationshipId::from_uuid(self.relationship_id),
            window_days: named(days, "programs.attribution_window_days")?,
            origins: self.origins,
            product_scope: named(product_scope, "relationships.product_scope")?,
            products: self.product_ids,
            variants: self.variant_ids,
        })
    }
}

#[derive(sqlx::FromRow)]
struct OfferedRow {
    product_id: Uuid,
    variant_id: Option<Uuid>,
    title: String,
    variant_title: Option<String>,
    price: i64,
}

impl TryFrom<OfferedRow> for Offered {
    type Error = Error;

    fn try_from(row: OfferedRow) -> Result<Self, Error> {
        Ok(Self {
            product: ProductId::from_uuid(row.product_id),
            variant: row.variant_id.map(VariantId::from_uuid),
            title: row.title,
            variant_title: row.variant_title,
            price: money(row.price)?,
        })
    }
}
