//! Payouts of one relationship, newest first, as both sides read them.

use engine::{
    ids::{MerchantId, PayoutId, RelationshipId},
    payouts::{Payout, Status},
};
use futures_util::{Stream, TryStreamExt as _, stream};

use super::rows::{Row, select_payout};
use crate::{
    Database, Error,
    database::ReadScope,
    owned,
    page::{self, NumberedPage, Page, PageNumber},
};

/// Rows that an export reads at once.
const EXPORTED_AT_ONCE: u32 = 500;

/// Which payouts to list; an empty list is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub statuses: Vec<Status>,
}

/// One page, below the payout `before` or from the newest.
pub async fn list(
    db: &Database,
    (merchant, relationship): (MerchantId, RelationshipId),
    filter: Filter,
    before: Option<PayoutId>,
    limit: u32,
) -> Result<Page<Payout>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<Row> = sqlx::query_as(PAGE)
            .bind(merchant.uuid())
            .bind(relationship.uuid())
            .bind(filter.statuses())
            .bind(before.map(PayoutId::uuid))
            .bind(page::asked(limit))
            .fetch_all(&mut *db.scoped(scope(merchant, relationship)).await?)
            .await?;
        Page::cut(rows, limit).try_map(Payout::try_from)
    })
    .await
}

/// The page with this number, and how many there are in all.
pub async fn list_numbered(
    db: &Database,
    (merchant, relationship): (MerchantId, RelationshipId),
    filter: Filter,
    page: PageNumber,
) -> Result<NumberedPage<Payout>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(scope(merchant, relationship)).await?;
        let total: i64 = sqlx::query_scalar(COUNT)
            .bind(merchant.uuid())
            .bind(relationship.uuid())
            .bind(filter.statuses())
            .fetch_one(&mut *connection)
            .await?;
        let rows: Vec<Row> = sqlx::query_as(NUMBERED)
            .bind(merchant.uuid())
            .bind(relationship.uuid())
            .bind(filter.statuses())
            .bind(page.offset())
            .bind(i64::from(page.limit))
            .fetch_all(&mut *connection)
            .await?;
        let items = rows.into_iter().map(Payout::try_from);
        Ok(NumberedPage {
            items: items.collect::<Result<_, _>>()?,
            total: total.unsigned_abs(),
        })
    })
    .await
}

/// All of them, a few at a time.
pub fn stream(
    db: Database,
    of: (MerchantId, RelationshipId),
    filter: Filter,
) -> impl Stream<Item = Result<Payout, Error>> + Send + 'static {
    let pages = stream::try_unfold(Some(None), move |at| {
        let (db, filter) = (db.clone(), filter.clone());
        async move {
            let Some(before) = at else { return Ok(None) };
            let page = list(&db, of, filter, before, EXPORTED_AT_ONCE).await?;
            let last = page.items.last().map(|payout| payout.id);
            let next = page.has_more.then_some(last);
            let items = page.items.into_iter().map(Ok::<_, Error>);
            Ok::<_, Error>(Some((stream::iter(items), next)))
        }
    });
    pages.try_flatten()
}

const PAGE: &str = select_payout!(
    "WHERE y.merchant_id = $1 AND y.relationship_id = $2
       AND ($3::text[] = '{}' OR y.status = ANY ($3))
       AND ($4::uuid IS NULL OR y.payout_id < $4)
     ORDER BY y.relationship_id DESC, y.payout_id DESC LIMIT $5"
);
const NUMBERED: &str = select_payout!(
    "WHERE y.merchant_id = $1 AND y.relationship_id = $2
       AND ($3::text[] = '{}' OR y.status = ANY ($3))
     ORDER BY y.relationship_id DESC, y.payout_id DESC OFFSET $4 LIMIT $5"
);
const COUNT: &str = "SELECT COUNT(*) FROM payouts AS y
     WHERE y.merchant_id = $1 AND y.relationship_id = $2
       AND ($3::text[] = '{}' OR y.status = ANY ($3))";

fn scope(merchant: MerchantId, relationship: RelationshipId) -> ReadScope {
    ReadScope {
        merchant,
        relationship: Some(relationship),
    }
}

impl Filter {
    fn statuses(&self) -> Vec<&'static str> {
        self.statuses.iter().map(|status| status.name()).collect()
    }
}
