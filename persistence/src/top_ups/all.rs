//! Invoices as their merchant reads them: of all relationships at once.

use engine::{
    clock::Timestamp,
    ids::{InvoiceId, MerchantId},
    payments::Invoice,
};
use futures_util::{Stream, TryStreamExt as _, stream};

use super::{
    find::Filter,
    rows::{Row, select_invoice, whole},
};
use crate::{
    Database, Error,
    database::ReadScope,
    owned,
    page::{self, NumberedPage, Page, PageNumber},
};

const EXPORTED_AT_ONCE: u32 = 500;

/// Which invoices: of the merchant `$1`, with one of the statuses `$2` if there are any, at the time `$3`,
/// for one of the purposes `$4` if there are any.
macro_rules! chosen {
    ($before:literal, $rest:literal) => {
        concat!(
            $before,
            "WHERE i.merchant_id = $1
               AND ($2::text[] = '{}' OR CASE WHEN i.status IN ('OPEN', 'UNDERPAID') AND i.expires_at <= $3
                 THEN 'EXPIRED' ELSE i.status END = ANY ($2))
               AND ($4::text[] = '{}' OR i.purpose = ANY ($4)) ",
            $rest
        )
    };
}

/// Both at once: what is selected, and which.
macro_rules! select_chosen {
    ($rest:literal) => {
        concat!(select_invoice!(""), chosen!("", $rest))
    };
}

/// One page of a merchant's invoices, newest first.
pub async fn list_all(
    db: &Database,
    merchant: MerchantId,
    (filter, now): (Filter, Timestamp),
    before: Option<InvoiceId>,
    limit: u32,
) -> Result<Page<Invoice>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(ReadScope::of(merchant)).await?;
        let rows: Vec<Row> = sqlx::query_as(select_chosen!(
            "AND ($5::uuid IS NULL OR i.invoice_id < $5)
             ORDER BY i.merchant_id DESC, i.invoice_id DESC LIMIT $6"
        ))
        .bind(merchant.uuid())
        .bind(filter.names())
        .bind(now)
        .bind(filter.purposes())
        .bind(before.map(InvoiceId::uuid))
        .bind(page::asked(limit))
        .fetch_all(&mut *connection)
        .await?;
        let Page { items, has_more } = Page::cut(rows, limit);
        let items = whole(&mut connection, items).await?;
        Ok(Page { items, has_more })
    })
    .await
}

/// The page with this number, and how many there are in all.
pub async fn list_all_numbered(
    db: &Database,
    merchant: MerchantId,
    (filter, now): (Filter, Timestamp),
    page: PageNumber,
) -> Result<NumberedPage<Invoice>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(ReadScope::of(merchant)).await?;
        let total: i64 = sqlx::query_scalar(chosen!("SELECT COUNT(*) FROM invoices AS i ", ""))
            .bind(merchant.uuid())
            .bind(filter.names())
            .bind(now)
            .bind(filter.purposes())
            .fetch_one(&mut *connection)
            .await?;
        let rows: Vec<Row> = sqlx::query_as(select_chosen!(
            "ORDER BY i.merchant_id DESC, i.invoice_id DESC OFFSET $5 LIMIT $6"
        ))
        .bind(merchant.uuid())
        .bind(filter.names())
        .bind(now)
        .bind(filter.purposes())
        .bind(page.offset())
        .bind(i64::from(page.limit))
        .fetch_all(&mut *connection)
        .await?;
        Ok(NumberedPage {
            items: whole(&mut connection, rows).await?,
            total: total.unsigned_abs(),
        })
    })
    .await
}

/// All of them, a few at a time.
pub fn stream_all(
    db: Database,
    merchant: MerchantId,
    (filter, now): (Filter, Timestamp),
) -> impl Stream<Item = Result<Invoice, Error>> + Send + 'static {
    let pages = stream::try_unfold(Some(None), move |at| {
        let (db, filter) = (db.clone(), filter.clone());
        async move {
            let Some(before) = at else {
                return Ok::<_, Error>(None);
            };
            let page = list_all(&db, merchant, (filter, now), before, EXPORTED_AT_ONCE).await?;
            let last = page.items.last().map(|invoice| invoice.id);
            let next = page.has_more.then_some(last);
            Ok(Some((stream::iter(page.items.into_iter().map(Ok)), next)))
        }
    });
    pages.try_flatten()
}

/// One invoice of a merchant.
pub async fn find_of(
    db: &Database,
    merchant: MerchantId,
    id: InvoiceId,
) -> Result<Option<Invoice>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(ReadScope::of(merchant)).await?;
        let rows: Vec<Row> = sqlx::query_as(select_invoice!(
            "WHERE i.merchant_id = $1 AND i.invoice_id = $2"
        ))
        .bind(merchant.uuid())
        .bind(id.uuid())
        .fetch_all(&mut *connection)
        .await?;
        Ok(whole(&mut connection, rows).await?.into_iter().next())
    })
    .await
}
