//! A row of `sales`, what it becomes, and what is told of it.

use engine::{
    audit::{Actor, Deed},
    clock::Timestamp,
    events::{CommissionApproved, CommissionReversed, Fact},
    ids::{InvoiceId, MerchantId, ProductId, RelationshipId, SaleId, VariantId},
    money::Money,
    payments::Invoice,
    sales::{Commission, CommissionStatus, Reason, Sale, Source, Status},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Error, audit,
    error::exactly_one,
    events::outbox,
    fulfillments::rows::money,
    relationships::rows::{named, percent},
};

/// What is sold by a link of this kind earns a margin, and no percentage.
const LISTING: &str = "LISTING";
/// Whose sales.
pub(super) type Of = (MerchantId, RelationshipId);

/// Every column of a sale and the rest of the query, which names it `s` and its link `l`.
macro_rules! select_sale {
    ($rest:literal) => {
        concat!(
            "SELECT s.sale_id, s.merchant_id, s.relationship_id, s.link_id, l.name AS link_name,
               l.kind AS link_kind,
               s.product_id, s.variant_id, s.product_title, s.external_invoice_id, s.invoice_id,
               s.quantity, s.amount, s.discount, s.tax, s.refunded, s.status, s.customer, s.sold_at,
               s.commission_percent, s.commission, s.reversed, s.commission_status,
               s.commission_reason, s.commission_note, s.hold_until, s.approved_at, s.created_at,
               s.updated_at, s.place
             FROM sales AS s JOIN links AS l ON l.link_id = s.link_id ",
            $rest
        )
    };
}
pub(super) use select_sale;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    sale_id: Uuid,
    merchant_id: Uuid,
    relationship_id: Uuid,
    link_id: Uuid,
    link_name: String,
    link_kind: String,
    product_id: Uuid,
    variant_id: Option<Uuid>,
    product_title: String,
    external_invoice_id: String,
    invoice_id: Option<Uuid>,
    quantity: i32,
    amount: i64,
    discount: i64,
    tax: i64,
    refunded: i64,
    status: String,
    customer: Option<String>,
    sold_at: Timestamp,
    commission_percent: i32,
    commission: i64,
    reversed: i64,
    commission_status: String,
    commission_reason: Option<String>,
    commission_note: Option<String>,
    hold_until: Timestamp,
    approved_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    place: i32,
}

impl TryFrom<Row> for Sale {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let commission = row.commission()?;
        Ok(Self {
            id: SaleId::from_uuid(row.sale_id),
            merchant: MerchantId::from_uuid(row.merchant_id),
            relationship: RelationshipId::from_uuid(row.relationship_id),
            source: named(Source::of(&row.link_kind, row.link_id), "links.kind")?,
            source_name: row.link_name,
            product: ProductId::from_uuid(row.product_id),
            variant: row.variant_id.map(VariantId::from_uuid),
            product_title: row.product_title,
            invoice: row.external_invoice_id,
            billed: row.invoice_id.map(InvoiceId::from_uuid),
            quantity: row.quantity.unsigned_abs(),
            amount: money(row.amount)?,
            discount: money(row.discount)?,
            tax: money(row.tax)?,
            status: named(Status::parse(&row.status), "sales.status")?,
            refunded: money(row.refunded)?,
            customer: row.customer,
            sold_at: row.sold_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            commission,
        })
    }
}

impl Row {
    fn commission(&self) -> Result<Commission, Error> {
        let status = CommissionStatus::parse(&self.commission_status);
        let reason = self.commission_reason.as_deref().map(|reason| {
            let reason = Reason::parse(reason);
            named(reason, "sales.commission_reason")
        });
        let share = percent(Some(self.commission_percent))?;
        Ok(Commission {
            percent: share.filter(|_| self.link_kind != LISTING),
            amount: money(self.commission)?,
            reversed: money(self.reversed)?,
            status: named(status, "sales.commission_status")?,
            hold_until: self.hold_until,
            approved_at: self.approved_at,
            reason: reason.transpose()?,
            note: self.commission_note.clone(),
        })
    }
}

/// A sale of this merchant.
pub(super) async fn find(
    connection: &mut PgConnection,
    merchant: MerchantId,
    id: SaleId,
) -> Result<Option<Sale>, Error> {
    let row: Option<Row> =
        sqlx::query_as(select_sale!("WHERE s.merchant_id = $1 AND s.sale_id = $2"))
            .bind(merchant.uuid())
            .bind(id.uuid())
            .fetch_optional(connection)
            .await?;
    row.map(Sale::try_from).transpose()
}

/// A sale of this relationship, whose earnings are locked.
pub(super) async fn find_own(
    connection: &mut PgConnection,
    (merchant, relationship): Of,
    id: SaleId,
) -> Result<Option<Sale>, Error> {
    let row: Option<Row> = sqlx::query_as(select_sale!(
        "WHERE s.merchant_id = $1 AND s.relationship_id = $2 AND s.sale_id = $3"
    ))
    .bind(merchant.uuid())
    .bind(relationship.uuid())
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(Sale::try_from).transpose()
}

