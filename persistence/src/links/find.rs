//! A link by its code, for whoever follows it.

use engine::{
    ids::{LinkId, ProductId},
    links::Status,
    relationships::{Mode, Status as RelationshipStatus},
};
use uuid::Uuid;

use crate::{Database, Error, owned, relationships::rows::named};

/// A link with all that decides where it leads and whether it attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub id: LinkId,
    pub status: Status,
    pub relationship_status: RelationshipStatus,
    pub mode: Mode,
    pub enabled: bool,
    pub window_days: u16,
    pub target_product: Option<ProductId>,
    pub target_url: Option<String>,
    pub storefront_url: Option<String>,
    pub hosts: Vec<String>,
}

/// The link under this code.
pub async fn find(db: &Database, code: &str) -> Result<Option<Found>, Error> {
    let (db, code) = (db.clone(), code.to_owned());
    owned(async move {
        let row: Option<Row> = sqlx::query_as(
            "SELECT l.link_id, l.status, r.status AS relationship_status, r.mode, p.enabled,
               p.attribution_window_days AS window_days, l.target_product_id, l.target_url,
               m.storefront_url, p.redirect_hosts AS hosts
             FROM link_codes AS c
             JOIN links AS l ON l.link_id = c.link_id
             JOIN relationships AS r ON r.relationship_id = l.relationship_id
             JOIN merchants AS m ON m.merchant_id = l.merchant_id
             JOIN programs AS p ON p.merchant_id = l.merchant_id
             WHERE c.code = $1",
        )
        .bind(code)
        .fetch_optional(&mut *db.find().await?)
        .await?;
        row.map(Found::try_from).transpose()
    })
    .await
}

#[derive(sqlx::FromRow)]
struct Row {
    link_id: Uuid,
    status: String,
    relationship_status: String,
    mode: String,
    enabled: bool,
    window_days: i32,
    target_product_id: Option<Uuid>,
    target_url: Option<String>,
    storefront_url: Option<String>,
    hosts: Vec<String>,
}

impl TryFrom<Row> for Found {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let days = u16::try_from(row.window_days).ok();
        let relationship = RelationshipStatus::parse(&row.relationship_status);
        Ok(Self {
            id: LinkId::from_uuid(row.link_id),
            status: named(Status::parse(&row.status), "links.status")?,
            relationship_status: named(relationship, "relationships.status")?,
            mode: named(Mode::parse(&row.mode), "relationships.mode")?,
            enabled: row.enabled,
            window_days: named(days, "programs.attribution_window_days")?,
            target_product: row.target_product_id.map(ProductId::from_uuid),
            target_url: row.target_url,
            storefront_url: row.storefront_url,
            hosts: row.hosts,
        })
    }
}
