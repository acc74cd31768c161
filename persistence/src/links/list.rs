//! The links of a relationship with what they brought, newest first.

use engine::{ids::LinkId, links::Link, money::Money};

use super::rows::{Of, Row};
use crate::{
    Database, Error,
    database::ReadScope,
    fulfillments::rows::money,
    owned,
    page::{self, Page},
};

/// What came of something that attributes sales.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Brought {
    pub sales: u64,
    /// What customers paid, less what they got back.
    pub revenue: Money,
    /// What is owed for it, less what was taken back.
    pub commission: Money,
}

/// A link with what came by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracked {
    pub link: Link,
    pub clicks: u64,
    pub brought: Brought,
}

const LINKS: &str = include_str!("list.sql");

/// One page of links, below the link `before` if there is one.
pub async fn list(
    db: &Database,
    of: Of,
    before: Option<LinkId>,
    limit: u32,
) -> Result<Page<Tracked>, Error> {
    let found = listed(db, of, None, before, page::asked(limit)).await?;
    Ok(Page::cut(found, limit))
}

/// One link of this relationship.
pub async fn one(db: &Database, of: Of, id: LinkId) -> Result<Option<Tracked>, Error> {
    Ok(listed(db, of, Some(id), None, 1).await?.pop())
}

async fn listed(
    db: &Database,
    (merchant, relationship): Of,
    only: Option<LinkId>,
    before: Option<LinkId>,
    limit: i64,
) -> Result<Vec<Tracked>, Error> {
    let db = db.clone();
    owned(async move {
        let scope = ReadScope {
            merchant,
            relationship: Some(relationship),
        };
        let rows: Vec<TrackedRow> = sqlx::query_as(LINKS)
            .bind(merchant.uuid())
            .bind(relationship.uuid())
            .bind(only.map(LinkId::uuid))
            .bind(before.map(LinkId::uuid))
            .bind(limit)
            .fetch_all(&mut *db.scoped(scope).await?)
            .await?;
        rows.into_iter().map(Tracked::try_from).collect()
    })
    .await
}

#[derive(sqlx::FromRow)]
struct TrackedRow {
    #[sqlx(flatten)]
    link: Row,
    clicks: i64,
    sales: i64,
    revenue: i64,
    commission: i64,
}

impl TryFrom<TrackedRow> for Tracked {
    type Error = Error;

    fn try_from(row: TrackedRow) -> Result<Self, Error> {
        Ok(Self {
            link: row.link.try_into()?,
            clicks: row.clicks.unsigned_abs(),
            brought: Brought {
                sales: row.sales.unsigned_abs(),
                revenue: money(row.revenue)?,
                commission: money(row.commission)?,
            },
        })
    }
}
