//! A row of `connections` and what it becomes.

use engine::{
    catalog::Sku,
    clock::Timestamp,
    connections::{
        Answer, Connection, Custom, Delivers, Digest, Kind, Mapped, Namespace, Paths, Pointer,
        ProductMap, Status,
    },
    ids::{ConnectionId, ProductId, VariantId},
    money::Money,
};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{Error, relationships::rows::named};

/// Every column that an owner is shown; takes the rest of the query, which names the connection `c`.
macro_rules! select_connection {
    ($rest:literal) => {
        concat!(
            "SELECT c.connection_id, c.name, c.kind, c.status, c.namespace, c.product_map, c.custom,
               c.daily_spend_cap, c.old_secret_until, c.last_call_at, c.created_at, c.updated_at
             FROM connections AS c ",
            $rest
        )
    };
}
pub(super) use select_connection;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    connection_id: Uuid,
    name: String,
    kind: String,
    status: String,
    namespace: String,
    product_map: Json<Vec<LineRow>>,
    custom: Option<Json<CustomRow>>,
    daily_spend_cap: i64,
    old_secret_until: Option<Timestamp>,
    last_call_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// One line of a map as it is stored.
#[derive(Serialize, Deserialize)]
pub(super) struct LineRow {
    foreign_product: String,
    foreign_variant: Option<String>,
    product_id: Uuid,
    variant_id: Option<Uuid>,
    factor: u32,
}

/// How calls are read, as it is stored.
#[derive(Serialize, Deserialize)]
pub(super) struct CustomRow {
    signature_header: String,
    digest: String,
    answer: String,
    order_id: String,
    line_id: Option<String>,
    product: String,
    variant: Option<String>,
    quantity: Option<String>,
    customer_email: Option<String>,
    event: Option<String>,
    #[serde(default)]
    event_values: Vec<String>,
}

impl TryFrom<Row> for Connection {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let lines = row.product_map.0.into_iter().map(Mapped::from).collect();
        let custom = row.custom.map(|custom| custom.0.described());
        Ok(Self {
            id: ConnectionId::from_uuid(row.connection_id),
            name: row.name,
            kind: named(Kind::parse(&row.kind), "connections.kind")?,
            status: named(Status::parse(&row.status), "connections.status")?,
            namespace: named(Namespace::parse(&row.namespace), "connections.namespace")?,
            map: named(ProductMap::new(lines).ok(), "connections.product_map")?,
            custom: custom
                .map(|custom| named(custom, "connections.custom"))
                .transpose()?,
            daily_spend_cap: named(
                Money::from_minor(row.daily_spend_cap),
                "connections.daily_spend_cap",
            )?,
            old_secret_until: row.old_secret_until,
            last_call_at: row.last_call_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl From<LineRow> for Mapped {
    fn from(row: LineRow) -> Self {
        Self {
            foreign_product: row.foreign_product,
            foreign_variant: row.foreign_variant,
            sku: Sku {
                product: ProductId::from_uuid(row.product_id),
                variant: row.variant_id.map(VariantId::from_uuid),
            },
            factor: row.factor,
        }
    }
}

/// A map as it is stored.
pub(super) fn lines(map: &ProductMap) -> Json<Vec<LineRow>> {
    let lines = map.lines().iter().map(|line| LineRow {
        foreign_product: line.foreign_product.clone(),
        foreign_variant: line.foreign_variant.clone(),
        product_id: line.sku.product.uuid(),
        variant_id: line.sku.variant.map(VariantId::uuid),
        factor: line.factor,
    });
    Json(lines.collect())
}

impl CustomRow {
    pub(super) fn of(custom: &Custom) -> Json<Self> {
        let text = |pointer: &Pointer| pointer.as_str().to_owned();
        let (paths, delivers) = (&custom.paths, custom.delivers.as_ref());
        Json(Self {
            signature_header: custom.signature_header.clone(),
            digest: custom.digest.name().to_owned(),
            answer: custom.answer.name().to_owned(),
            order_id: text(&paths.order_id),
            line_id: paths.line_id.as_ref().map(text),
            product: text(&paths.product),
            variant: paths.variant.as_ref().map(text),
            quantity: paths.quantity.as_ref().map(text),
            customer_email: paths.customer_email.as_ref().map(text),
            event: delivers.map(|delivers| text(delivers.at())),
            event_values: delivers.map_or(Vec::new(), |delivers| delivers.values().to_vec()),
        })
    }

    fn described(self) -> Option<Custom> {
        let maybe = |text: Option<String>| match text {
            None => Some(None),
            Some(text) => Pointer::parse(&text).map(Some),
        };
        let delivers = match maybe(self.event)? {
            Some(at) => Some(Delivers::new(at, self.event_values)?),
            None => None,
        };
        Some(Custom {
            delivers,
            paths: Paths {
                order_id: Pointer::parse(&self.order_id)?,
                line_id: maybe(self.line_id)?,
                product: Pointer::parse(&self.product)?,
                variant: maybe(self.variant)?,
                quantity: maybe(self.quantity)?,
                customer_email: maybe(self.customer_email)?,
            },
            signature_header: self.signature_header,
            digest: Digest::parse(&self.digest)?,
            answer: Answer::parse(&self.answer)?,
        })
    }
}
