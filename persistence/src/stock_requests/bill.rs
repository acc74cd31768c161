//! Invoices of purchases whose payments a provider tells of: rows of `invoices` beside the purchases.
//!
//! Keeps: the row is changed with its purchase, whose row is locked first.

use std::collections::HashMap;

use engine::{
    clock::Timestamp,
    ids::InvoiceId,
    payments::{Access, Invoice, ProviderKind},
    stock_requests::{Bill, StockRequest},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows::Row;
use crate::{
    Error,
    payments::{place, tell},
    top_ups::rows::{Row as InvoiceRow, insert, select_invoice, stand, whole as with_payments},
};

/// A bill that is opened, and what its method reaches.
#[derive(Debug)]
pub struct Billing {
    pub bill: Bill,
    pub access: Access,
}

/// Stores how a purchase that is locked is paid from now on.
pub(super) async fn open(
    connection: &mut PgConnection,
    request: &mut StockRequest,
    billing: Billing,
    now: Timestamp,
) -> Result<(), Error> {
    let Billing { mut bill, access } = billing;
    if let Some(mut invoice) = bill.opened(request, now) {
        insert(&mut *connection, &invoice, None).await?;
        place(&mut *connection, &mut invoice, &access, now).await?;
        tell(connection, &invoice, now).await?;
        bill.pay = invoice.pay.clone();
        bill.invoice = Some(Box::new(invoice));
    }
    request.bill = Some(bill);
    Ok(())
}

/// Stores where the invoice of a purchase that is locked stands now, and tells it if it stood otherwise.
pub(super) async fn store(
    connection: &mut PgConnection,
    request: &StockRequest,
) -> Result<(), Error> {
    let Some(invoice) = request.invoice() else {
        return Ok(());
    };
    let before: String = sqlx::query_scalar("SELECT status FROM invoices WHERE invoice_id = $1")
        .bind(invoice.id.uuid())
        .fetch_one(&mut *connection)
        .await?;
    stand(&mut *connection, invoice).await?;
    if before != invoice.status.name() {
        tell(connection, invoice, request.updated_at).await?;
    }
    Ok(())
}

/// Requests with what arrived for them, in their order.
pub(super) async fn whole(
    connection: &mut PgConnection,
    rows: Vec<Row>,
) -> Result<Vec<StockRequest>, Error> {
    let requests = rows.into_iter().map(StockRequest::try_from);
    let mut requests = requests.collect::<Result<Vec<_>, _>>()?;
    let bills = requests.iter().filter_map(|request| request.bill.as_ref());
    let told = bills.filter(|bill| bill.provider != ProviderKind::Manual);
    let ids: Vec<Uuid> = told.map(|bill| bill.id.uuid()).collect();
    if ids.is_empty() {
        return Ok(requests);
    }
    let rows: Vec<InvoiceRow> = sqlx::query_as(select_invoice!("WHERE i.invoice_id = ANY ($1)"))
        .bind(&ids)
        .fetch_all(&mut *connection)
        .await?;
    let found = with_payments(connection, rows).await?.into_iter();
    let mut found: HashMap<InvoiceId, Invoice> = found.map(|one| (one.id, one)).collect();
    for bill in requests.iter_mut().filter_map(|one| one.bill.as_mut()) {
        if let Some(invoice) = found.remove(&bill.id) {
            bill.pay = invoice.pay.clone();
            bill.invoice = Some(Box::new(invoice));
        }
    }
    Ok(requests)
}
