//! Requests as they are read, newest first.

use engine::{
    clock::Timestamp,
    ids::{MerchantId, StockRequestId},
    relationships::RelationshipScope,
    stock_requests::StockRequest,
};
use futures_util::{Stream, TryStreamExt as _, stream};
use sqlx::PgConnection;

use super::{
    bill::whole,
    rows::{Row, select_request},
};
use crate::{
    Database, Error,
    database::ReadScope,
    owned,
    page::{self, NumberedPage, Page, PageNumber},
};

pub(super) const STREAMED_AT_ONCE: u32 = 500;

/// Which requests to list: by the words that they are told by; none is any.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub statuses: Vec<&'static str>,
}

/// Requests of a relationship, by what they are told as.
macro_rules! of_relationship {
    () => {
        "WHERE r.merchant_id = $1 AND r.relationship_id = $2
           AND ($3::text[] = '{}' OR CASE
             WHEN r.status IN ('REQUESTED', 'INVOICED') AND r.expires_at <= $4 THEN 'EXPIRED'
             WHEN r.status = 'PAYING' THEN 'REQUESTED'
             WHEN r.status = 'ALLOCATING' THEN 'PAID'
             ELSE r.status END = ANY ($3)) "
    };
}

const COUNT: &str = concat!(
    "SELECT COUNT(*) FROM stock_requests AS r ",
    of_relationship!()
);

pub(super) const fn read_scope(scope: RelationshipScope) -> ReadScope {
    ReadScope {
        merchant: scope.merchant,
        relationship: Some(scope.relationship),
    }
}

/// One page of a relationship's requests, below this number or from the newest.
pub async fn list(
    db: &Database,
    scope: RelationshipScope,
    (filter, now): (Filter, Timestamp),
    below: Option<i64>,
    limit: u32,
) -> Result<Page<StockRequest>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(read_scope(scope)).await?;
        let place = (below, page::asked(limit), 0);
        let rows = rows(&mut connection, scope, &filter, now, place).await?;
        let Page { items, has_more } = Page::cut(rows, limit);
        let items = whole(&mut connection, items).await?;
        Ok(Page { items, has_more })
    })
    .await
}

/// All of them, a few at a time.
pub fn stream(
    db: Database,
    scope: RelationshipScope,
    (filter, now): (Filter, Timestamp),
) -> impl Stream<Item = Result<StockRequest, Error>> + Send + 'static {
    let pages = stream::try_unfold(Some(None), move |at| {
        let (db, filter) = (db.clone(), filter.clone());
        async move {
            let Some(below) = at else {
                return Ok::<_, Error>(None);
            };
            let page = list(&db, scope, (filter, now), below, STREAMED_AT_ONCE).await?;
            let last = page.items.last().map(|one| one.number);
            let next = page.has_more.then_some(last);
            Ok(Some((stream::iter(page.items.into_iter().map(Ok)), next)))
        }
    });
    pages.try_flatten()
}

/// One page by its number, with how many there are.
pub async fn numbered(
    db: &Database,
    scope: RelationshipScope,
    (filter, now): (Filter, Timestamp),
    page: PageNumber,
) -> Result<NumberedPage<StockRequest>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(read_scope(scope)).await?;
        let place = (None, i64::from(page.limit), page.offset());
        let rows = rows(&mut connection, scope, &filter, now, place).await?;
        let total: i64 = sqlx::query_scalar(COUNT)
            .bind(scope.merchant.uuid())
            .bind(scope.relationship.uuid())
            .bind(&filter.statuses)
            .bind(now)
            .fetch_one(&mut *connection)
            .await?;
        Ok(NumberedPage {
            items: whole(&mut connection, rows).await?,
            total: total.unsigned_abs(),
        })
    })
    .await
}

async fn rows(
    connection: &mut PgConnection,
    scope: RelationshipScope,
    filter: &Filter,
    now: Timestamp,
    (below, limit, offset): (Option<i64>, i64, i64),
) -> Result<Vec<Row>, Error> {
    Ok(sqlx::query_as(concat!(
        select_request!(""),
        of_relationship!(),
        "AND ($5::bigint IS NULL OR r.number < $5)
         ORDER BY r.relationship_id DESC, r.number DESC LIMIT $6 OFFSET $7"
    ))
    .bind(scope.merchant.uuid())
    .bind(scope.relationship.uuid())
    .bind(&filter.statuses)
    .bind(now)
    .bind(below)
    .bind(limit)
    .bind(offset)
    .fetch_all(connection)
    .await?)
}

/// One request of a relationship.
pub async fn find(
    db: &Database,
    scope: RelationshipScope,
    id: StockRequestId,
) -> Result<Option<StockRequest>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(read_scope(scope)).await?;
        let rows: Vec<Row> = sqlx::query_as(select_request!(
            "WHERE r.merchant_id = $1 AND r.relationship_id = $2 AND r.stock_request_id = $3"
        ))
        .bind(scope.merchant.uuid())
        .bind(scope.relationship.uuid())
        .bind(id.uuid())
        .fetch_all(&mut *connection)
        .await?;
        Ok(whole(&mut connection, rows).await?.pop())
    })
    .await
}

/// One request of a merchant, whoever asked for it.
pub async fn find_of(
    db: &Database,
    merchant: MerchantId,
    id: StockRequestId,
) -> Result<Option<StockRequest>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(ReadScope::of(merchant)).await?;
        let rows: Vec<Row> = sqlx::query_as(select_request!(
            "WHERE r.merchant_id = $1 AND r.stock_request_id = $2"
        ))
        .bind(merchant.uuid())
        .bind(id.uuid())
        .fetch_all(&mut *connection)
        .await?;
        Ok(whole(&mut connection, rows).await?.pop())
    })
    .await
}
