//! The customer says yes: the visit becomes an invoice, with who is owed a share of it.
//!
//! Keeps: invoices of one address of a customer, or of the network, are counted one after the other, so the
//! bounds hold whoever races; a visit that has its invoice gets no other.

use std::collections::BTreeMap;

use engine::{
    audit::Actor,
    checkout::{self, Came, Facts, Line, Quote, Refusal, Session, Wanted},
    clock::Timestamp,
    fulfillments::Email,
    ids::{CheckoutId, InvoiceId, InvoiceLineId, MerchantId, RelationshipId},
    inventory::Reservation,
    money::Money,
    payments::{Invoice, Method, Pay},
    sales::{Share, attribute, masked},
    vault::{Sealed, Vault},
};
use sqlx::PgConnection;

use super::{listed, rows::insert_line, session};
use crate::{
    Database, Error, campaigns,
    database::commit,
    error::exactly_one,
    inventory::reservations,
    mail::{self, Post},
    owned,
    payments::{place, tell},
    relationships::rows::kept,
    sales::link_facts,
    top_ups::{Announcement, is_current, note},
};

/// Who the audit log says it was: customers have no name here.
const CUSTOMER: &str = "a customer";

/// Who buys.
pub struct Customer {
    pub email: Email,
    pub sealed: Sealed,
    pub digest: [u8; 16],
    /// Of the network address.
    pub address: [u8; 16],
}

/// A line of a visit, as its invoice will have it.
#[derive(Debug, Clone)]
pub struct OpeningLine {
    pub id: InvoiceLineId,
    pub quote: Quote,
    pub custom_fields: BTreeMap<String, String>,
}

/// What a visit is to become.
pub struct Opening {
    pub session: CheckoutId,
    pub invoice: InvoiceId,
    pub lines: Vec<OpeningLine>,
    /// The digests of the tokens that open the invoice's page and the one of what was bought.
    pub tokens: [[u8; 32]; 2],
    pub customer: Customer,
    /// The method as it was when it was asked how to pay.
    pub method: Method,
    pub pay: Pay,
}

/// What became of a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    Fresh(Box<Invoice>),
    /// The visit has this invoice already.
    Again(InvoiceId),
    Refused(Refusal),
    /// The method was changed since it was asked: nothing was stored, ask it again.
    Outdated,
}

/// Opens the invoice of a visit; none if there is no such visit. Units that are reserved for it are free again
/// unless it opens; then the customer is told by a mail, if there is one.
pub async fn open(
    db: &Database,
    vault: &Vault,
    opening: Opening,
    (reserved, announce): (Vec<Reservation>, Option<Announcement>),
    now: Timestamp,
) -> Result<Option<Opened>, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(session) = session::lock(&mut tx, opening.session).await? else {
            return Ok(None);
        };
        if let Some(invoice) = session.invoice {
            return Ok(Some(Opened::Again(invoice)));
        }
        if !is_current(&mut tx, session.merchant, &opening.method).await? {
            return Ok(Some(Opened::Outdated));
        }
        let shares = match shares(&mut tx, &session, &opening, now).await? {
            Ok(shares) => shares,
            Err(refusal) => return Ok(Some(Opened::Refused(refusal))),
        };
        let facts = facts(&mut tx, session.merchant, &opening, now).await?;
        let wanted = Wanted {
            id: opening.invoice,
            quotes: opening.quotes(),
            coin: opening.method.coin.clone(),
            provider: opening.method.provider(),
            pay: opening.pay.clone(),
            // All lines came by the same way, so it is the same wherever there is one.
            relationship: shares
                .iter()
                .flatten()
                .map(|share| share.relationship)
                .next(),
        };
        let mut invoice = match checkout::open(facts, &session, wanted, now) {
            Ok(invoice) => invoice,
            Err(refusal) => return Ok(Some(Opened::Refused(refusal))),
        };
        store(&mut tx, &opening, (&mut invoice, shares), now).await?;
        if let Some(announce) = announce {
            let Post { id, letter } = announce(&invoice);
            mail::queue(&mut tx, &vault, (id, "invoice"), &letter, now).await?;
        }
        store_reserved(&mut tx, reserved, now).await?;
        commit(tx).await?;
        Ok(Some(Opened::Fresh(Box::new(invoice))))
    })
    .await
}

