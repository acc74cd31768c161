//! Rows of `invoice_lines`, invoices locked for a step, and what is told of a step.

use std::collections::BTreeMap;

use engine::{
    audit::Actor,
    catalog::{ProductKind, Sku},
    checkout::Line,
    clock::Timestamp,
    ids::{InvoiceId, InvoiceLineId, MerchantId, ProductId, RelationshipId, VariantId},
    payments::Invoice,
    sales::{Rate, Share, Source},
};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::{
    Error,
    error::exactly_one,
    fulfillments::rows::money,
    payments::tell,
    relationships::rows::{named, percent},
    top_ups::rows::{Row as InvoiceRow, digest, note, select_invoice, stand, whole},
};

/// Every column of a line and the rest of the query, which names it `l` and the link behind it `k`.
macro_rules! select_line {
    ($rest:literal) => {
        concat!(
            "SELECT l.line_id, l.invoice_id, l.relationship_id, l.product_id, l.variant_id, l.title,
               l.kind, l.quantity, l.unit_price, l.custom_fields, l.link_id, k.name AS link_name,
               k.kind AS link_kind, l.wholesale_price, l.commission_percent, l.hold_days, l.self_purchase,
               l.missing, l.refunded, l.left_out
             FROM invoice_lines AS l LEFT JOIN links AS k ON k.link_id = l.link_id ",
            $rest
        )
    };
}
pub(super) use select_line;

#[derive(sqlx::FromRow)]
pub(super) struct LineRow {
    line_id: Uuid,
    invoice_id: Uuid,
    relationship_id: Option<Uuid>,
    product_id: Uuid,
    variant_id: Option<Uuid>,
    title: String,
    kind: String,
    quantity: i32,
    unit_price: i64,
    custom_fields: Json<BTreeMap<String, String>>,
    link_id: Option<Uuid>,
    link_name: Option<String>,
    link_kind: Option<String>,
    wholesale_price: Option<i64>,
    commission_percent: Option<i32>,
    hold_days: Option<i32>,
    self_purchase: bool,
    missing: i64,
    refunded: i64,
    left_out: bool,
}

impl LineRow {
    pub(super) fn invoice(&self) -> InvoiceId {
        InvoiceId::from_uuid(self.invoice_id)
    }

    fn share(&self) -> Result<Option<Share>, Error> {
        let (Some(relationship), Some(link)) = (self.relationship_id, self.link_id) else {
            return Ok(None);
        };
        let days = self.hold_days.and_then(|days| u16::try_from(days).ok());
        let source = self.link_kind.as_deref();
        let source = source.and_then(|kind| Source::of(kind, link));
        Ok(Some(Share {
            relationship: RelationshipId::from_uuid(relationship),
            source: named(source, "links.kind")?,
            source_name: named(self.link_name.clone(), "links.name")?,
            rate: self.rate()?,
            hold_days: named(days, "invoice_lines.hold_days")?,
            self_purchase: self.self_purchase,
        }))
    }
}

impl LineRow {
    fn rate(&self) -> Result<Rate, Error> {
        if let Some(wholesale) = self.wholesale_price {
            let wholesale = money(wholesale)?;
            return Ok(Rate::Above { wholesale });
        }
        let part = percent(self.commission_percent)?;
        named(part, "invoice_lines.commission_percent").map(Rate::Percent)
    }
}

impl TryFrom<LineRow> for Line {
    type Error = Error;

    fn try_from(row: LineRow) -> Result<Self, Error> {
        let share = row.share()?;
        let unit_price = money(row.unit_price)?;
        let quantity = u32::try_from(row.quantity).ok();
        let quantity = named(quantity, "invoice_lines.quantity")?;
        let total = unit_price.checked_mul(quantity);
        Ok(Self {
            id: InvoiceLineId::from_uuid(row.line_id),
            sku: Sku {
                product: ProductId::from_uuid(row.product_id),
                variant: row.variant_id.map(VariantId::from_uuid),
            },
            title: row.title,
            kind: named(ProductKind::parse(&row.kind), "invoice_lines.kind")?,
            quantity,
            unit_price,
            total: named(total, "invoice_lines.unit_price")?,
            missing: money(row.missing)?,
            refunded: money(row.refunded)?,
            left_out: row.left_out,
            custom_fields: row.custom_fields.0,
            share,
        })
    }
}

