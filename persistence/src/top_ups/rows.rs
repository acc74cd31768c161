//! Rows of `invoices` and `payments`, and what they become.

use std::collections::HashMap;

use engine::{
    audit::{Actor, Deed, Digest},
    clock::Timestamp,
    events::Fact,
    ids::{BalanceId, EntryId, InvoiceId, MerchantId, PaymentId, RelationshipId},
    money::Money,
    payments::{
        Coin, Deposit, Hosted, Invoice, Origin, Pay, Payment, ProviderKind, Purpose, Status,
    },
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Error, audit,
    error::exactly_one,
    events::outbox,
    fulfillments::rows::money,
    payments::{hosted_of, of_invoices},
    relationships::rows::named,
};

/// Whose top-ups.
pub(super) type Of = (MerchantId, RelationshipId);

/// Every column of an invoice and the rest of the query, which names it `i`.
macro_rules! select_invoice {
    ($rest:literal) => {
        concat!(
            "SELECT i.invoice_id, i.merchant_id, i.purpose, i.relationship_id, i.origin, i.status,
               i.amount, i.coin, i.provider, i.instructions, i.expires_at, i.paid_at, i.completed_at,
               i.created_at, i.updated_at, i.refunded FROM invoices AS i ",
            $rest
        )
    };
}
pub(crate) use select_invoice;

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    invoice_id: Uuid,
    merchant_id: Uuid,
    purpose: String,
    relationship_id: Option<Uuid>,
    origin: String,
    status: String,
    amount: i64,
    coin: String,
    provider: String,
    instructions: Option<String>,
    expires_at: Timestamp,
    paid_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    refunded: i64,
}

#[derive(sqlx::FromRow)]
struct PaymentRow {
    invoice_id: Uuid,
    payment_id: Uuid,
    source: String,
    amount: i64,
    entry_id: Option<Uuid>,
}

/// Rows with their payments, in their order.
pub(crate) async fn whole(
    connection: &mut PgConnection,
    rows: Vec<Row>,
) -> Result<Vec<Invoice>, Error> {
    let ids: Vec<_> = rows.iter().map(|row| row.invoice_id).collect();
    let found: Vec<PaymentRow> = sqlx::query_as(
        "SELECT invoice_id, payment_id, source, amount, entry_id FROM payments
         WHERE invoice_id = ANY ($1) ORDER BY payment_id",
    )
    .bind(&ids)
    .fetch_all(&mut *connection)
    .await?;
    let mut payments: HashMap<Uuid, Vec<Payment>> = HashMap::new();
    for row in found {
        let of = payments.entry(row.invoice_id).or_default();
        of.push(Payment::try_from(row)?);
    }
    let mut deposits = of_invoices(connection, &ids).await?;
    let mut hosted = hosted_of(connection, &ids).await?;
    let whole = rows.into_iter().map(|row| {
        let arrived = payments.remove(&row.invoice_id).unwrap_or_default();
        let deposit = deposits.remove(&row.invoice_id);
        let hosted = hosted.remove(&row.invoice_id);
        row.with(arrived, (deposit, hosted))
    });
    whole.collect()
}

/// The live balance of a relationship of this merchant. Until the transaction ends, nobody else changes
/// its top-ups.
pub(crate) async fn lock_balance(
    connection: &mut PgConnection,
    (merchant, relationship): Of,
) -> Result<Option<BalanceId>, Error> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT balance_id FROM balances
         WHERE relationship_id = $1 AND merchant_id = $2 AND NOT test FOR NO KEY UPDATE",
    )
    .bind(relationship.uuid())
    .bind(merchant.uuid())
    .fetch_optional(connection)
    .await?;
    Ok(found.map(BalanceId))
}

/// An invoice of this relationship, which nobody else changes until the transaction ends, and the
/// balance that it tops up.
pub(super) async fn lock(
    connection: &mut PgConnection,
    of: Of,
    id: InvoiceId,
) -> Result<Option<(BalanceId, Invoice)>, Error> {
    let Some(balance) = lock_balance(connection, of).await? else {
        return Ok(None);
    };
    let found: Vec<Row> = sqlx::query_as(select_invoice!(
        "WHERE i.relationship_id = $1 AND i.invoice_id = $2 AND i.purpose = 'TOP_UP' FOR UPDATE"
    ))
    .bind(of.1.uuid())
    .bind(id.uuid())
    .fetch_all(&mut *connection)
    .await?;
    let found = whole(connection, found).await?;
    Ok(found.into_iter().next().map(|invoice| (balance, invoice)))
}

/// Stores an invoice of a relationship.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    invoice: &Invoice,
    request: Option<Uuid>,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO invoices (invoice_id, merchant_id, relationship_id, purpose, origin, status,
           amount, coin, provider, instructions, expires_at, created_at, updated_at, request_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13)",
    )
    .bind(invoice.id.uuid())
    .bind(invoice.merchant.uuid())
    .bind(invoice.relationship.map(RelationshipId::uuid))
    .bind(invoice.purpose.name())
    .bind(invoice.origin.name())
    .bind(invoice.status.name())
    .bind(invoice.amount.minor())
    .bind(invoice.coin.as_str())
    .bind(invoice.provider.name())
    .bind(&invoice.pay.instructions)
    .bind(invoice.expires_at)
    .bind(invoice.created_at)
    .bind(request)
    .execute(connection)
    .await?;
    Ok(())
}

