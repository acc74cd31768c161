//! Where an invoice stands is told, whatever it is for but top-ups, which have facts of their own.

use engine::{
    clock::Timestamp,
    events::{Fact, InvoiceUpdated},
    payments::Invoice,
};
use sqlx::PgConnection;

use crate::{Error, events::outbox};

/// Tells the merchant where an invoice stands.
pub(crate) async fn tell(
    connection: &mut PgConnection,
    invoice: &Invoice,
    now: Timestamp,
) -> Result<(), Error> {
    let fact = Fact::InvoiceUpdated(InvoiceUpdated {
        invoice: invoice.id.uuid(),
        purpose: invoice.purpose.name().to_owned(),
        status: invoice.status.name().to_owned(),
        amount: invoice.amount.minor(),
    });
    outbox::tell(connection, (invoice.merchant, None), &fact, now).await
}
