//! Shops of others, and the invoices that they show: when each is asked for next.
//!
//! Keeps: a store is never changed, so an invoice is asked for where it was made, whatever its merchant
//! replaced since; a notice moves the time of the next question and nothing else.

use std::collections::HashMap;

use engine::{
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, RelationshipId, StoreId},
    payments::{Hosted, Invoice, Store},
    vault::Sealed,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Database, Error,
    database::{commit, in_time},
    error::at_most_one,
    owned,
    relationships::rows::named,
};

/// An invoice whose shop is to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub merchant: MerchantId,
    pub invoice: InvoiceId,
    pub store: Store,
    /// When its question was due: whoever answers says so.
    pub at: Timestamp,
}

/// Stores what a new method of a merchant reaches.
pub(super) async fn insert(
    connection: &mut PgConnection,
    merchant: MerchantId,
    store: &Store,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO payment_stores (store_id, merchant_id, url, name, token, notices, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT ON CONSTRAINT payment_stores_pkey DO NOTHING",
    )
    .bind(store.id.uuid())
    .bind(merchant.uuid())
    .bind(&store.url)
    .bind(&store.name)
    .bind(store.token.as_bytes())
    .bind(store.notices.as_ref().map(Sealed::as_bytes))
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Stores where an invoice that was just stored is paid, to be asked for at that time.
pub(super) async fn host(
    connection: &mut PgConnection,
    invoice: &Invoice,
    hosted: &Hosted,
    ask_at: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO hosted_invoices (invoice_id, merchant_id, relationship_id, store_id, reference,
           url, ask_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(invoice.id.uuid())
    .bind(invoice.merchant.uuid())
    .bind(invoice.relationship.map(RelationshipId::uuid))
    .bind(hosted.store.uuid())
    .bind(&hosted.reference)
    .bind(&hosted.url)
    .bind(ask_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Where these invoices are paid, as far as a shop shows them.
pub(crate) async fn of_invoices(
    connection: &mut PgConnection,
    invoices: &[Uuid],
) -> Result<HashMap<Uuid, Hosted>, Error> {
    let rows: Vec<(Uuid, Uuid, String, String)> = sqlx::query_as(
        "SELECT invoice_id, store_id, reference, url FROM hosted_invoices
         WHERE invoice_id = ANY ($1)",
    )
    .bind(invoices)
    .fetch_all(connection)
    .await?;
    let found = rows.into_iter().map(|(invoice, store, reference, url)| {
        let hosted = Hosted {
            store: StoreId::from_uuid(store),
            reference,
            url,
        };
        (invoice, hosted)
    });
    Ok(found.collect())
}

/// Stores of a merchant of which a notice may be: those whose invoices are still asked for, newest first and
/// at most so many. What a store that was replaced long ago signs is of nothing.
pub async fn stores(db: &Database, merchant: MerchantId, limit: u32) -> Result<Vec<Store>, Error> {
    let db = db.clone();
    let read = async move {
        let rows: Vec<StoreRow> = sqlx::query_as(
            "SELECT store_id, url, name, token, notices FROM payment_stores AS s
             WHERE merchant_id = $1 AND EXISTS (
               SELECT FROM hosted_invoices AS h WHERE h.store_id = s.store_id AND h.ask_at IS NOT NULL)
             ORDER BY store_id DESC LIMIT $2",
        )
        .bind(merchant.uuid())
        .bind(i64::from(limit))
        .fetch_all(&mut *db.find().await?)
        .await?;
        Ok(rows.into_iter().filter_map(StoreRow::store).collect())
    };
    owned(in_time(read)).await
}

/// Has an invoice asked for at once, because its shop says that there is something; false if it shows none
/// such.
pub async fn ask_now(
    db: &Database,
    store: StoreId,
    reference: String,
    now: Timestamp,
) -> Result<bool, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let moved = sqlx::query(
            "UPDATE hosted_invoices SET ask_at = $3 WHERE store_id = $1 AND reference = $2",
        )
        .bind(store.uuid())
        .bind(reference)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        let moved = at_most_one(&moved, "an invoice that a shop shows")?;
        commit(tx).await?;
        Ok(moved)
    })
    .await
}

/// Invoices whose shops are to be asked now, at most so many.
pub async fn due(db: &Database, limit: u32, now: Timestamp) -> Result<Vec<Due>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<DueRow> = sqlx::query_as(
            "SELECT h.invoice_id, h.merchant_id, h.ask_at, s.store_id, s.url, s.name,
               s.token, s.notices
             FROM hosted_invoices AS h JOIN payment_stores AS s ON s.store_id = h.store_id
             WHERE h.ask_at <= $1 ORDER BY h.ask_at LIMIT $2",
        )
        .bind(now)
        .bind(i64::from(limit))
        .fetch_all(&mut *db.find().await?)
        .await?;
        rows.into_iter().map(Due::try_from).collect()
    })
    .await
}

/// Notes that an invoice was asked for and when it is next, if ever; a notice that came meanwhile counts more.
pub async fn asked(db: &Database, due: &Due, next: Option<Timestamp>) -> Result<(), Error> {
    let (db, due) = (db.clone(), due.clone());
    owned(async move {
        let mut tx = db.begin().await?;
        sqlx::query("UPDATE hosted_invoices SET ask_at = $3 WHERE invoice_id = $1 AND ask_at = $2")
            .bind(due.invoice.uuid())
            .bind(due.at)
            .bind(next)
            .execute(&mut *tx)
            .await?;
        commit(tx).await
    })
    .await
}

#[derive(sqlx::FromRow)]
pub(super) struct StoreRow {
    store_id: Option<Uuid>,
    url: Option<String>,
    name: Option<String>,
    token: Option<Vec<u8>>,
    notices: Option<Vec<u8>>,
}

/// None where a method has no store.
impl StoreRow {
    pub(super) fn store(self) -> Option<Store> {
        Some(Store {
            id: StoreId::from_uuid(self.store_id?),
            url: self.url?,
            name: self.name?,
            token: Sealed::from_bytes(self.token?),
            notices: self.notices.map(Sealed::from_bytes),
        })
    }
}

#[derive(sqlx::FromRow)]
struct DueRow {
    invoice_id: Uuid,
    merchant_id: Uuid,
    ask_at: Timestamp,
    #[sqlx(flatten)]
    store: StoreRow,
}

impl TryFrom<DueRow> for Due {
    type Error = Error;

    fn try_from(row: DueRow) -> Result<Self, Error> {
        Ok(Self {
            merchant: MerchantId::from_uuid(row.merchant_id),
            invoice: InvoiceId::from_uuid(row.invoice_id),
            store: named(row.store.store(), "payment_stores.store_id")?,
            at: row.ask_at,
        })
    }
}
