//! The fulfillments of a relationship, newest first.
//!
//! Keeps: a list never leaves the balance of its scope. It is a range of the primary key, read
//! backwards, so a page costs what is on it and what the filter leaves out; of refunds it is a range of
//! theirs.

use engine::{
    clock::Timestamp,
    fulfillments::{Channel, Fulfillment, Standing},
    ids::ProductId,
    relationships::RelationshipScope,
};
use futures_util::stream::{self, Stream, TryStreamExt};
use sqlx::PgConnection;

use super::rows::{self, EntryRow, channel_number};
use crate::{
    Database, Error,
    balances::ledger::version_before,
    owned,
    page::{self, Page},
};

/// Which fulfillments to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub product: Option<ProductId>,
    pub channel: Option<Channel>,
    /// Empty: all.
    pub statuses: Vec<Standing>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// Whose customer's, by the digest of the address; as far as [`super::customers`] was stored.
    pub customer: Option<[u8; 16]>,
}

/// One page of fulfillments, below this version or from the last one. Their serials are sealed.
pub async fn list(
    db: &Database,
    scope: RelationshipScope,
    filter: Filter,
    below: Option<i64>,
    limit: u32,
) -> Result<Page<Fulfillment>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(scope.into()).await?;
        let found = entries(&mut connection, scope, &filter, below, limit).await?;
        let page = Page::cut(found, limit);
        let items = rows::fulfillments(&mut connection, page.items).await?;
        Ok(Page {
            items,
            has_more: page.has_more,
        })
    })
    .await
}

/// Every fulfillment that the filter lets pass, newest first, for an export. Reads page by page, so a
/// slow reader holds no connection.
pub fn stream(
    db: Database,
    scope: RelationshipScope,
    filter: Filter,
) -> impl Stream<Item = Result<Fulfillment, Error>> + Send {
    const ROWS: u32 = 500;
    let pages = stream::try_unfold(Some(None), move |below| {
        let (db, filter) = (db.clone(), filter.clone());
        async move {
            let Some(below) = below else {
                return Ok::<_, Error>(None);
            };
            let page = list(&db, scope, filter, below, ROWS).await?;
            let last = page
                .items
                .last()
                .map(|fulfillment| fulfillment.stamp.version);
            let next = page.has_more.then_some(last);
            Ok(Some((stream::iter(page.items.into_iter().map(Ok)), next)))
        }
    });
    pages.try_flatten()
}

async fn entries(
    connection: &mut PgConnection,
    scope: RelationshipScope,
    filter: &Filter,
    below: Option<i64>,
    limit: u32,
) -> Result<Vec<EntryRow>, Error> {
    let above = match filter.from {
        Some(from) => version_before(connection, scope.balance, from).await?,
        None => 0,
    };
    let up_to = match filter.to {
        Some(to) => version_before(connection, scope.balance, to).await?,
        None => i64::MAX,
    };
    let sql = if filter.customer.is_some() {
        include_str!("list_customer.sql")
    } else if filter.statuses.is_empty() || filter.statuses.contains(&Standing::Delivered) {
        include_str!("list.sql")
    } else {
        include_str!("list_refunded.sql")
    };
    let statuses: Vec<_> = filter.statuses.iter().map(|one| one.name()).collect();
    let up_to = below.map_or(up_to, |below| up_to.min(below - 1));
    let found = sqlx::query_as(sql)
        .bind(scope.balance.0)
        .bind(above)
        .bind(up_to)
        .bind(filter.channel.map(channel_number))
        .bind(filter.product.map(ProductId::uuid))
        .bind(page::asked(limit))
        .bind((!statuses.is_empty()).then_some(statuses));
    let found = match &filter.customer {
        Some(digest) => found.bind(scope.merchant.uuid()).bind(&digest[..]),
        None => found,
    };
    Ok(found.fetch_all(connection).await?)
}