/// The invoice that a request opened before.
pub(super) async fn find_opened(
    connection: &mut PgConnection,
    request: Uuid,
) -> Result<Option<Invoice>, Error> {
    let rows: Vec<Row> = sqlx::query_as(select_invoice!("WHERE i.request_id = $1"))
        .bind(request)
        .fetch_all(&mut *connection)
        .await?;
    Ok(whole(connection, rows).await?.into_iter().next())
}

/// Stores where a top-up that is locked stands now, and tells it.
pub(super) async fn store(
    connection: &mut PgConnection,
    invoice: &Invoice,
    now: Timestamp,
) -> Result<(), Error> {
    stand(&mut *connection, invoice).await?;
    let relationship = topped_up(invoice)?;
    let fact = Fact::TopUpUpdated {
        invoice: invoice.id.uuid(),
        relationship: relationship.uuid(),
        status: invoice.status.name().to_owned(),
    };
    let of = (invoice.merchant, Some(relationship));
    outbox::tell(connection, of, &fact, now).await
}

/// Whose balance a top-up is for.
pub(super) fn topped_up(invoice: &Invoice) -> Result<RelationshipId, Error> {
    invoice.relationship.ok_or(Error::Inconsistent {
        what: "a top-up of nobody's balance",
    })
}

/// Stores where an invoice that is locked stands now.
pub(crate) async fn stand(connection: &mut PgConnection, invoice: &Invoice) -> Result<(), Error> {
    let stored = sqlx::query(
        "UPDATE invoices SET status = $2, expires_at = $3, paid_at = $4, completed_at = $5,
           updated_at = $6, refunded = $7
         WHERE invoice_id = $1",
    )
    .bind(invoice.id.uuid())
    .bind(invoice.status.name())
    .bind(invoice.expires_at)
    .bind(invoice.paid_at)
    .bind(invoice.completed_at)
    .bind(invoice.updated_at)
    .bind(invoice.refunded.minor())
    .execute(connection)
    .await?;
    exactly_one(&stored, "a locked invoice")
}

/// A digest over everything that is stored of an invoice but its last change, its payments included.
pub(crate) async fn digest(connection: &mut PgConnection, id: InvoiceId) -> Result<Digest, Error> {
    let sum: Vec<u8> = sqlx::query_scalar(
        "SELECT sha256(convert_to((to_jsonb(i) - 'updated_at')::text || COALESCE((
           SELECT jsonb_agg(to_jsonb(p) ORDER BY p.payment_id)::text
           FROM payments AS p WHERE p.invoice_id = i.invoice_id), ''), 'UTF8'))
         FROM invoices AS i WHERE i.invoice_id = $1",
    )
    .bind(id.uuid())
    .fetch_one(connection)
    .await?;
    audit::digest(sum)
}

/// Appends what was done to an invoice, which is the last thing that the transaction locks.
pub(crate) async fn note(
    connection: &mut PgConnection,
    invoice: &Invoice,
    (actor, action): (Actor, &str),
    before: Option<Digest>,
    now: Timestamp,
) -> Result<(), Error> {
    let deed = Deed {
        actor,
        action: action.to_owned(),
        target: invoice.id.to_string(),
        before,
        after: Some(digest(connection, invoice.id).await?),
        at: now,
    };
    audit::append(connection, invoice.merchant, deed).await
}

impl Row {
    pub(crate) fn id(&self) -> (MerchantId, InvoiceId) {
        let merchant = MerchantId::from_uuid(self.merchant_id);
        (merchant, InvoiceId::from_uuid(self.invoice_id))
    }

    /// None: it tops nobody's balance up.
    pub(super) fn of(&self) -> Option<(Of, InvoiceId)> {
        let relationship = RelationshipId::from_uuid(self.relationship_id?);
        let (merchant, id) = self.id();
        Some(((merchant, relationship), id))
    }

    fn with(
        self,
        payments: Vec<Payment>,
        (deposit, hosted): (Option<Deposit>, Option<Hosted>),
    ) -> Result<Invoice, Error> {
        let provider = ProviderKind::parse(&self.provider);
        Ok(Invoice {
            id: InvoiceId::from_uuid(self.invoice_id),
            merchant: MerchantId::from_uuid(self.merchant_id),
            purpose: named(Purpose::parse(&self.purpose), "invoices.purpose")?,
            relationship: self.relationship_id.map(RelationshipId::from_uuid),
            origin: named(Origin::parse(&self.origin), "invoices.origin")?,
            status: named(Status::parse(&self.status), "invoices.status")?,
            amount: money(self.amount)?,
            coin: named(Coin::parse(&self.coin), "invoices.coin")?,
            provider: named(provider, "invoices.provider")?,
            pay: Pay {
                instructions: self.instructions,
                deposit,
                hosted,
            },
            expires_at: self.expires_at,
            paid_at: self.paid_at,
            completed_at: self.completed_at,
            created_at: self.created_at,
            updated_at: self.updated_at,
            refunded: money(self.refunded)?,
            payments,
        })
    }
}

impl TryFrom<PaymentRow> for Payment {
    type Error = Error;

    fn try_from(row: PaymentRow) -> Result<Self, Error> {
        Ok(Self {
            id: PaymentId::from_uuid(row.payment_id),
            source: row.source,
            amount: money(row.amount)?,
            entry: row.entry_id.map(EntryId::from_uuid),
        })
    }
}

/// An amount of a bound that a program may leave to the currency.
pub(super) fn bound(stored: Option<i64>, default: Money) -> Result<Money, Error> {
    stored.map_or(Ok(default), money)
}
