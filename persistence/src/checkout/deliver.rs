//! What was paid for is the customer's: noted once the engine gave it away, found again by its page, shown.
//!
//! Keeps: an invoice is completed with its serials in one transaction, whoever carries it out; what is
//! shown was noted as shown before, once: whoever has a page may look at it as often as it likes.

use engine::{
    audit::Actor,
    checkout::{Line, Unit},
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, SerialId},
    inventory::{Ending, Reservation},
    payments::{Event, Invoice, Stepped},
    vault::{Sealed, Vault},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    open::store_reserved,
    rows::{lines, lock, store},
};
use crate::{
    Database, Error,
    database::commit,
    inventory::{list::sealed, reservations},
    mail::{self, Post},
    owned,
    relationships::rows::kept,
    top_ups::{
        note,
        rows::{Row, digest, select_invoice, whole},
    },
};

/// Who the audit log says it was, and what it did.
pub(super) const JOB: &str = "delivery of invoices";
pub(super) const DELIVER: &str = "invoice.deliver";
const CUSTOMER: &str = "a customer";
pub(super) const UNPAID: Error = Error::Inconsistent {
    what: "an invoice is delivered and not paid",
};

/// An invoice, and what is to be delivered for it to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub invoice: Invoice,
    /// In their order, one at least; of one that is to be delivered, without those that are left out.
    pub lines: Vec<Line>,
    /// Of no bytes, if it was erased.
    pub customer: Sealed,
}

impl Due {
    pub fn knows_customer(&self) -> bool {
        !self.customer.as_bytes().is_empty()
    }
}

/// An invoice of a customer of this merchant that is paid and not delivered.
pub async fn due(
    db: &Database,
    (merchant, id): (MerchantId, InvoiceId),
) -> Result<Option<Due>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.read().await?;
        let rows: Vec<Row> = sqlx::query_as(select_invoice!(
            "WHERE i.merchant_id = $1 AND i.invoice_id = $2 AND i.purpose = 'CHECKOUT'
               AND i.status IN ('PAID', 'AWAITING_STOCK')"
        ))
        .bind(merchant.uuid())
        .bind(id.uuid())
        .fetch_all(&mut *connection)
        .await?;
        let mut due = with_customer(&mut connection, rows).await?;
        if let Some(due) = &mut due {
            due.lines.retain(|line| !line.left_out);
        }
        Ok(due)
    })
    .await
}

/// An invoice of a customer of this merchant, wherever it stands.
pub async fn sold(
    db: &Database,
    (merchant, id): (MerchantId, InvoiceId),
) -> Result<Option<Due>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.read().await?;
        let rows: Vec<Row> = sqlx::query_as(select_invoice!(
            "WHERE i.merchant_id = $1 AND i.invoice_id = $2 AND i.purpose = 'CHECKOUT'"
        ))
        .bind(merchant.uuid())
        .bind(id.uuid())
        .fetch_all(&mut *connection)
        .await?;
        with_customer(&mut connection, rows).await
    })
    .await
}

async fn with_customer(
    connection: &mut PgConnection,
    rows: Vec<Row>,
) -> Result<Option<Due>, Error> {
    let Some(invoice) = whole(&mut *connection, rows).await?.into_iter().next() else {
        return Ok(None);
    };
    let id = invoice.id;
    let customer: Vec<u8> = sqlx::query_scalar(
        "SELECT COALESCE(customer_sealed, '') FROM invoices WHERE invoice_id = $1",
    )
    .bind(id.uuid())
    .fetch_one(&mut *connection)
    .await?;
    Ok(Some(Due {
        lines: lines(connection, id).await?,
        customer: Sealed::from_bytes(customer),
        invoice,
    }))
}

/// Takes over paid invoices that nobody tried to deliver since a time, oldest first: they are this
/// caller's for a while.
pub async fn take_waiting(
    db: &Database,
    before: Timestamp,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<(MerchantId, InvoiceId)>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let mut taken: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "UPDATE invoices SET attempted_at = $3
             WHERE invoice_id = ANY (ARRAY (
               SELECT invoice_id FROM invoices
               WHERE purpose = 'CHECKOUT' AND status IN ('PAID', 'AWAITING_STOCK')
                 AND attempted_at < $1
               ORDER BY attempted_at LIMIT $2 FOR UPDATE SKIP LOCKED))
             RETURNING merchant_id, invoice_id",
        )
        .bind(before)
        .bind(limit)
        .bind(now)
        .fetch_all(&mut *tx)
        .await?;
        commit(tx).await?;
        taken.sort_unstable_by_key(|(_, id)| *id);
        let ids = taken.into_iter().map(|(merchant, id)| {
            let merchant = MerchantId::from_uuid(merchant);
            (merchant, InvoiceId::from_uuid(id))
        });
        Ok(ids.collect())
    })
    .await
}

