//! A row of `links`, what it becomes, and what is told of it.

use engine::{
    audit::{Actor, Deed},
    clock::Timestamp,
    ids::{LinkId, MerchantId, ProductId, RelationshipId},
    links::{Link, Status, Target},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Error, audit, relationships::rows::named};

/// Whose links.
pub(crate) type Of = (MerchantId, RelationshipId);

/// Every column of a link and the rest of the query, which names it `l`.
macro_rules! select_link {
    ($rest:literal) => {
        concat!(
            "SELECT l.link_id, l.relationship_id, l.name, COALESCE(l.code, r.code) AS code,
               l.target_product_id, l.target_url, l.status, l.created_at, l.updated_at
             FROM links AS l JOIN relationships AS r ON r.relationship_id = l.relationship_id ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    link_id: Uuid,
    relationship_id: Uuid,
    name: String,
    code: String,
    target_product_id: Option<Uuid>,
    target_url: Option<String>,
    status: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<Row> for Link {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let product = row.target_product_id.map(ProductId::from_uuid);
        let target = row.target_url.map_or_else(
            || product.map_or(Target::Shop, Target::Product),
            Target::Url,
        );
        Ok(Self {
            id: LinkId::from_uuid(row.link_id),
            relationship: RelationshipId::from_uuid(row.relationship_id),
            name: row.name,
            code: row.code,
            target,
            status: named(Status::parse(&row.status), "links.status")?,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// The columns that say where a link leads.
pub(super) fn columns(target: &Target) -> (Option<Uuid>, Option<&str>) {
    match target {
        Target::Shop => (None, None),
        Target::Product(product) => (Some(product.uuid()), None),
        Target::Url(url) => (None, Some(url)),
    }
}

/// A link of this relationship, whose row is locked.
pub(super) async fn find(
    connection: &mut PgConnection,
    (merchant, relationship): Of,
    id: LinkId,
) -> Result<Option<Link>, Error> {
    let row: Option<Row> = sqlx::query_as(select_link!(
        "WHERE l.merchant_id = $1 AND l.relationship_id = $2 AND l.link_id = $3
           AND l.kind = 'LINK'"
    ))
    .bind(merchant.uuid())
    .bind(relationship.uuid())
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(Link::try_from).transpose()
}

/// Writes what was done into the log.
pub(crate) async fn note(
    connection: &mut PgConnection,
    merchant: MerchantId,
    (actor, action, target): (Actor, &str, String),
    now: Timestamp,
) -> Result<(), Error> {
    let deed = Deed {
        actor,
        action: action.to_owned(),
        target,
        before: None,
        after: None,
        at: now,
    };
    audit::append(connection, merchant, deed).await
}
