//! Invoices of customers as they are read: by whoever has the token of the page, or by their merchant.

use std::collections::{BTreeMap, HashMap};

use engine::{
    checkout::Line,
    ids::{InvoiceId, MerchantId},
    payments::Invoice,
};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::rows::{LineRow, lines as lines_of, select_line};
use crate::{
    Database, Error,
    database::ReadScope,
    owned,
    top_ups::rows::{Row, select_invoice, whole},
};

/// What a customer bought, and where the visit goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bought {
    pub invoice: Invoice,
    /// In their order, one at least.
    pub lines: Vec<Line>,
    pub success_url: Option<String>,
    pub cancel_url: Option<String>,
    /// If the visit began in a widget, which origins its frame is for; none are named: any.
    pub widget: Option<Vec<String>>,
}

/// The columns that say which origins the widget is for in which a visit began: a listing's is for any.
macro_rules! select_visit {
    ($columns:literal, $which:literal) => {
        concat!(
            "SELECT ",
            $columns,
            "CASE WHEN s.listing_id IS NULL THEN c.origins ELSE '{}' END AS origins
             FROM checkout_sessions AS s
             LEFT JOIN embed_campaigns AS c ON c.campaign_id = s.campaign_id
             WHERE ",
            $which
        )
    };
}

/// Which origins the widget is for in which this visit began, as its row says now; none if it began elsewhere.
pub async fn widget_of(db: &Database, token: [u8; 32]) -> Result<Option<Vec<String>>, Error> {
    let db = db.clone();
    owned(async move {
        let origins = sqlx::query_scalar(select_visit!("", "s.token_digest = $1"))
            .bind(&token[..])
            .fetch_optional(&mut *db.find().await?)
            .await?;
        Ok(origins.flatten())
    })
    .await
}

/// The invoice whose page this token opens.
pub async fn by_token(db: &Database, token: [u8; 32]) -> Result<Option<Bought>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.find().await?;
        let rows: Vec<Row> = sqlx::query_as(select_invoice!("WHERE i.token_digest = $1"))
            .bind(&token[..])
            .fetch_all(&mut *connection)
            .await?;
        bought(&mut connection, rows).await
    })
    .await
}

/// The invoice whose delivery's page this token opens.
pub async fn by_delivery_token(db: &Database, token: [u8; 32]) -> Result<Option<Bought>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.find().await?;
        let rows: Vec<Row> = sqlx::query_as(select_invoice!("WHERE i.delivery_digest = $1"))
            .bind(&token[..])
            .fetch_all(&mut *connection)
            .await?;
        bought(&mut connection, rows).await
    })
    .await
}

async fn bought(connection: &mut PgConnection, rows: Vec<Row>) -> Result<Option<Bought>, Error> {
    let found = whole(&mut *connection, rows).await?;
    let Some(invoice) = found.into_iter().next() else {
        return Ok(None);
    };
    let lines = lines_of(&mut *connection, invoice.id).await?;
    let (success_url, cancel_url, widget) = ways_on(connection, invoice.id).await?;
    Ok(Some(Bought {
        invoice,
        lines,
        success_url,
        cancel_url,
        widget,
    }))
}

/// Where a visit goes on, or instead, and the origins of its widget.
type WaysOn = (Option<String>, Option<String>, Option<Vec<String>>);

async fn ways_on(connection: &mut PgConnection, invoice: InvoiceId) -> Result<WaysOn, Error> {
    let found = sqlx::query_as(select_visit!(
        "s.success_url, s.cancel_url, ",
        "s.invoice_id = $1"
    ))
    .bind(invoice.uuid())
    .fetch_optional(connection)
    .await?;
    Ok(found.unwrap_or_default())
}

/// What a customer bought, as its merchant reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purchase {
    pub lines: Vec<Line>,
    /// The masked address, unless it was erased.
    pub customer: Option<String>,
    /// What the merchant's shop sent with the visit.
    pub metadata: BTreeMap<String, String>,
}

#[derive(sqlx::FromRow)]
struct CustomerRow {
    invoice_id: Uuid,
    customer: Option<String>,
    metadata: Json<BTreeMap<String, String>>,
}

/// What these invoices of a merchant are for. Those that are for no customer are left out.
pub async fn lines(
    db: &Database,
    merchant: MerchantId,
    invoices: &[InvoiceId],
) -> Result<HashMap<InvoiceId, Purchase>, Error> {
    let ids: Vec<Uuid> = invoices.iter().map(|id| id.uuid()).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(ReadScope::of(merchant)).await?;
        let rows: Vec<LineRow> = sqlx::query_as(select_line!(
            "WHERE l.merchant_id = $1 AND l.invoice_id = ANY ($2) ORDER BY l.place"
        ))
        .bind(merchant.uuid())
        .bind(&ids)
        .fetch_all(&mut *connection)
        .await?;
        let of_customers: Vec<CustomerRow> = sqlx::query_as(
            "SELECT i.invoice_id, i.customer, i.metadata FROM invoices AS i
             WHERE i.merchant_id = $1 AND i.invoice_id = ANY ($2)",
        )
        .bind(merchant.uuid())
        .bind(&ids)
        .fetch_all(&mut *connection)
        .await?;
        let mut found: HashMap<InvoiceId, Purchase> = HashMap::new();
        for row in rows {
            let of = found.entry(row.invoice()).or_default();
            of.lines.push(Line::try_from(row)?);
        }
        for row in of_customers {
            if let Some(of) = found.get_mut(&InvoiceId::from_uuid(row.invoice_id)) {
                (of.customer, of.metadata) = (row.customer, row.metadata.0);
            }
        }
        Ok(found)
    })
    .await
}
