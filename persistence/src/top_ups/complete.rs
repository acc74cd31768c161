//! Payments whose credit is not known to be in the ledger, and the note that it is.

use engine::{
    clock::Timestamp,
    ids::{BalanceId, EntryId, InvoiceId, MerchantId, PaymentId, RelationshipId},
    money::Money,
    notifications::Group,
    payments::{Event, Invoice, Purpose, Stepped},
    relationships::RelationshipScope,
    vault::Vault,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    rows,
    takings::{self, Cause, CreditedMoney},
};
use crate::{
    Database, Error, database::commit, error::at_most_one, fulfillments::rows::money, mail::Post,
    notifications, owned, relationships::rows::kept,
};

/// A payment that is to be credited, under its own id as reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub scope: RelationshipScope,
    pub invoice: InvoiceId,
    pub payment: PaymentId,
    pub amount: Money,
}

/// Payments from before a time that are not known to be credited, after that one: who goes on where a
/// page ended reaches all of them, however many cannot be credited.
pub async fn waiting(
    db: &Database,
    before: Timestamp,
    after: Option<&Waiting>,
    limit: u32,
) -> Result<Vec<Waiting>, Error> {
    let db = db.clone();
    let after = after.map_or(Uuid::nil(), |one| one.payment.uuid());
    owned(async move {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT p.merchant_id, p.relationship_id, b.balance_id, p.invoice_id, p.payment_id,
               p.amount
             FROM payments AS p
             JOIN balances AS b ON b.relationship_id = p.relationship_id AND NOT b.test
             WHERE p.credited_at IS NULL AND p.relationship_id IS NOT NULL AND p.created_at < $1
               AND p.payment_id > $3
             ORDER BY p.payment_id LIMIT $2",
        )
        .bind(before)
        .bind(i64::from(limit))
        .bind(after)
        .fetch_all(&mut *db.read().await?)
        .await?;
        rows.into_iter().map(Waiting::try_from).collect()
    })
    .await
}

/// What was noted of a payment that was credited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// It was not noted before.
    pub fresh: bool,
    /// What it settles of a debt, and is to be taken.
    pub settles: Option<takings::Taking>,
}

/// Notes the entry of a payment, once, and completes its invoice with a mail if that was the last one.
pub async fn credited(
    db: &Database,
    vault: &Vault,
    waiting: Waiting,
    (entry, post): (EntryId, Option<Post>),
    now: Timestamp,
) -> Result<Noted, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let of = (waiting.scope.merchant, waiting.scope.relationship);
        let found = rows::lock(&mut tx, of, waiting.invoice).await?;
        let (_, mut invoice) = found.ok_or(Error::Inconsistent {
            what: "a payment without an invoice",
        })?;
        if !note_entry(&mut tx, waiting.payment, entry, now).await? {
            return Ok(Noted {
                fresh: false,
                settles: None,
            });
        }
        let money = CreditedMoney {
            reference: waiting.payment.to_string(),
            cause: Cause::Invoice(waiting.invoice, Purpose::TopUp),
            amount: waiting.amount,
        };
        let settles = takings::settle(&mut tx, waiting.scope, money, now).await?;
        for payment in &mut invoice.payments {
            if payment.id == waiting.payment {
                payment.entry = Some(entry);
            }
        }
        if let Some(completed) = completed(invoice, now)? {
            rows::store(&mut tx, &completed, now).await?;
            if let Some(post) = &post {
                let about = (of.1, Group::TopUp, "top-up");
                notifications::tell(&mut tx, &vault, about, post, now).await?;
            }
        }
        commit(tx).await?;
        Ok(Noted {
            fresh: true,
            settles,
        })
    })
    .await
}

/// The invoice at its end, if all that arrived for it is credited.
fn completed(invoice: Invoice, now: Timestamp) -> Result<Option<Invoice>, Error> {
    if invoice
        .payments
        .iter()
        .any(|payment| payment.entry.is_none())
    {
        return Ok(None);
    }
    match invoice.step(Event::Completed, now) {
        Ok(Stepped::To(invoice)) => Ok(Some(*invoice)),
        Ok(Stepped::Already(_)) => Ok(None),
        Err(_) => Err(Error::Inconsistent {
            what: "an invoice that is credited and not paid",
        }),
    }
}

async fn note_entry(
    connection: &mut PgConnection,
    payment: PaymentId,
    entry: EntryId,
    now: Timestamp,
) -> Result<bool, Error> {
    let noted = sqlx::query(
        "UPDATE payments SET credited_at = $3, entry_id = $2
         WHERE payment_id = $1 AND credited_at IS NULL",
    )
    .bind(payment.uuid())
    .bind(entry.uuid())
    .bind(now)
    .execute(connection)
    .await?;
    at_most_one(&noted, "a payment that was credited")
}

#[derive(sqlx::FromRow)]
struct Row {
    merchant_id: Uuid,
    relationship_id: Uuid,
    balance_id: i64,
    invoice_id: Uuid,
    payment_id: Uuid,
    amount: i64,
}

impl TryFrom<Row> for Waiting {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            scope: RelationshipScope {
                merchant: MerchantId::from_uuid(row.merchant_id),
                relationship: RelationshipId::from_uuid(row.relationship_id),
                balance: BalanceId(row.balance_id),
                test: false,
            },
            invoice: InvoiceId::from_uuid(row.invoice_id),
            payment: PaymentId::from_uuid(row.payment_id),
            amount: money(row.amount)?,
        })
    }
}
