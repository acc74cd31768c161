//! Serials that a customer bought and that are no good: what is wanted is stored, and that it was carried out.
//!
//! Keeps: which serials are meant is said while the row of the invoice is locked, and judged again before any leave
//! their shelf; of one invoice one replacement waits at most, so that none is meant twice. They are noted with their
//! successors, and those as the customer's, in one transaction. The caller has the invoice's turn.

use engine::{
    audit::Actor,
    catalog::Sku,
    clock::Timestamp,
    events::{Fact, InvoiceReplacementIssued},
    ids::{InvoiceId, MerchantId, ProductId, ReplacementId, SerialId, VariantId},
    journal::Owner,
    payments::Invoice,
    replacements::{InvoiceReplacement, NotReplaced, Wanted, of_purchase},
    vault::Vault,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    deliver::{JOB, give, units},
    refund::still_owns,
    rows::{lines, lock},
};
use crate::{
    Database, Error,
    database::commit,
    error::exactly_one,
    events::outbox,
    inventory::withdrawal,
    mail::{self, Post},
    owned,
    relationships::rows::kept,
    top_ups::rows::{digest, note},
};

/// What a merchant wants, under the id by which it is known again.
pub struct Replacing {
    pub id: ReplacementId,
    pub wanted: Wanted,
    pub reason: Option<String>,
    /// The digest of the request: the same id may not mean something else.
    pub body: [u8; 32],
}

/// What is stored of what a merchant wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replace {
    /// Now, or under this id before.
    Stored(Box<InvoiceReplacement>),
    /// Something else was wanted under this id.
    Mismatch,
    /// Another of the same invoice is not carried out yet.
    Behind,
    Refused(NotReplaced),
}

/// How a replacement stands whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Issued(Box<InvoiceReplacement>),
    /// Its successors are to leave their shelf, or left it and are not noted.
    Due(Box<InvoiceReplacement>),
    /// They left it, and would not any more: they are noted, and nobody is told.
    Late(Box<InvoiceReplacement>, Vec<SerialId>),
    /// None left, and none will: it is forgotten.
    Undone(NotReplaced),
}

/// Every column of a replacement and the rest of the query.
macro_rules! select_replacement {
    ($rest:literal) => {
        concat!(
            "SELECT replacement_id, merchant_id, invoice_id, product_id, variant_id, serial_ids,
               successor_ids, reason, despite, body_digest, created_at FROM invoice_replacements ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
struct Row {
    replacement_id: Uuid,
    merchant_id: Uuid,
    invoice_id: Uuid,
    product_id: Uuid,
    variant_id: Option<Uuid>,
    serial_ids: Vec<Uuid>,
    successor_ids: Option<Vec<Uuid>>,
    reason: Option<String>,
    despite: bool,
    body_digest: Option<Vec<u8>>,
    created_at: Timestamp,
}

impl Row {
    /// Whether this request asked for it. Of the oldest it is not known what did.
    fn is_of(&self, body: &[u8; 32]) -> bool {
        let known = self.body_digest.as_deref();
        known.is_none_or(|known| known == body)
    }
}

impl From<Row> for InvoiceReplacement {
    fn from(row: Row) -> Self {
        let serials = |ids: Vec<Uuid>| ids.into_iter().map(SerialId::from_uuid).collect();
        Self {
            id: ReplacementId::from_uuid(row.replacement_id),
            merchant: MerchantId::from_uuid(row.merchant_id),
            invoice: InvoiceId::from_uuid(row.invoice_id),
            sku: Sku {
                product: ProductId::from_uuid(row.product_id),
                variant: row.variant_id.map(VariantId::from_uuid),
            },
            serials: serials(row.serial_ids),
            successors: serials(row.successor_ids.unwrap_or_default()),
            reason: row.reason,
            despite: row.despite,
            created_at: row.created_at,
        }
    }
}

/// Stores what is to be replaced, or finds what was stored under this id before; none if no customer of this merchant
/// has such an invoice.
pub async fn replace(
    db: &Database,
    (merchant, id): (MerchantId, InvoiceId),
    replacing: Replacing,
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Replace>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(invoice) = lock(&mut tx, merchant, id).await? else {
            return Ok(None);
        };
        if let Some(known) = known(&mut tx, replacing.id).await? {
            return Ok(Some(if known.is_of(&replacing.body) {
                Replace::Stored(Box::new(known.into()))
            } else {
                Replace::Mismatch
            }));
        }
        if one_waits(&mut tx, id).await? {
            return Ok(Some(Replace::Behind));
        }
        let (lines, units) = (lines(&mut tx, id).await?, units(&mut tx, id).await?);
        let meant = of_purchase(&invoice, (&lines, &units), &replacing.wanted);
        let (at, serials) = match meant {
            Ok(meant) => meant,
            Err(refused) => return Ok(Some(Replace::Refused(refused))),
        };
        let replacement = InvoiceReplacement {
            id: replacing.id,
            merchant,
            invoice: id,
            sku: lines[at].sku,
            serials,
            successors: Vec::new(),
            reason: replacing.reason,
            despite: replacing.wanted.despite,
            created_at: now,
        };
        insert(&mut tx, &replacement, &replacing.body).await?;
        let before = Some(digest(&mut tx, id).await?);
        note(&mut tx, &invoice, (actor, "invoice.replace"), before, now).await?;
        commit(tx).await?;
        Ok(Some(Replace::Stored(Box::new(replacement))))
    })
    .await
}

async fn known(connection: &mut PgConnection, id: ReplacementId) -> Result<Option<Row>, Error> {
    let found = sqlx::query_as(select_replacement!("WHERE replacement_id = $1 FOR UPDATE"))
        .bind(id.uuid())
        .fetch_optional(connection);
    Ok(found.await?)
}

/// Whether one of this invoice, whose row is locked, has serials that no successor is noted of yet.
async fn one_waits(connection: &mut PgConnection, invoice: InvoiceId) -> Result<bool, Error> {
    let waits: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM invoice_replacements
           WHERE invoice_id = $1 AND successor_ids IS NULL)",
    )
    .bind(invoice.uuid())
    .fetch_one(connection)
    .await?;
    Ok(waits)
}

