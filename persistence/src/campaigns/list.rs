//! The campaigns of a relationship with what came of them, newest first.

use std::collections::BTreeMap;

use engine::{campaigns::Campaign, ids::CampaignId};

use super::{
    rows::{Of, Row},
    scope::of_variants,
};
use crate::{
    Database, Error,
    database::ReadScope,
    fulfillments::rows::money,
    links::Brought,
    owned,
    page::{self, Page},
};

/// A campaign with how often it was looked at, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewed {
    pub campaign: Campaign,
    pub views: u64,
    pub brought: Brought,
}

/// One page of campaigns, below the campaign `before` if there is one.
pub async fn list(
    db: &Database,
    of: Of,
    before: Option<CampaignId>,
    limit: u32,
) -> Result<Page<Viewed>, Error> {
    let found = listed(db, of, None, before, page::asked(limit)).await?;
    Ok(Page::cut(found, limit))
}

/// One campaign of this relationship.
pub async fn one(db: &Database, of: Of, id: CampaignId) -> Result<Option<Viewed>, Error> {
    Ok(listed(db, of, Some(id), None, 1).await?.pop())
}

async fn listed(
    db: &Database,
    (merchant, relationship): Of,
    only: Option<CampaignId>,
    before: Option<CampaignId>,
    limit: i64,
) -> Result<Vec<Viewed>, Error> {
    let db = db.clone();
    owned(async move {
        let scope = ReadScope {
            merchant,
            relationship: Some(relationship),
        };
        let rows: Vec<ViewedRow> = sqlx::query_as(include_str!("list.sql"))
            .bind(merchant.uuid())
            .bind(relationship.uuid())
            .bind(only.map(CampaignId::uuid))
            .bind(before.map(CampaignId::uuid))
            .bind(limit)
            .fetch_all(&mut *db.scoped(scope).await?)
            .await?;
        let variants: Vec<_> = rows
            .iter()
            .flat_map(|row| row.campaign.variants())
            .collect();
        let products = if variants.is_empty() {
            BTreeMap::new()
        } else {
            of_variants(&mut *db.report().await?, merchant, &variants).await?
        };
        let rows = rows.into_iter().map(|row| {
            Ok(Viewed {
                campaign: row.campaign.campaign(&products)?,
                views: row.views.unsigned_abs(),
                brought: Brought {
                    sales: row.sales.unsigned_abs(),
                    revenue: money(row.revenue)?,
                    commission: money(row.commission)?,
                },
            })
        });
        rows.collect()
    })
    .await
}

#[derive(sqlx::FromRow)]
struct ViewedRow {
    #[sqlx(flatten)]
    campaign: Row,
    views: i64,
    sales: i64,
    revenue: i64,
    commission: i64,
}