/// Stores what is reserved for an invoice that is paid, before any of it leaves its shelf.
pub async fn keep(db: &Database, reserved: Vec<Reservation>, now: Timestamp) -> Result<(), Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        store_reserved(&mut tx, reserved, now).await?;
        commit(tx).await
    })
    .await
}

/// Stores the serials of all lines, in their order, as delivered, with the mail that tells the customer, unless the
/// address was erased; false if that was stored before.
pub async fn delivered(
    db: &Database,
    vault: &Vault,
    (merchant, id): (MerchantId, InvoiceId),
    (serials, post): (Vec<SerialId>, Option<Post>),
    now: Timestamp,
) -> Result<bool, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let invoice = lock_paid(&mut tx, (merchant, id)).await?;
        let invoice = match invoice.step(Event::Completed, now) {
            Ok(Stepped::Already(_)) => return Ok(false),
            Ok(Stepped::To(invoice)) => *invoice,
            Err(_) => return Err(UNPAID),
        };
        for line in lines(&mut tx, id).await? {
            let reserved = line.id.withdrawal();
            reservations::end(&mut tx, reserved, Ending::Redeemed, now).await?;
        }
        give(&mut tx, (merchant, id), &serials, now).await?;
        if let Some(Post { id, letter }) = &post {
            mail::queue(&mut tx, &vault, (*id, "delivery"), letter, now).await?;
        }
        store(&mut tx, &invoice, (Actor::job(JOB), DELIVER), now).await?;
        commit(tx).await?;
        Ok(true)
    })
    .await
}

/// A paid invoice, whose row is locked until the transaction ends.
pub(super) async fn lock_paid(
    connection: &mut PgConnection,
    (merchant, id): (MerchantId, InvoiceId),
) -> Result<Invoice, Error> {
    let found = lock(connection, merchant, id).await?;
    found.ok_or(Error::Inconsistent {
        what: "a paid invoice is gone",
    })
}

/// Notes serials as the customer's, for ever, behind those that are.
pub(super) async fn give(
    connection: &mut PgConnection,
    (merchant, invoice): (MerchantId, InvoiceId),
    serials: &[SerialId],
    now: Timestamp,
) -> Result<(), Error> {
    let ids: Vec<Uuid> = serials.iter().map(|serial| serial.uuid()).collect();
    sqlx::query(
        "INSERT INTO sold_serials (serial_id, invoice_id, merchant_id, place, created_at)
         SELECT serial_id, $2, $3, place + COALESCE((
             SELECT MAX(g.place) FROM sold_serials AS g WHERE g.invoice_id = $2
           ), 0), $4
         FROM UNNEST($1::uuid[]) WITH ORDINALITY AS given (serial_id, place)",
    )
    .bind(ids)
    .bind(invoice.uuid())
    .bind(merchant.uuid())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// What a customer was given for an invoice, in its order, and what took its place behind that.
pub(super) async fn units(
    connection: &mut PgConnection,
    invoice: InvoiceId,
) -> Result<Vec<Unit>, Error> {
    let rows: Vec<(Uuid, Option<Uuid>)> = sqlx::query_as(
        "SELECT serial_id, successor_id FROM sold_serials WHERE invoice_id = $1 ORDER BY place",
    )
    .bind(invoice.uuid())
    .fetch_all(connection)
    .await?;
    let units = rows.into_iter().map(|(serial, successor)| Unit {
        serial: SerialId::from_uuid(serial),
        successor: successor.map(SerialId::from_uuid),
    });
    Ok(units.collect())
}

/// The serials of an invoice, in their order, sealed. They are noted as shown, which is said in the log.
pub async fn reveal(
    db: &Database,
    invoice: &Invoice,
    now: Timestamp,
) -> Result<Vec<(Unit, Sealed)>, Error> {
    let (db, now, invoice) = (db.clone(), kept(now), invoice.clone());
    owned(async move {
        let mut tx = db.begin().await?;
        let found = lock(&mut tx, invoice.merchant, invoice.id).await?;
        let delivered = found.filter(Invoice::is_delivered);
        let Some(invoice) = delivered else {
            return Ok(Vec::new());
        };
        let before = digest(&mut tx, invoice.id).await?;
        let first = sqlx::query(
            "UPDATE sold_serials SET revealed_at = $2
             WHERE invoice_id = $1 AND revealed_at IS NULL",
        )
        .bind(invoice.id.uuid())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        let units = units(&mut tx, invoice.id).await?;
        if first.rows_affected() > 0 {
            let deed = (Actor::job(CUSTOMER), "invoice.reveal");
            note(&mut tx, &invoice, deed, Some(before), now).await?;
        }
        commit(tx).await?;
        let serials: Vec<_> = units.iter().map(|unit| unit.serial).collect();
        let texts = sealed(&db, invoice.merchant, &serials).await?;
        let texts = texts.into_iter().map(|(text, _)| text);
        Ok(units.into_iter().zip(texts).collect())
    })
    .await
}