impl Opening {
    fn quotes(&self) -> Vec<Quote> {
        self.lines.iter().map(|line| line.quote.clone()).collect()
    }
}

impl OpeningLine {
    fn line(&self, share: Option<Share>) -> Line {
        let quote = &self.quote;
        Line {
            id: self.id,
            sku: quote.sku,
            title: quote.title.clone(),
            kind: quote.kind,
            quantity: quote.quantity,
            unit_price: quote.unit_price,
            total: quote.total,
            missing: Money::ZERO,
            refunded: Money::ZERO,
            left_out: false,
            custom_fields: self.custom_fields.clone(),
            share,
        }
    }
}

/// The rows of what is reserved, in one order: each has a lock of its shelf.
pub(super) async fn store_reserved(
    connection: &mut PgConnection,
    mut reserved: Vec<Reservation>,
    now: Timestamp,
) -> Result<(), Error> {
    reserved.sort_unstable_by_key(|reservation| reservation.call().sku);
    for reservation in reserved {
        // Whatever becomes of the commit, the engine looks by itself.
        let _stored = reservations::insert(&mut *connection, reservation, now).await?;
    }
    Ok(())
}

async fn store(
    connection: &mut PgConnection,
    opening: &Opening,
    (invoice, shares): (&mut Invoice, Vec<Option<Share>>),
    now: Timestamp,
) -> Result<(), Error> {
    insert(&mut *connection, opening, invoice).await?;
    place(&mut *connection, invoice, &opening.method.access, now).await?;
    for (at, (asked, share)) in opening.lines.iter().zip(shares).enumerate() {
        let line = asked.line(share);
        listed::keep_link(&mut *connection, invoice, &line).await?;
        insert_line(&mut *connection, invoice, (at, &line)).await?;
    }
    let noted = sqlx::query("UPDATE checkout_sessions SET invoice_id = $2 WHERE session_id = $1")
        .bind(opening.session.uuid())
        .bind(invoice.id.uuid())
        .execute(&mut *connection)
        .await?;
    exactly_one(&noted, "a locked visit")?;
    tell(&mut *connection, invoice, now).await?;
    let deed = (Actor::job(CUSTOMER), "invoice.open");
    note(connection, invoice, deed, None, now).await
}

async fn insert(
    connection: &mut PgConnection,
    opening: &Opening,
    invoice: &Invoice,
) -> Result<(), Error> {
    let customer = &opening.customer;
    let inserted = sqlx::query(
        "INSERT INTO invoices (invoice_id, merchant_id, relationship_id, purpose, origin, status,
           amount, coin, provider, instructions, expires_at, created_at, updated_at, token_digest,
           customer, customer_sealed, customer_digest, address_digest, delivery_digest, metadata)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14, $15, $16, $17,
           $18, s.metadata
         FROM checkout_sessions AS s WHERE s.session_id = $19",
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
    .bind(&opening.tokens[0][..])
    .bind(masked(customer.email.as_str()))
    .bind(customer.sealed.as_bytes())
    .bind(&customer.digest[..])
    .bind(&customer.address[..])
    .bind(&opening.tokens[1][..])
    .bind(opening.session.uuid())
    .execute(connection)
    .await?;
    exactly_one(&inserted, "the invoice of a locked visit")
}