/// The sale that was reported under the merchant's own id of its invoice.
pub(super) async fn find_invoice(
    connection: &mut PgConnection,
    merchant: MerchantId,
    invoice: &str,
) -> Result<Option<Sale>, Error> {
    let row: Option<Row> = sqlx::query_as(select_sale!(
        "WHERE s.merchant_id = $1 AND s.external_invoice_id = $2 ORDER BY s.place LIMIT 1"
    ))
    .bind(merchant.uuid())
    .bind(invoice)
    .fetch_optional(connection)
    .await?;
    row.map(Sale::try_from).transpose()
}

/// The sales that an invoice of ours made, each with the place of its line.
pub(super) async fn find_billed(
    connection: &mut PgConnection,
    invoice: &Invoice,
) -> Result<Vec<(usize, Sale)>, Error> {
    let rows: Vec<Row> = sqlx::query_as(select_sale!(
        "WHERE s.merchant_id = $1 AND s.invoice_id = $2 ORDER BY s.place"
    ))
    .bind(invoice.merchant.uuid())
    .bind(invoice.id.uuid())
    .fetch_all(connection)
    .await?;
    let rows = rows.into_iter();
    rows.map(|row| {
        let place = usize::try_from(row.place).ok();
        Ok((named(place, "sales.place")?, Sale::try_from(row)?))
    })
    .collect()
}

pub(super) async fn insert(
    connection: &mut PgConnection,
    sale: &Sale,
    place: usize,
) -> Result<(), Error> {
    let commission = &sale.commission;
    sqlx::query(
        "INSERT INTO sales (sale_id, merchant_id, relationship_id, link_id, product_id, variant_id,
           product_title, external_invoice_id, quantity, amount, discount, tax, refunded, status,
           customer, sold_at, commission_percent, commission, reversed, commission_status,
           commission_reason, hold_until, created_at, updated_at, invoice_id, place)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
           $19, $20, $21, $22, $23, $23, $24, $25)",
    )
    .bind(sale.id.uuid())
    .bind(sale.merchant.uuid())
    .bind(sale.relationship.uuid())
    .bind(sale.source.link().uuid())
    .bind(sale.product.uuid())
    .bind(sale.variant.map(VariantId::uuid))
    .bind(&sale.product_title)
    .bind(&sale.invoice)
    .bind(i32::try_from(sale.quantity).unwrap_or(i32::MAX))
    .bind(sale.amount.minor())
    .bind(sale.discount.minor())
    .bind(sale.tax.minor())
    .bind(sale.refunded.minor())
    .bind(sale.status.name())
    .bind(&sale.customer)
    .bind(sale.sold_at)
    .bind(
        commission
            .percent
            .map_or(0, |it| i32::from(it.hundredths())),
    )
    .bind(commission.amount.minor())
    .bind(commission.reversed.minor())
    .bind(commission.status.name())
    .bind(commission.reason.map(Reason::name))
    .bind(commission.hold_until)
    .bind(sale.created_at)
    .bind(sale.billed.map(InvoiceId::uuid))
    .bind(i32::try_from(place).unwrap_or(i32::MAX))
    .execute(connection)
    .await?;
    Ok(())
}

/// Stores what a step may have changed of a sale.
pub(super) async fn store(connection: &mut PgConnection, sale: &Sale) -> Result<(), Error> {
    let commission = &sale.commission;
    let stored = sqlx::query(
        "UPDATE sales SET refunded = $2, status = $3, reversed = $4, commission_status = $5,
           commission_reason = $6, commission_note = $7, approved_at = $8, updated_at = $9
         WHERE sale_id = $1",
    )
    .bind(sale.id.uuid())
    .bind(sale.refunded.minor())
    .bind(sale.status.name())
    .bind(commission.reversed.minor())
    .bind(commission.status.name())
    .bind(commission.reason.map(Reason::name))
    .bind(&commission.note)
    .bind(commission.approved_at)
    .bind(sale.updated_at)
    .execute(connection)
    .await?;
    exactly_one(&stored, "a sale that changes")
}

/// Tells merchant and reseller that a commission is approved.
pub(super) async fn tell_approved(
    connection: &mut PgConnection,
    sale: &Sale,
    now: Timestamp,
) -> Result<(), Error> {
    let fact = Fact::CommissionApproved(CommissionApproved {
        sale: sale.id.uuid(),
        relationship: sale.relationship.uuid(),
        amount: sale.commission.rest().minor(),
    });
    outbox::tell(
        connection,
        (sale.merchant, Some(sale.relationship)),
        &fact,
        now,
    )
    .await
}

/// Tells both that so much of a commission was taken back.
pub(super) async fn tell_reversed(
    connection: &mut PgConnection,
    sale: &Sale,
    amount: Money,
    now: Timestamp,
) -> Result<(), Error> {
    let fact = Fact::CommissionReversed(CommissionReversed {
        sale: sale.id.uuid(),
        relationship: sale.relationship.uuid(),
        amount: amount.minor(),
        reversed: sale.commission.reversed.minor(),
    });
    outbox::tell(
        connection,
        (sale.merchant, Some(sale.relationship)),
        &fact,
        now,
    )
    .await
}

/// Writes the deed into the log.
pub(super) async fn note(
    connection: &mut PgConnection,
    merchant: MerchantId,
    (action, target): (&str, String),
    (actor, now): (Actor, Timestamp),
) -> Result<(), Error> {
    let deed = Deed {
        actor,
        action: action.to_owned(),
        target,
        before: None,
        after: None,
        at: now,
    };
    audit::append(connection, merchant, deed).await
}
