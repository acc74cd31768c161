//! Serials that a customer bought and that are no good: what is wanted is stored, and that it was carried out.
//!
//! Keeps: which serials are meant is said while the row of the invoice is locked; they are noted with their
//! successors, and those as the customer's, in one transaction. The caller has the invoice's turn.

use engine::{
    audit::Actor,
    catalog::Sku,
    clock::Timestamp,
    events::{Fact, InvoiceReplacementIssued},
    ids::{InvoiceId, MerchantId, ProductId, ReplacementId, SerialId, VariantId},
    replacements::{InvoiceReplacement, NotReplaced, Wanted, of_purchase},
    vault::Vault,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    deliver::{JOB, units},
    rows::{lines, lock},
};
use crate::{
    Database, Error,
    database::commit,
    error::exactly_one,
    events::outbox,
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
}

/// Every column of a replacement and the rest of the query.
macro_rules! select_replacement {
    ($rest:literal) => {
        concat!(
            "SELECT replacement_id, merchant_id, invoice_id, product_id, variant_id, serial_ids,
               successor_ids, reason, created_at FROM invoice_replacements ",
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
    created_at: Timestamp,
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
            created_at: row.created_at,
        }
    }
}

/// Stores what is to be replaced, or what was stored under this id before; none if no customer of this merchant has
/// such an invoice.
pub async fn replace(
    db: &Database,
    (merchant, id): (MerchantId, InvoiceId),
    replacing: Replacing,
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Result<InvoiceReplacement, NotReplaced>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(invoice) = lock(&mut tx, merchant, id).await? else {
            return Ok(None);
        };
        if let Some(known) = known(&mut tx, replacing.id).await? {
            return Ok(Some(Ok(known)));
        }
        let (lines, units) = (lines(&mut tx, id).await?, units(&mut tx, id).await?);
        let meant = of_purchase(&invoice, (&lines, &units), &replacing.wanted);
        let (at, serials) = match meant {
            Ok(meant) => meant,
            Err(refused) => return Ok(Some(Err(refused))),
        };
        let replacement = InvoiceReplacement {
            id: replacing.id,
            merchant,
            invoice: id,
            sku: lines[at].sku,
            serials,
            successors: Vec::new(),
            reason: replacing.reason,
            created_at: now,
        };
        insert(&mut tx, &replacement).await?;
        let before = Some(digest(&mut tx, id).await?);
        note(&mut tx, &invoice, (actor, "invoice.replace"), before, now).await?;
        commit(tx).await?;
        Ok(Some(Ok(replacement)))
    })
    .await
}

async fn known(
    connection: &mut PgConnection,
    id: ReplacementId,
) -> Result<Option<InvoiceReplacement>, Error> {
    let row: Option<Row> =
        sqlx::query_as(select_replacement!("WHERE replacement_id = $1 FOR UPDATE"))
            .bind(id.uuid())
            .fetch_optional(connection)
            .await?;
    Ok(row.map(InvoiceReplacement::from))
}

async fn insert(connection: &mut PgConnection, one: &InvoiceReplacement) -> Result<(), Error> {
    let serials: Vec<Uuid> = one.serials.iter().map(|serial| serial.uuid()).collect();
    sqlx::query(
        "INSERT INTO invoice_replacements (replacement_id, merchant_id, invoice_id, product_id,
           variant_id, serial_ids, reason, attempted_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
    )
    .bind(one.id.uuid())
    .bind(one.merchant.uuid())
    .bind(one.invoice.uuid())
    .bind(one.sku.product.uuid())
    .bind(one.sku.variant.map(VariantId::uuid))
    .bind(serials)
    .bind(&one.reason)
    .bind(one.created_at)
    .execute(connection)
    .await?;
    Ok(())
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
        lock(&mut tx, merchant, invoice).await?;
        let found = known(&mut tx, id).await?.ok_or(Error::Inconsistent {
            what: "a replacement that is carried out is gone",
        })?;
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
    sqlx::query(
        "INSERT INTO sold_serials (serial_id, invoice_id, merchant_id, place, created_at)
         SELECT serial_id, $2, $3, place + (
             SELECT MAX(g.place) FROM sold_serials AS g WHERE g.invoice_id = $2
           ), $4
         FROM UNNEST($1::uuid[]) WITH ORDINALITY AS given (serial_id, place)",
    )
    .bind(&successors)
    .bind(one.invoice.uuid())
    .bind(one.merchant.uuid())
    .bind(now)
    .execute(&mut *connection)
    .await?;
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
        let found = lock(&mut tx, merchant, invoice).await?;
        let found = found.ok_or(Error::Inconsistent {
            what: "the invoice of a replacement is gone",
        })?;
        let forgotten = sqlx::query(
            "DELETE FROM invoice_replacements
             WHERE replacement_id = $1 AND successor_ids IS NULL",
        )
        .bind(id.uuid())
        .execute(&mut *tx)
        .await?;
        if forgotten.rows_affected() > 0 {
            let before = Some(digest(&mut tx, invoice).await?);
            let deed = (Actor::job(JOB), "invoice.replace_undo");
            note(&mut tx, &found, deed, before, now).await?;
        }
        commit(tx).await
    })
    .await
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
               successor_ids, reason, created_at",
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
