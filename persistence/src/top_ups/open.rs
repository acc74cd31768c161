//! A top-up is opened.
//!
//! Keeps: nobody is asked how one is to be paid that may not be opened ([`may_open`]); [`open`] judges it again.

use chrono::TimeDelta;
use engine::{
    audit::Actor,
    clock::Timestamp,
    events::Fact,
    ids::{InvoiceId, MerchantId},
    money::{Currency, Money},
    notifications::Group,
    payments::{Access, Coin, Invoice, Method, Origin},
    programs::top_up_defaults,
    relationships::{Mode, Status},
    top_ups::{self, Facts, Refusal, Wanted},
    vault::Vault,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows::{self, Of};
use crate::{
    Database, Error,
    database::commit,
    events::outbox,
    fulfillments::rows::money,
    mail::Post,
    notifications, owned,
    payments::{find_enabled, place},
    relationships::rows::{kept, named},
};

/// Over which unpaid invoices are counted.
const DAY: TimeDelta = TimeDelta::days(1);

/// The mail that tells of an invoice, once it is known where to pay it.
pub type Announcement = Box<dyn FnOnce(&Invoice) -> Post + Send>;

/// What is wanted, and the mail that tells the reseller, if one does.
pub struct Opening {
    pub wanted: Wanted,
    /// The method as it was when it was asked how to pay; one that is not enabled is not offered.
    pub method: Method,
    /// What the request is known by: it opens one invoice, however often it is executed.
    pub request: Option<Uuid>,
    pub announce: Option<Announcement>,
}

/// What became of an opening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    Fresh(Box<Invoice>),
    /// The request opened it before.
    Again(Box<Invoice>),
    /// The request opened another one before.
    Mismatch,
    /// The method was changed since it was asked: nothing was stored, ask it again.
    Outdated,
}

/// Whether an invoice over so much may be opened in this coin: to be asked before its provider is. What the request
/// opened before is found by [`open`].
pub async fn may_open(
    db: &Database,
    of: Of,
    (origin, amount, coin): (Origin, Money, Coin),
    request: Uuid,
    now: Timestamp,
) -> Result<Result<(), Refusal>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut connection = db.read().await?;
        if rows::find_opened(&mut connection, request).await?.is_some() {
            return Ok(Ok(()));
        }
        let facts = facts(&mut connection, of, Some(&coin), now).await?;
        Ok(top_ups::may_open(&facts, origin, amount))
    })
    .await
}

/// Opens an invoice, or says why there is none; none if there is no such relationship.
pub async fn open(
    db: &Database,
    vault: &Vault,
    opening: Opening,
    actor: Actor,
    now: Timestamp,
) -> Result<Option<Result<Opened, Refusal>>, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let Opening {
            wanted,
            method,
            request,
            announce,
        } = opening;
        let mut tx = db.begin().await?;
        let of = (wanted.merchant, wanted.relationship);
        if rows::lock_balance(&mut tx, of).await?.is_none() {
            return Ok(None);
        }
        if let Some(request) = request
            && let Some(invoice) = rows::find_opened(&mut tx, request).await?
        {
            return Ok(Some(Ok(if wanted.is_of(&invoice) {
                Opened::Again(Box::new(invoice))
            } else {
                Opened::Mismatch
            })));
        }
        if !is_current(&mut tx, of.0, &method).await? {
            return Ok(Some(Ok(Opened::Outdated)));
        }
        let facts = facts(&mut tx, of, Some(&wanted.coin), now).await?;
        let invoice = match top_ups::open(&facts, wanted, now) {
            Ok(invoice) => invoice,
            Err(refusal) => return Ok(Some(Err(refusal))),
        };
        let opened = (invoice, &method.access);
        let invoice = store(&mut tx, opened, (request, actor), now).await?;
        if let Some(announce) = announce {
            let (post, about) = (announce(&invoice), (of.1, Group::TopUp, "top-up"));
            notifications::tell(&mut tx, &vault, about, &post, now).await?;
        }
        commit(tx).await?;
        Ok(Some(Ok(Opened::Fresh(Box::new(invoice)))))
    })
    .await
}