/// Who is owed a share of each line, as things stand now, or why nothing is sold.
async fn shares(
    connection: &mut PgConnection,
    session: &Session,
    opening: &Opening,
    now: Timestamp,
) -> Result<Result<Vec<Option<Share>>, Refusal>, Error> {
    let mut shares = Vec::with_capacity(opening.lines.len());
    for asked in &opening.lines {
        let of = (&asked.quote, &opening.customer.email);
        match share(&mut *connection, session, of, now).await? {
            Ok(share) => shares.push(share),
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    Ok(Ok(shares))
}

async fn share(
    connection: &mut PgConnection,
    session: &Session,
    (quote, email): (&Quote, &Email),
    now: Timestamp,
) -> Result<Result<Option<Share>, Refusal>, Error> {
    let sku = quote.sku;
    let clicked = match session.came {
        None => return Ok(Ok(None)),
        Some(Came::Listing(listing)) => {
            let of = (session.merchant, listing);
            let share = listed::share(connection, of, (quote, email)).await?;
            return Ok(share.map(Some));
        }
        Some(Came::Campaign(campaign)) => {
            let of = (session.merchant, campaign);
            if !campaigns::sells_in(&mut *connection, of, sku).await? {
                return Ok(Err(Refusal::NotOffered));
            }
            session::by(session, campaign)
        }
        Some(Came::Link(clicked)) => clicked,
    };
    let of = (session.merchant, clicked.link);
    let title = quote.title.clone();
    let facts = link_facts(connection, of, (sku.product, sku.variant), title).await?;
    let customer = Some(email.as_str());
    let share = facts.and_then(|facts| attribute(&facts, Some(clicked), customer, now).ok());
    Ok(Ok(share))
}

/// Whether one more invoice of a customer may wait for money now: to be asked before a payment server is, and
/// again with the invoice.
pub async fn has_room(
    db: &Database,
    merchant: MerchantId,
    customer: &Customer,
    now: Timestamp,
) -> Result<bool, Error> {
    let (db, digests) = (db.clone(), (customer.digest, customer.address));
    owned(async move {
        let facts = counted(&mut *db.read().await?, merchant, digests, now).await?;
        Ok(!facts.are_many())
    })
    .await
}

/// What decides whether the visit becomes an invoice. Others of the same customer or address wait until the
/// transaction ends.
async fn facts(
    connection: &mut PgConnection,
    merchant: MerchantId,
    opening: &Opening,
    now: Timestamp,
) -> Result<Facts, Error> {
    let customer = &opening.customer;
    let mut turns = [turn(customer.digest), turn(customer.address)];
    turns.sort_unstable();
    for turn in turns {
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(turn)
            .execute(&mut *connection)
            .await?;
    }
    counted(
        connection,
        merchant,
        (customer.digest, customer.address),
        now,
    )
    .await
}

/// Whatever waits for money, or for its being final, has units of its own: also what a part was paid of.
async fn counted(
    connection: &mut PgConnection,
    merchant: MerchantId,
    (customer, address): ([u8; 16], [u8; 16]),
    now: Timestamp,
) -> Result<Facts, Error> {
    let (of_customer, of_address): (i64, i64) = sqlx::query_as(
        "SELECT
           (SELECT COUNT(*) FROM invoices WHERE merchant_id = $1 AND customer_digest = $2
            AND status IN ('OPEN', 'CONFIRMING', 'UNDERPAID') AND purpose = 'CHECKOUT'
            AND (status = 'CONFIRMING' OR expires_at > $4)),
           (SELECT COUNT(*) FROM invoices WHERE address_digest = $3
            AND status IN ('OPEN', 'CONFIRMING', 'UNDERPAID') AND purpose = 'CHECKOUT'
            AND (status = 'CONFIRMING' OR expires_at > $4))",
    )
    .bind(merchant.uuid())
    .bind(&customer[..])
    .bind(&address[..])
    .bind(now)
    .fetch_one(connection)
    .await?;
    Ok(Facts {
        of_customer: u32::try_from(of_customer).unwrap_or(u32::MAX),
        of_address: u32::try_from(of_address).unwrap_or(u32::MAX),
    })
}

/// The number under which those wait for each other who are known by the same digest.
fn turn(digest: [u8; 16]) -> i64 {
    let (first, _) = digest.split_at(8);
    i64::from_le_bytes(first.try_into().expect("a digest has 16 bytes"))
}
