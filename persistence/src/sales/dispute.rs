//! What a dispute about an invoice does to the sales that it made, told to whose they are.

use engine::{
    clock::Timestamp,
    events::{Fact, SaleDisputed},
    payments::{Dispute, Invoice},
    random::Random,
    sales::{Movement, Refunded, Sale},
};
use sqlx::PgConnection;

use super::{
    earnings,
    refund::{Wanted, take},
    rows,
};
use crate::{Error, events::outbox};

/// Holds what disputed sales earned, lets them go on, or takes them back with what went back; nothing if nobody
/// brought the customer.
pub(crate) async fn of_invoice(
    connection: &mut PgConnection,
    invoice: &Invoice,
    (dispute, lost, random): (Dispute, &Wanted, &dyn Random),
    now: Timestamp,
) -> Result<(), Error> {
    let mut number = 0;
    for (_, found) in rows::find_billed(&mut *connection, invoice).await? {
        let of = (found.merchant, found.relationship);
        let mut account = earnings::lock(&mut *connection, of).await?;
        // Read anew under the lock.
        let sale = rows::find(&mut *connection, found.merchant, found.id).await?;
        let sale = sale.ok_or(Error::Inconsistent {
            what: "a sale that is gone",
        })?;
        let changed = match dispute {
            Dispute::Opened => sale.dispute(now),
            Dispute::Won => sale.keep(now).map(|sale| (sale, None)),
            Dispute::Lost => {
                if let Some(gone) = sale.lose(now) {
                    tell(&mut *connection, &gone.sale, dispute, now).await?;
                    let what = (&gone, number, lost, random);
                    lose(&mut *connection, &mut account, what, now).await?;
                    number += 1;
                }
                None
            }
        };
        if let Some(changed) = changed {
            tell(&mut *connection, &changed.0, dispute, now).await?;
            hold(&mut *connection, &mut account, (changed, random), now).await?;
        }
    }
    Ok(())
}

async fn tell(
    connection: &mut PgConnection,
    sale: &Sale,
    dispute: Dispute,
    now: Timestamp,
) -> Result<(), Error> {
    let fact = Fact::SaleDisputed(SaleDisputed {
        sale: sale.id.uuid(),
        relationship: sale.relationship.uuid(),
        outcome: dispute.name().to_owned(),
    });
    let whose = (sale.merchant, Some(sale.relationship));
    outbox::tell(connection, whose, &fact, now).await
}

async fn lose(
    connection: &mut PgConnection,
    account: &mut earnings::Account,
    gone: (&Refunded, i32, &Wanted, &dyn Random),
    now: Timestamp,
) -> Result<(), Error> {
    let fresh = take(connection, account, gone, now).await?;
    fresh.then_some(()).ok_or(Error::Inconsistent {
        what: "a dispute that was lost before",
    })
}

async fn hold(
    connection: &mut PgConnection,
    account: &mut earnings::Account,
    ((sale, movement), random): ((Sale, Option<Movement>), &dyn Random),
    now: Timestamp,
) -> Result<(), Error> {
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
