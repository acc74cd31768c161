//! A merchant reports a sale under its own id of the invoice, once.

use std::sync::Arc;

use engine::{
    audit::Actor,
    clock::Timestamp,
    events::{Fact, SaleCreated},
    ids::{LinkId, MerchantId, ProductId, RelationshipId, VariantId},
    links::Status as LinkStatus,
    money::Percent,
    random::Random,
    relationships::{Mode, ProductScope, Status as RelationshipStatus},
    sales::{Facts, Movement, Reported, Sale, Source, Unattributed, report as judge},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{earnings, rows};
use crate::{
    Database, Error,
    database::commit,
    events::outbox,
    owned,
    relationships::rows::{kept, named, percent},
};

/// What became of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Fresh(Sale),
    /// The invoice was reported before.
    Known(Sale),
    Unattributed(Unattributed),
    UnknownProduct,
    /// The sums of the reseller would be beyond the bound of amounts.
    TooLarge,
}

/// Stores a sale and what it earns, or says why not.
pub async fn report(
    db: &Database,
    random: Arc<dyn Random>,
    reported: Reported,
    (actor, now): (Actor, Timestamp),
) -> Result<Outcome, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let (merchant, invoice) = (reported.merchant, reported.invoice.clone());
        let stored = store(&db, &*random, reported, (actor, now)).await;
        let raced =
            |error: &Error| error.constraint() == Some("sales_merchant_id_external_invoice_id_key");
        match stored {
            Err(error) if raced(&error) => {
                let mut connection = db.read().await?;
                let found = rows::find_invoice(&mut connection, merchant, &invoice).await?;
                found.map(Outcome::Known).ok_or(error)
            }
            stored => stored,
        }
    })
    .await
}

async fn store(
    db: &Database,
    random: &dyn Random,
    reported: Reported,
    (actor, now): (Actor, Timestamp),
) -> Result<Outcome, Error> {
    let mut tx = db.begin().await?;
    let merchant = reported.merchant;
    if let Some(known) = rows::find_invoice(&mut tx, merchant, &reported.invoice).await? {
        return Ok(Outcome::Known(known));
    }
    let what = (reported.product, reported.variant);
    let Some(title) = title(&mut tx, merchant, what).await? else {
        return Ok(Outcome::UnknownProduct);
    };
    let facts = match reported.clicked {
        None => None,
        Some(clicked) => link_facts(&mut tx, (merchant, clicked.link), what, title).await?,
    };
    let Some(facts) = facts else {
        return Ok(Outcome::Unattributed(Unattributed::UnknownToken));
    };
    let (sale, movement) = match judge(&facts, reported, now) {
        Ok(judged) => judged,
        Err(why) => return Ok(Outcome::Unattributed(why)),
    };
    if !record(&mut tx, (&sale, movement, 0), (random, now)).await? {
        return Ok(Outcome::TooLarge);
    }
    let what = ("sale.report", sale.id.to_string());
    rows::note(&mut tx, merchant, what, (actor, now)).await?;
    commit(tx).await?;
    Ok(Outcome::Fresh(sale))
}

/// Stores a sale and what it earns, in the place of its line if an invoice of ours has it, and tells it. False if the
/// sums of the reseller would be beyond the bound of amounts: then nothing is to be stored.
pub(crate) async fn record(
    connection: &mut PgConnection,
    (sale, movement, place): (&Sale, Option<Movement>, usize),
    (random, now): (&dyn Random, Timestamp),
) -> Result<bool, Error> {
    let of = (sale.merchant, sale.relationship);
    let mut account = earnings::lock(&mut *connection, of).await?;
    rows::insert(&mut *connection, sale, place).await?;
    if let Some(movement) = movement {
        let what = (sale.id.uuid(), random);
        if !account.store(&mut *connection, movement, what, now).await? {
            return Ok(false);
        }
    }
    tell(connection, sale, now).await?;
    Ok(true)
}

async fn tell(connection: &mut PgConnection, sale: &Sale, now: Timestamp) -> Result<(), Error> {
    let fact = Fact::SaleCreated(SaleCreated {
        sale: sale.id.uuid(),
        relationship: sale.relationship.uuid(),
        product: sale.product.uuid(),
        variant: sale.variant.map(VariantId::uuid),
        quantity: sale.quantity,
        net: sale.net().minor(),
        commission: sale.commission.amount.minor(),
    });
    outbox::tell(
        connection,
        (sale.merchant, Some(sale.relationship)),
        &fact,
        now,
    )
    .await
}

