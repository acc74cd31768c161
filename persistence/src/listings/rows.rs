//! A row of `listings`, what decides about it, and what they become.

use engine::{
    catalog::{ProductKind, Status as ProductStatus},
    clock::Timestamp,
    ids::{ListingId, MerchantId, ProductId, RelationshipId, VariantId},
    listings::{Access, Facts, Listing, Reason, State, Status, Variant, Ware},
    relationships::{Mode, Prices, Status as RelationshipStatus},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Error,
    catalog::source::price,
    error::exactly_one,
    fulfillments::rows::money,
    relationships::rows::{named, percent},
};

/// Whose listings.
pub(super) type Of = (MerchantId, RelationshipId);

/// The columns of a listing, which is named `l`.
macro_rules! listing_columns {
    () => {
        "l.listing_id, l.merchant_id, l.relationship_id, l.product_id, l.variant_id, l.price, l.status,
         l.blocked_reason, l.paused, l.note, l.created_at, l.updated_at, "
    };
}
pub(super) use listing_columns;

/// The columns that decide: of relationship, program, product, variant and access.
macro_rules! facts_columns {
    () => {
        "p.enabled, r.status AS relationship_status, r.status_reason, r.mode,
         r.wholesale_discount_percent AS discount,
         p.wholesale_discount_percent AS program_discount,
         g.title, g.kind, g.status AS product_status, g.auto_fulfilled AS product_listable,
         g.base_price, g.wholesale_price,
         EXISTS (SELECT FROM variants AS o WHERE o.product_id = g.product_id) AS has_variants,
         v.title AS variant_title, v.status AS variant_status, v.base_price AS variant_base_price,
         v.wholesale_price AS variant_wholesale_price,
         COALESCE(y.relationship_id, a.relationship_id) IS NOT NULL AS granted,
         CASE WHEN y.relationship_id IS NULL THEN a.auto_fulfilled ELSE y.auto_fulfilled END AS listable,
         CASE WHEN y.relationship_id IS NULL THEN a.min_resale_price ELSE y.min_resale_price END
           AS min_resale_price,
         CASE WHEN y.relationship_id IS NULL THEN a.max_resale_price ELSE y.max_resale_price END
           AS max_resale_price,
         a.wholesale_price AS price_of_product, y.wholesale_price AS price_of_variant "
    };
}
pub(super) use facts_columns;

/// Everything that decides, joined to a relationship `r`, a product `g` and the id of a variant.
macro_rules! facts_joins {
    ($variant:literal) => {
        concat!(
            "JOIN programs AS p ON p.merchant_id = r.merchant_id
             LEFT JOIN variants AS v ON v.product_id = g.product_id AND v.variant_id = ",
            $variant,
            " LEFT JOIN product_access AS a ON a.relationship_id = r.relationship_id
               AND a.product_id = g.product_id AND a.variant_id IS NULL AND a.revoked_at IS NULL
             LEFT JOIN product_access AS y ON y.relationship_id = r.relationship_id
               AND y.product_id = g.product_id AND y.variant_id = v.variant_id
               AND y.revoked_at IS NULL "
        )
    };
}
pub(super) use facts_joins;

/// Listings with what decides about them, and the rest of the query, which names them `l`.
macro_rules! select_judged {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            $crate::listings::rows::listing_columns!(),
            $crate::listings::rows::facts_columns!(),
            "FROM listings AS l
             JOIN relationships AS r ON r.relationship_id = l.relationship_id
             JOIN products AS g ON g.product_id = l.product_id ",
            $crate::listings::rows::facts_joins!("l.variant_id"),
            $rest
        )
    };
}
pub(super) use select_judged;

/// A listing with what decides about it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub listing: Listing,
    pub merchant: MerchantId,
    pub title: String,
    pub variant_title: Option<String>,
    pub facts: Facts,
}

#[derive(sqlx::FromRow)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "columns, each of a table of its own"
)]
pub(super) struct FactsRow {
    enabled: bool,
    relationship_status: String,
    status_reason: Option<String>,
    mode: String,
    discount: Option<i32>,
    program_discount: Option<i32>,
    title: String,
    kind: String,
    product_status: String,
    product_listable: bool,
    base_price: i64,
    wholesale_price: Option<i64>,
    has_variants: bool,
    variant_title: Option<String>,
    variant_status: Option<String>,
    variant_base_price: Option<i64>,
    variant_wholesale_price: Option<i64>,
    granted: bool,
    listable: Option<bool>,
    min_resale_price: Option<i64>,
    max_resale_price: Option<i64>,
    price_of_product: Option<i64>,
    price_of_variant: Option<i64>,
}