/// Whether a method is still what it was, or is still not offered. Until the transaction ends, nobody
/// replaces it: an invoice never shows instructions that were gone before it was stored.
pub(crate) async fn is_current(
    connection: &mut PgConnection,
    merchant: MerchantId,
    method: &Method,
) -> Result<bool, Error> {
    sqlx::query("SELECT FROM programs WHERE merchant_id = $1 FOR SHARE")
        .bind(merchant.uuid())
        .fetch_one(&mut *connection)
        .await?;
    let current = find_enabled(connection, merchant, &method.coin).await?;
    Ok(current.as_ref() == method.enabled.then_some(method))
}

/// Stores an invoice that is opened, with an address of its own where its method has such, and tells it.
pub(super) async fn store(
    connection: &mut PgConnection,
    (mut invoice, access): (Invoice, &Access),
    (request, actor): (Option<Uuid>, Actor),
    now: Timestamp,
) -> Result<Invoice, Error> {
    rows::insert(connection, &invoice, request).await?;
    place(connection, &mut invoice, access, now).await?;
    let relationship = rows::topped_up(&invoice)?;
    let fact = Fact::TopUpCreated {
        invoice: invoice.id.uuid(),
        relationship: relationship.uuid(),
        origin: invoice.origin.name().to_owned(),
        amount: invoice.amount.minor(),
        coin: invoice.coin.to_string(),
    };
    let of = (invoice.merchant, Some(relationship));
    outbox::tell(connection, of, &fact, now).await?;
    rows::note(connection, &invoice, (actor, "top_up.open"), None, now).await?;
    Ok(invoice)
}

#[derive(sqlx::FromRow)]
struct Row {
    status: String,
    mode: String,
    currency: String,
    min_top_up: Option<i64>,
    max_top_up: Option<i64>,
    offered: bool,
    waiting: i64,
    unpaid: i64,
    debt: i64,
}

/// What decides whether a relationship may be topped up in this coin.
pub(super) async fn facts(
    connection: &mut PgConnection,
    (merchant, relationship): Of,
    coin: Option<&Coin>,
    now: Timestamp,
) -> Result<Facts, Error> {
    let row: Row = sqlx::query_as(
        "SELECT r.status, r.mode, m.currency, p.min_top_up, p.max_top_up,
           EXISTS (SELECT FROM payment_methods AS o WHERE o.merchant_id = r.merchant_id
                   AND o.coin = $3 AND o.enabled) AS offered,
           (SELECT COUNT(*) FROM invoices AS i WHERE i.relationship_id = r.relationship_id
            AND i.purpose = 'TOP_UP' AND i.status IN ('OPEN', 'CONFIRMING')
            AND (i.status = 'CONFIRMING' OR i.expires_at > $4)) AS waiting,
           (SELECT COUNT(*) FROM invoices AS i WHERE i.relationship_id = r.relationship_id
            AND i.purpose = 'TOP_UP' AND i.invoice_id >= $5 AND i.paid_at IS NULL) AS unpaid,
           COALESCE((SELECT d.amount FROM debts AS d
                     WHERE d.relationship_id = r.relationship_id), 0) AS debt
         FROM relationships AS r
         JOIN merchants AS m ON m.merchant_id = r.merchant_id
         JOIN programs AS p ON p.merchant_id = r.merchant_id
         WHERE r.merchant_id = $1 AND r.relationship_id = $2",
    )
    .bind(merchant.uuid())
    .bind(relationship.uuid())
    .bind(coin.map(Coin::as_str))
    .bind(now)
    .bind(InvoiceId::first_at(now - DAY).uuid())
    .fetch_one(connection)
    .await?;
    let currency = named(Currency::parse(&row.currency), "merchants.currency")?;
    let (min, max) = top_up_defaults(currency);
    Ok(Facts {
        status: named(Status::parse(&row.status), "relationships.status")?,
        mode: named(Mode::parse(&row.mode), "relationships.mode")?,
        debt: money(row.debt)?,
        bounds: rows::bound(row.min_top_up, min)?..=rows::bound(row.max_top_up, max)?,
        offered: row.offered,
        waiting: u32::try_from(row.waiting).unwrap_or(u32::MAX),
        unpaid: u32::try_from(row.unpaid).unwrap_or(u32::MAX),
    })
}