/// What a product is called; none if the merchant has none such, or not with this variant.
async fn title(
    connection: &mut PgConnection,
    merchant: MerchantId,
    (product, variant): (ProductId, Option<VariantId>),
) -> Result<Option<String>, Error> {
    Ok(sqlx::query_scalar(
        "SELECT p.title FROM products AS p
         WHERE p.merchant_id = $1 AND p.product_id = $2
           AND ($3::uuid IS NULL OR EXISTS (SELECT FROM variants AS v
                WHERE v.product_id = p.product_id AND v.variant_id = $3))",
    )
    .bind(merchant.uuid())
    .bind(product.uuid())
    .bind(variant.map(VariantId::uuid))
    .fetch_optional(connection)
    .await?)
}

#[derive(sqlx::FromRow)]
struct Row {
    link_name: String,
    link_kind: String,
    link_status: String,
    relationship_id: Uuid,
    status: String,
    mode: String,
    email: String,
    enabled: bool,
    window_days: i32,
    hold_days: i32,
    allow_self_purchase: bool,
    product_scope: String,
    granted: bool,
    of_variant: Option<i32>,
    of_product: Option<i32>,
    of_relationship: Option<i32>,
    of_program: Option<i32>,
}

/// What decides about a sale by this link of this merchant; none if there is no such link. Nobody comes by the
/// link of a listing.
pub(crate) async fn link_facts(
    connection: &mut PgConnection,
    (merchant, link): (MerchantId, LinkId),
    (product, variant): (ProductId, Option<VariantId>),
    product_title: String,
) -> Result<Option<Facts>, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT l.name AS link_name, l.kind AS link_kind, l.status AS link_status, r.relationship_id, r.status, r.mode,
           lower(r.email) AS email, p.enabled, p.attribution_window_days AS window_days,
           p.commission_hold_days AS hold_days, p.allow_self_purchase, r.product_scope,
           a.product_id IS NOT NULL OR v.product_id IS NOT NULL AS granted,
           v.commission_percent AS of_variant, a.commission_percent AS of_product,
           r.commission_percent AS of_relationship, p.commission_percent AS of_program
         FROM links AS l
         JOIN relationships AS r ON r.relationship_id = l.relationship_id
         JOIN programs AS p ON p.merchant_id = l.merchant_id
         LEFT JOIN product_access AS a ON a.relationship_id = r.relationship_id
           AND a.product_id = $3 AND a.variant_id IS NULL AND a.revoked_at IS NULL
         LEFT JOIN product_access AS v ON v.relationship_id = r.relationship_id
           AND v.product_id = $3 AND v.variant_id = $4 AND v.revoked_at IS NULL
         WHERE l.merchant_id = $1 AND l.link_id = $2 AND l.kind <> 'LISTING'",
    )
    .bind(merchant.uuid())
    .bind(link.uuid())
    .bind(product.uuid())
    .bind(variant.map(VariantId::uuid))
    .fetch_optional(connection)
    .await?;
    row.map(|row| row.facts(link, product_title)).transpose()
}

impl Row {
    fn facts(self, link: LinkId, product_title: String) -> Result<Facts, Error> {
        let days = |days: i32| named(u16::try_from(days).ok(), "days of a program");
        let scope = named(
            ProductScope::parse(&self.product_scope),
            "relationships.product_scope",
        )?;
        let percents: [Option<Percent>; 4] = [
            percent(self.of_variant)?,
            percent(self.of_product)?,
            percent(self.of_relationship)?,
            percent(self.of_program)?,
        ];
        let status = RelationshipStatus::parse(&self.status);
        Ok(Facts {
            source: named(Source::of(&self.link_kind, link.uuid()), "links.kind")?,
            source_name: self.link_name,
            link_status: named(LinkStatus::parse(&self.link_status), "links.status")?,
            relationship: RelationshipId::from_uuid(self.relationship_id),
            relationship_status: named(status, "relationships.status")?,
            mode: named(Mode::parse(&self.mode), "relationships.mode")?,
            email: self.email,
            enabled: self.enabled,
            window_days: days(self.window_days)?,
            hold_days: days(self.hold_days)?,
            allow_self_purchase: self.allow_self_purchase,
            covered: scope == ProductScope::All || self.granted,
            percents,
            product_title,
        })
    }
}
