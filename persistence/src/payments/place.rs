//! Where an invoice is paid, stored with it.
//!
//! Keeps: an address is given away with the invoice that it is for, in one transaction.

use chrono::TimeDelta;
use engine::{
    clock::Timestamp,
    payments::{Access, Invoice},
};
use sqlx::PgConnection;

use super::{deposits::take, stores::host};
use crate::Error;

/// When a payment server is asked about a new invoice, if it says nothing by itself.
const ASK_AFTER: TimeDelta = TimeDelta::minutes(2);

/// Gives an invoice that was just stored an address of its own, or notes where a shop shows it, as its method says.
pub(crate) async fn place(
    connection: &mut PgConnection,
    invoice: &mut Invoice,
    access: &Access,
    now: Timestamp,
) -> Result<(), Error> {
    match access {
        Access::Manual => {}
        Access::EvmErc20(deposits) => {
            invoice.pay.deposit = Some(take(connection, invoice, deposits).await?);
        }
        Access::Btcpay(_) => {
            if let Some(hosted) = &invoice.pay.hosted {
                host(connection, invoice, hosted, now + ASK_AFTER).await?;
            }
        }
    }
    Ok(())
}
