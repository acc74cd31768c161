//! The relationships of a merchant, newest first.

use engine::{
    ids::{InvitationId, MerchantId, RelationshipId},
    payouts::Verification,
    relationships::{Mode, Relationship, Status},
};
use futures_util::{Stream, TryStreamExt as _, stream};
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows::{Row, select_relationship, whole};
use crate::{
    Database, Error,
    database::ReadScope,
    owned,
    page::{self, NumberedPage, Page, PageNumber},
    payouts::verifications,
};

/// Rows that an export reads at once.
const EXPORTED_AT_ONCE: u32 = 500;

/// Which relationships to list; an empty list is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub statuses: Vec<Status>,
    pub modes: Vec<Mode>,
    /// A part of name, e-mail address or code, in any case.
    pub search: Option<String>,
}

/// A relationship and the invitation that it began with, if it began with one.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    pub relationship: Relationship,
    pub invitation: Option<InvitationId>,
    /// Who the reseller is, if it handed that in.
    pub verification: Option<Verification>,
}

/// One page, below the relationship `before` or from the newest.
pub async fn list(
    db: &Database,
    merchant: MerchantId,
    filter: Filter,
    before: Option<RelationshipId>,
    limit: u32,
) -> Result<Page<Listed>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(ReadScope::of(merchant)).await?;
        let rows: Vec<Row> = sqlx::query_as(PAGE)
            .bind(merchant.uuid())
            .bind(filter.statuses())
            .bind(filter.modes())
            .bind(filter.pattern())
            .bind(before.map(RelationshipId::uuid))
            .bind(page::asked(limit))
            .fetch_all(&mut *connection)
            .await?;
        let page = Page::cut(rows, limit);
        let has_more = page.has_more;
        let items = listed(&mut connection, page.items).await?;
        Ok(Page { items, has_more })
    })
    .await
}

const PAGE: &str = select_relationship!(
    "WHERE r.merchant_id = $1
       AND ($2::text[] = '{}' OR r.status = ANY ($2)) AND ($3::text[] = '{}' OR r.mode = ANY ($3))
       AND ($4::text IS NULL OR r.name ILIKE $4 OR r.email ILIKE $4 OR r.code ILIKE $4)
       AND ($5::uuid IS NULL OR r.relationship_id < $5)
     ORDER BY r.merchant_id DESC, r.relationship_id DESC LIMIT $6"
);
const NUMBERED: &str = select_relationship!(
    "WHERE r.merchant_id = $1
       AND ($2::text[] = '{}' OR r.status = ANY ($2)) AND ($3::text[] = '{}' OR r.mode = ANY ($3))
       AND ($4::text IS NULL OR r.name ILIKE $4 OR r.email ILIKE $4 OR r.code ILIKE $4)
     ORDER BY r.merchant_id DESC, r.relationship_id DESC OFFSET $5 LIMIT $6"
);
const COUNT: &str = "SELECT COUNT(*) FROM relationships AS r WHERE r.merchant_id = $1
   AND ($2::text[] = '{}' OR r.status = ANY ($2)) AND ($3::text[] = '{}' OR r.mode = ANY ($3))
   AND ($4::text IS NULL OR r.name ILIKE $4 OR r.email ILIKE $4 OR r.code ILIKE $4)";

/// The page with this number, and how many there are in all.
pub async fn list_numbered(
    db: &Database,
    merchant: MerchantId,
    filter: Filter,
    page: PageNumber,
) -> Result<NumberedPage<Listed>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(ReadScope::of(merchant)).await?;
        let total: i64 = sqlx::query_scalar(COUNT)
            .bind(merchant.uuid())
            .bind(filter.statuses())
            .bind(filter.modes())
            .bind(filter.pattern())
            .fetch_one(&mut *connection)
            .await?;
        let rows: Vec<Row> = sqlx::query_as(NUMBERED)
            .bind(merchant.uuid())
            .bind(filter.statuses())
            .bind(filter.modes())
            .bind(filter.pattern())
            .bind(page.offset())
            .bind(i64::from(page.limit))
            .fetch_all(&mut *connection)
            .await?;
        Ok(NumberedPage {
            items: listed(&mut connection, rows).await?,
            total: total.unsigned_abs(),
        })
    })
    .await
}

/// All of them, a few at a time.
pub fn stream(
    db: Database,
    merchant: MerchantId,
    filter: Filter,
) -> impl Stream<Item = Result<Listed, Error>> + Send + 'static {
    let pages = stream::try_unfold(Some(None), move |at| {
        let (db, filter) = (db.clone(), filter.clone());
        async move {
            let Some(before) = at else { return Ok(None) };
            let page = list(&db, merchant, filter, before, EXPORTED_AT_ONCE).await?;
            let last = page.items.last().map(|listed| listed.relationship.id);
            let next = page.has_more.then_some(last);
            let items = page.items.into_iter().map(Ok::<_, Error>);
            Ok::<_, Error>(Some((stream::iter(items), next)))
        }
    });
    pages.try_flatten()
}

/// One relationship of this merchant.
pub async fn find(
    db: &Database,
    merchant: MerchantId,
    id: RelationshipId,
) -> Result<Option<Listed>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.read().await?;
        let row: Option<Row> = sqlx::query_as(select_relationship!(
            "WHERE r.merchant_id = $1 AND r.relationship_id = $2"
        ))
        .bind(merchant.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *connection)
        .await?;
        let found = listed(&mut connection, row.into_iter().collect()).await?;
        Ok(found.into_iter().next())
    })
    .await
}

async fn listed(connection: &mut PgConnection, rows: Vec<Row>) -> Result<Vec<Listed>, Error> {
    let ids: Vec<_> = rows.iter().map(|row| row.relationship_id).collect();
    let began: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT relationship_id, invitation_id FROM invitations WHERE relationship_id = ANY ($1)",
    )
    .bind(&ids)
    .fetch_all(&mut *connection)
    .await?;
    let mut verified = verifications(&mut *connection, &ids).await?;
    let began: std::collections::BTreeMap<_, _> = began.into_iter().collect();
    let found = whole(connection, rows).await?;
    let listed = found.into_iter().map(|relationship| {
        let id = relationship.id.uuid();
        let invitation = began.get(&id).copied();
        Listed {
            verification: verified.remove(&id),
            relationship,
            invitation: invitation.map(InvitationId::from_uuid),
        }
    });
    Ok(listed.collect())
}

impl Filter {
    fn statuses(&self) -> Vec<&'static str> {
        self.statuses.iter().map(|status| status.name()).collect()
    }

    fn modes(&self) -> Vec<&'static str> {
        self.modes.iter().map(|mode| mode.name()).collect()
    }

    fn pattern(&self) -> Option<String> {
        self.search.as_deref().map(page::containing)
    }
}