impl FactsRow {
    /// What decides, where a variant is named or not.
    pub(super) fn facts(&self, names_variant: bool) -> Result<Facts, Error> {
        let relationship = RelationshipStatus::parse(&self.relationship_status);
        Ok(Facts {
            enabled: self.enabled,
            relationship: named(relationship, "relationships.status")?,
            status_reason: self.status_reason.clone(),
            mode: named(Mode::parse(&self.mode), "relationships.mode")?,
            ware: self.ware(names_variant)?,
            access: self.access()?,
            prices: Prices {
                of_variant: price(self.price_of_variant)?,
                of_product: price(self.price_of_product)?,
                base: money(self.variant_base_price.unwrap_or(self.base_price))?,
                discount: percent(self.discount)?,
                program_discount: percent(self.program_discount)?,
                variant_wholesale: price(self.variant_wholesale_price)?,
                product_wholesale: price(self.wholesale_price)?,
            },
        })
    }

    fn ware(&self, names_variant: bool) -> Result<Ware, Error> {
        let status = |text: &str| named(ProductStatus::parse(text), "a product's status");
        let variant = match (self.has_variants, names_variant, &self.variant_status) {
            (false, false, _) => Variant::Without,
            (true, false, _) => Variant::Unnamed,
            (_, true, Some(text)) => Variant::Named(status(text)?),
            // It is none of this product's.
            (_, true, None) => Variant::Named(ProductStatus::Archived),
        };
        Ok(Ware {
            kind: named(ProductKind::parse(&self.kind), "products.kind")?,
            status: status(&self.product_status)?,
            listable: self.product_listable,
            variant,
        })
    }

    fn access(&self) -> Result<Option<Access>, Error> {
        if !self.granted {
            return Ok(None);
        }
        Ok(Some(Access {
            listable: self.listable.unwrap_or_default(),
            min_resale_price: price(self.min_resale_price)?,
            max_resale_price: price(self.max_resale_price)?,
        }))
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    listing_id: Uuid,
    merchant_id: Uuid,
    relationship_id: Uuid,
    product_id: Uuid,
    variant_id: Option<Uuid>,
    price: i64,
    status: String,
    blocked_reason: Option<String>,
    paused: bool,
    note: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[sqlx(flatten)]
    facts: FactsRow,
}

impl TryFrom<Row> for Judged {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let facts = row.facts.facts(row.variant_id.is_some())?;
        Ok(Self {
            facts,
            merchant: MerchantId::from_uuid(row.merchant_id),
            listing: Listing {
                id: ListingId::from_uuid(row.listing_id),
                relationship: RelationshipId::from_uuid(row.relationship_id),
                product: ProductId::from_uuid(row.product_id),
                variant: row.variant_id.map(VariantId::from_uuid),
                price: money(row.price)?,
                state: state(&row.status, row.blocked_reason.as_deref(), row.paused)?,
                note: row.note,
                created_at: row.created_at,
                updated_at: row.updated_at,
            },
            title: row.facts.title,
            variant_title: row.facts.variant_title,
        })
    }
}

fn state(status: &str, reason: Option<&str>, paused: bool) -> Result<State, Error> {
    let status = named(Status::parse(status), "listings.status")?;
    Ok(match status {
        Status::Active => State::Active,
        Status::Paused => State::Paused,
        Status::Archived => State::Archived,
        Status::Blocked => {
            let reason = reason.and_then(Reason::parse);
            let reason = named(reason, "listings.blocked_reason")?;
            State::Blocked { reason, paused }
        }
    })
}

/// The columns of a state: status, reason, and how it is while nothing blocks it.
pub(super) fn columns(state: State) -> (&'static str, Option<&'static str>, bool) {
    let status = state.status().name();
    match state {
        State::Active | State::Archived => (status, None, false),
        State::Paused => (status, None, true),
        State::Blocked { reason, paused } => (status, Some(reason.name()), paused),
    }
}

/// A listing with what decides about it, its row locked until the transaction ends.
pub(super) async fn lock(
    connection: &mut PgConnection,
    id: ListingId,
    of: Option<Of>,
) -> Result<Option<Judged>, Error> {
    let row: Option<Row> = sqlx::query_as(select_judged!(
        "WHERE l.listing_id = $1 AND ($2::uuid IS NULL OR l.merchant_id = $2)
           AND ($3::uuid IS NULL OR l.relationship_id = $3) FOR UPDATE OF l"
    ))
    .bind(id.uuid())
    .bind(of.map(|(merchant, _)| merchant.uuid()))
    .bind(of.map(|(_, relationship)| relationship.uuid()))
    .fetch_optional(connection)
    .await?;
    row.map(Judged::try_from).transpose()
}

/// Stores a listing that is locked.
pub(super) async fn store(
    connection: &mut PgConnection,
    listing: &Listing,
    now: Timestamp,
) -> Result<(), Error> {
    let (status, reason, paused) = columns(listing.state);
    let stored = sqlx::query(
        "UPDATE listings SET price = $2, status = $3, blocked_reason = $4, paused = $5, note = $6,
           updated_at = $7, reviewed_at = $8
         WHERE listing_id = $1",
    )
    .bind(listing.id.uuid())
    .bind(listing.price.minor())
    .bind(status)
    .bind(reason)
    .bind(paused)
    .bind(&listing.note)
    .bind(listing.updated_at)
    .bind(now)
    .execute(connection)
    .await?;
    exactly_one(&stored, "a locked listing")
}