async fn insert(
    connection: &mut PgConnection,
    one: &InvoiceReplacement,
    body: &[u8; 32],
) -> Result<(), Error> {
    let serials: Vec<Uuid> = one.serials.iter().map(|serial| serial.uuid()).collect();
    sqlx::query(
        "INSERT INTO invoice_replacements (replacement_id, merchant_id, invoice_id, product_id,
           variant_id, serial_ids, reason, despite, body_digest, attempted_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)",
    )
    .bind(one.id.uuid())
    .bind(one.merchant.uuid())
    .bind(one.invoice.uuid())
    .bind(one.sku.product.uuid())
    .bind(one.sku.variant.map(VariantId::uuid))
    .bind(serials)
    .bind(&one.reason)
    .bind(one.despite)
    .bind(&body[..])
    .bind(one.created_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// How this one stands now that it is its turn; none if it was forgotten meanwhile. It is judged again: its purchase may
/// have been given back or disputed since. Then it is forgotten too, unless its successors left their shelf.
pub async fn replacing(
    db: &Database,
    one: &InvoiceReplacement,
    owner: Owner,
    now: Timestamp,
) -> Result<Option<Standing>, Error> {
    let (db, now) = (db.clone(), kept(now));
    let (merchant, id, own) = (one.merchant, one.invoice, one.id);
    owned(async move {
        let mut tx = db.begin().await?;
        let invoice = locked(&mut tx, (merchant, id)).await?;
        let Some(found) = known(&mut tx, own).await? else {
            return Ok(None);
        };
        let one = Box::new(InvoiceReplacement::from(found));
        if one.is_issued() {
            return Ok(Some(Standing::Issued(one)));
        }
        let (lines, units) = (lines(&mut tx, id).await?, units(&mut tx, id).await?);
        let Err(refused) = of_purchase(&invoice, (&lines, &units), &one.wanted()) else {
            return Ok(Some(Standing::Due(one)));
        };
        still_owns(&mut tx, owner).await?;
        if let Some(withdrawal) = withdrawal::find(&mut tx, one.withdrawal()).await? {
            return Ok(Some(Standing::Late(one, withdrawal.serials)));
        }
        undo(&mut tx, (&invoice, own), now).await?;
        commit(tx).await?;
        Ok(Some(Standing::Undone(refused)))
    })
    .await
}

async fn locked(
    connection: &mut PgConnection,
    (merchant, id): (MerchantId, InvoiceId),
) -> Result<Invoice, Error> {
    let found = lock(connection, merchant, id).await?;
    found.ok_or(Error::Inconsistent {
        what: "the invoice of a replacement is gone",
    })
}

/// Notes what left the shelf as the customer's, in the places of what it replaces, and tells both; once.
pub async fn replaced(
    db: &Database,
    vault: &Vault,
    (one, successors): (&InvoiceReplacement, Vec<SerialId>),
    post: Option<Post>,
    now: Timestamp,
) -> Result<InvoiceReplacement, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    let (merchant, invoice, id) = (one.merchant, one.invoice, one.id);
    owned(async move {
        let mut tx = db.begin().await?;
        locked(&mut tx, (merchant, invoice)).await?;
        let found = known(&mut tx, id).await?.ok_or(Error::Inconsistent {
            what: "a replacement that is carried out is gone",
        })?;
        let found = InvoiceReplacement::from(found);
        if found.is_issued() {
            return Ok(found);
        }
        let issued = InvoiceReplacement {
            successors,
            ..found
        };
        succeed(&mut tx, &issued, now).await?;
        if let Some(Post { id, letter }) = &post {
            mail::queue(&mut tx, &vault, (*id, "replacement"), letter, now).await?;
        }
        tell(&mut tx, &issued, now).await?;
        commit(tx).await?;
        Ok(issued)
    })
    .await
}

