//! A row of `embed_campaigns` and what it becomes.

use engine::{
    campaigns::{Campaign, Scope},
    clock::Timestamp,
    ids::{CampaignId, MerchantId, ProductId, RelationshipId, VariantId},
    links::Status,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::scope::{of_variants, uuids};
use crate::{Error, relationships::rows::named};

/// Whose campaigns.
pub(super) type Of = (MerchantId, RelationshipId);

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    campaign_id: Uuid,
    relationship_id: Uuid,
    name: String,
    status: String,
    product_ids: Vec<Uuid>,
    pub(super) variant_ids: Vec<Uuid>,
    origins: Vec<String>,
    token_version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Row {
    pub(super) fn variants(&self) -> Vec<VariantId> {
        let ids = self.variant_ids.iter();
        ids.map(|id| VariantId::from_uuid(*id)).collect()
    }

    /// The campaign; variants that are gone are named no more.
    pub(super) fn campaign(
        self,
        products_of: &std::collections::BTreeMap<VariantId, ProductId>,
    ) -> Result<Campaign, Error> {
        let variants = self.variants();
        let known = variants.iter().filter_map(|id| {
            let product = products_of.get(id)?;
            Some((*id, *product))
        });
        let version = u32::try_from(self.token_version).ok();
        Ok(Campaign {
            id: CampaignId::from_uuid(self.campaign_id),
            relationship: RelationshipId::from_uuid(self.relationship_id),
            name: self.name,
            status: named(Status::parse(&self.status), "embed_campaigns.status")?,
            scope: Scope {
                variants: known.collect(),
                products: self
                    .product_ids
                    .into_iter()
                    .map(ProductId::from_uuid)
                    .collect(),
            },
            origins: self.origins,
            token_version: named(version, "embed_campaigns.token_version")?,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// A campaign of this relationship, whose row is locked.
pub(super) async fn find(
    connection: &mut PgConnection,
    (merchant, relationship): Of,
    id: CampaignId,
) -> Result<Option<Campaign>, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT campaign_id, relationship_id, name, status, product_ids, variant_ids, origins,
           token_version, created_at, updated_at
         FROM embed_campaigns
         WHERE merchant_id = $1 AND relationship_id = $2 AND campaign_id = $3",
    )
    .bind(merchant.uuid())
    .bind(relationship.uuid())
    .bind(id.uuid())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let products = of_variants(connection, merchant, &row.variants()).await?;
    row.campaign(&products).map(Some)
}

/// The ids that a scope is stored as.
pub(super) fn columns(scope: &Scope) -> (Vec<Uuid>, Vec<Uuid>) {
    let products: Vec<_> = scope.products.iter().copied().collect();
    let variants: Vec<_> = scope.variants.keys().copied().collect();
    (
        uuids(&products, ProductId::uuid),
        uuids(&variants, VariantId::uuid),
    )
}