/// An invoice of a customer of this merchant, which nobody else changes until the transaction ends.
pub(super) async fn lock(
    connection: &mut PgConnection,
    merchant: MerchantId,
    id: InvoiceId,
) -> Result<Option<Invoice>, Error> {
    let found: Vec<InvoiceRow> = sqlx::query_as(select_invoice!(
        "WHERE i.merchant_id = $1 AND i.invoice_id = $2 AND i.purpose = 'CHECKOUT' FOR UPDATE"
    ))
    .bind(merchant.uuid())
    .bind(id.uuid())
    .fetch_all(&mut *connection)
    .await?;
    Ok(whole(connection, found).await?.into_iter().next())
}

/// What an invoice is for, in its order.
pub(super) async fn lines(
    connection: &mut PgConnection,
    invoice: InvoiceId,
) -> Result<Vec<Line>, Error> {
    let rows: Vec<LineRow> =
        sqlx::query_as(select_line!("WHERE l.invoice_id = $1 ORDER BY l.place"))
            .bind(invoice.uuid())
            .fetch_all(connection)
            .await?;
    if rows.is_empty() {
        return Err(Error::Inconsistent {
            what: "an invoice for nothing",
        });
    }
    rows.into_iter().map(Line::try_from).collect()
}

pub(super) async fn insert_line(
    connection: &mut PgConnection,
    invoice: &Invoice,
    (place, line): (usize, &Line),
) -> Result<(), Error> {
    let share = line.share.as_ref();
    let percent = share.and_then(|share| share.rate.percent());
    // Who brought the customer is owed a share of the lines that it may sell, which may be some.
    let relationship = share.map(|share| share.relationship.uuid());
    sqlx::query(
        "INSERT INTO invoice_lines (line_id, invoice_id, merchant_id, relationship_id, product_id,
           variant_id, title, kind, quantity, unit_price, custom_fields, link_id,
           commission_percent, hold_days, self_purchase, wholesale_price, place)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    )
    .bind(line.id.uuid())
    .bind(invoice.id.uuid())
    .bind(invoice.merchant.uuid())
    .bind(relationship)
    .bind(line.sku.product.uuid())
    .bind(line.sku.variant.map(VariantId::uuid))
    .bind(&line.title)
    .bind(line.kind.name())
    .bind(i32::try_from(line.quantity).unwrap_or(i32::MAX))
    .bind(line.unit_price.minor())
    .bind(Json(&line.custom_fields))
    .bind(share.map(|share| share.source.link().uuid()))
    .bind(percent.map(|percent| i32::from(percent.hundredths())))
    .bind(share.map(|share| i32::from(share.hold_days)))
    .bind(share.is_some_and(|share| share.self_purchase))
    .bind(share.and_then(|share| wholesale(share.rate)))
    .bind(i32::try_from(place).unwrap_or(i32::MAX))
    .execute(connection)
    .await?;
    Ok(())
}

/// Stores what was let go of a line, what of it went back, and whether it is left out.
pub(super) async fn store_line(connection: &mut PgConnection, line: &Line) -> Result<(), Error> {
    let stored = sqlx::query(
        "UPDATE invoice_lines SET missing = $2, refunded = $3, left_out = $4 WHERE line_id = $1",
    )
    .bind(line.id.uuid())
    .bind(line.missing.minor())
    .bind(line.refunded.minor())
    .bind(line.left_out)
    .execute(connection)
    .await?;
    exactly_one(&stored, "a line of an invoice")
}

const fn wholesale(rate: Rate) -> Option<i64> {
    match rate {
        Rate::Percent(_) => None,
        Rate::Above { wholesale } => Some(wholesale.minor()),
    }
}

/// Stores where an invoice that is locked stands now, tells it, and notes who did it.
pub(super) async fn store(
    connection: &mut PgConnection,
    invoice: &Invoice,
    (actor, action): (Actor, &str),
    now: Timestamp,
) -> Result<(), Error> {
    let before = digest(connection, invoice.id).await?;
    stand(connection, invoice).await?;
    tell(connection, invoice, now).await?;
    note(connection, invoice, (actor, action), Some(before), now).await
}