async fn succeed(
    connection: &mut PgConnection,
    one: &InvoiceReplacement,
    now: Timestamp,
) -> Result<(), Error> {
    let ids = |serials: &[SerialId]| -> Vec<Uuid> {
        let ids = serials.iter().map(|serial| serial.uuid());
        ids.collect()
    };
    let (serials, successors) = (ids(&one.serials), ids(&one.successors));
    let noted = sqlx::query(
        "UPDATE sold_serials AS g SET successor_id = n.successor_id
         FROM UNNEST($2::uuid[], $3::uuid[]) AS n (serial_id, successor_id)
         WHERE g.serial_id = n.serial_id AND g.invoice_id = $1 AND g.successor_id IS NULL",
    )
    .bind(one.invoice.uuid())
    .bind(serials)
    .bind(&successors)
    .execute(&mut *connection)
    .await?;
    if noted.rows_affected() != successors.len() as u64 {
        return Err(Error::Inconsistent {
            what: "a serial that is replaced has a successor",
        });
    }
    let own = (one.merchant, one.invoice);
    give(&mut *connection, own, &one.successors, now).await?;
    let stored =
        sqlx::query("UPDATE invoice_replacements SET successor_ids = $2 WHERE replacement_id = $1")
            .bind(one.id.uuid())
            .bind(successors)
            .execute(connection)
            .await?;
    exactly_one(&stored, "a replacement that is carried out")
}

/// Tells the merchant.
async fn tell(
    connection: &mut PgConnection,
    one: &InvoiceReplacement,
    now: Timestamp,
) -> Result<(), Error> {
    let fact = Fact::InvoiceReplacementIssued(InvoiceReplacementIssued {
        replacement: one.id.uuid(),
        invoice: one.invoice.uuid(),
        product: one.sku.product.uuid(),
        variant: one.sku.variant.map(VariantId::uuid),
        quantity: u32::try_from(one.successors.len()).unwrap_or(u32::MAX),
    });
    outbox::tell(connection, (one.merchant, None), &fact, now).await
}

/// There was too little for it: it is forgotten, and may be wanted again.
pub async fn unreplaced(
    db: &Database,
    one: &InvoiceReplacement,
    now: Timestamp,
) -> Result<(), Error> {
    let (db, now) = (db.clone(), kept(now));
    let (merchant, invoice, id) = (one.merchant, one.invoice, one.id);
    owned(async move {
        let mut tx = db.begin().await?;
        let invoice = locked(&mut tx, (merchant, invoice)).await?;
        undo(&mut tx, (&invoice, id), now).await?;
        commit(tx).await
    })
    .await
}

async fn undo(
    connection: &mut PgConnection,
    (invoice, id): (&Invoice, ReplacementId),
    now: Timestamp,
) -> Result<(), Error> {
    let forgotten = sqlx::query(
        "DELETE FROM invoice_replacements WHERE replacement_id = $1 AND successor_ids IS NULL",
    )
    .bind(id.uuid())
    .execute(&mut *connection)
    .await?;
    if forgotten.rows_affected() > 0 {
        let before = Some(digest(&mut *connection, invoice.id).await?);
        let deed = (Actor::job(JOB), "invoice.replace_undo");
        note(connection, invoice, deed, before, now).await?;
    }
    Ok(())
}

/// Takes over replacements that nobody carried out since a time: they are this caller's for a while.
pub async fn take_replacing(
    db: &Database,
    before: Timestamp,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<InvoiceReplacement>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let rows: Vec<Row> = sqlx::query_as(
            "UPDATE invoice_replacements SET attempted_at = $3
             WHERE replacement_id = ANY (ARRAY (
               SELECT replacement_id FROM invoice_replacements
               WHERE successor_ids IS NULL AND attempted_at < $1
               ORDER BY attempted_at LIMIT $2 FOR UPDATE SKIP LOCKED))
             RETURNING replacement_id, merchant_id, invoice_id, product_id, variant_id, serial_ids,
               successor_ids, reason, despite, body_digest, created_at",
        )
        .bind(before)
        .bind(limit)
        .bind(now)
        .fetch_all(&mut *tx)
        .await?;
        commit(tx).await?;
        Ok(rows.into_iter().map(InvoiceReplacement::from).collect())
    })
    .await
}
