//! Where an invoice stands is told, whatever it is for but top-ups, which have facts of their own.

use engine::{
    clock::Timestamp,
    events::{Fact, InvoiceUpdated},
    payments::Invoice,
};
use sqlx::{PgConnection, types::Json};

use crate::{Error, events::outbox};

/// Tells the merchant where an invoice stands.
pub(crate) async fn tell(
    connection: &mut PgConnection,
    invoice: &Invoice,
    now: Timestamp,
) -> Result<(), Error> {
    let Json(metadata) = sqlx::query_scalar("SELECT metadata FROM invoices WHERE invoice_id = $1")
        .bind(invoice.id.uuid())
        .fetch_one(&mut *connection)
        .await?;
    let fact = Fact::InvoiceUpdated(InvoiceUpdated {
        invoice: invoice.id.uuid(),
        purpose: invoice.purpose.name().to_owned(),
        status: invoice.status.name().to_owned(),
        amount: invoice.amount.minor(),
        metadata,
    });
    outbox::tell(connection, (invoice.merchant, None), &fact, now).await
}
