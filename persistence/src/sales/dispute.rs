//! What a dispute about an invoice does to the sale that it made.

use engine::{
    clock::Timestamp,
    payments::{Dispute, Invoice},
    random::Random,
};
use sqlx::PgConnection;

use super::{
    earnings,
    refund::{Wanted, take},
    rows,
};
use crate::Error;

/// Holds what a disputed sale earned, lets it go on, or takes it back with what went back; nothing if nobody
/// brought the customer.
pub(crate) async fn of_invoice(
    connection: &mut PgConnection,
    invoice: &Invoice,
    (dispute, lost, random): (Dispute, &Wanted, &dyn Random),
    now: Timestamp,
) -> Result<(), Error> {
    let Some(found) = rows::find_billed(&mut *connection, invoice).await? else {
        return Ok(());
    };
    let of = (found.merchant, found.relationship);
    let mut account = earnings::lock(&mut *connection, of).await?;
    // Read anew under the lock.
    let sale = rows::find_billed(&mut *connection, invoice).await?;
    let sale = sale.ok_or(Error::Inconsistent {
        what: "a sale that is gone",
    })?;
    let (sale, movement) = match dispute {
        Dispute::Opened => match sale.dispute(now) {
            None => return Ok(()),
            Some(disputed) => disputed,
        },
        Dispute::Won => match sale.keep(now) {
            None => return Ok(()),
            Some(sale) => (sale, None),
        },
        Dispute::Lost => {
            let Some(gone) = sale.lose(now) else {
                return Ok(());
            };
            let fresh = take(connection, &mut account, (&gone, lost, random), now).await?;
            return fresh.then_some(()).ok_or(Error::Inconsistent {
                what: "a dispute that was lost before",
            });
        }
    };
    if let Some(movement) = movement {
        let what = (sale.id.uuid(), random);
        if !account.store(&mut *connection, movement, what, now).await? {
            return Err(Error::Inconsistent {
                what: "the earnings that a dispute holds",
            });
        }
    }
    rows::store(connection, &sale).await
}
