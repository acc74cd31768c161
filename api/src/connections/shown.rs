//! Connections as their resellers see them: everything but the secret.

use engine::{
    connections::{Connection, Custom, Mapped},
    money::{Currency, Money},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::PREFIX;
use crate::wire::{money::MoneyText, time::Time};

/// The wire form of a connection.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = Connection)]
pub(crate) struct ConnectionView {
    id: String,
    uniqid: String,
    name: String,
    kind: &'static str,
    status: &'static str,
    /// Whether its order ids are its own; set when it is made.
    namespace: &'static str,
    /// What the shop is to call.
    callback_url: String,
    product_map: Vec<ProductMapLine>,
    paths: Option<CallPaths>,
    daily_spend_cap: MoneyText,
    // None while the balance cannot tell.
    spent_today: Option<MoneyText>,
    /// Until when the secret before the last rotation is good too.
    old_secret_until: Option<Time>,
    last_call_at: Option<Time>,
    created_at: Time,
    updated_at: Time,
}

/// A connection with its secret, if it was made here; nothing shows it again.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectionWithSecret {
    #[serde(flatten)]
    pub(super) connection: ConnectionView,
    pub(super) secret: Option<String>,
}

/// One line of a product map.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct ProductMapLine {
    foreign_product: String,
    foreign_variant: Option<String>,
    product_id: String,
    variant_id: Option<String>,
    quantity_factor: u32,
}

/// How calls of kind CUSTOM are read, verified and answered.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct CallPaths {
    signature_header: String,
    algorithm: &'static str,
    answer: &'static str,
    order_id: String,
    line_id: Option<String>,
    product: String,
    variant: Option<String>,
    quantity: Option<String>,
    customer_email: Option<String>,
    event: Option<String>,
    event_values: Option<Vec<String>>,
}

/// What the deliveries of today cost, if it is known, and in which currency.
#[derive(Clone, Copy)]
pub(super) struct SpentToday(pub(super) Currency, pub(super) Option<Money>);

impl ConnectionView {
    /// As it is stored, where nobody asks what it spent.
    pub(crate) fn stored(connection: &Connection, origin: &str, currency: Currency) -> Self {
        Self::of(connection, origin, SpentToday(currency, None))
    }

    pub(super) fn of(
        connection: &Connection,
        origin: &str,
        SpentToday(currency, spent): SpentToday,
    ) -> Self {
        let id = connection.id.to_string();
        let lines = connection.map.lines().iter();
        Self {
            uniqid: id.clone(),
            callback_url: format!("{origin}{PREFIX}{id}"),
            id,
            name: connection.name.clone(),
            kind: connection.kind.name(),
            status: connection.status.name(),
            namespace: connection.namespace.name(),
            product_map: lines.map(ProductMapLine::of).collect(),
            paths: connection.custom.as_ref().map(CallPaths::of),
            daily_spend_cap: MoneyText(currency, connection.daily_spend_cap),
            spent_today: spent.map(|spent| MoneyText(currency, spent)),
            old_secret_until: connection.old_secret_until.map(Time),
            last_call_at: connection.last_call_at.map(Time),
            created_at: Time(connection.created_at),
            updated_at: Time(connection.updated_at),
        }
    }
}

impl ProductMapLine {
    fn of(line: &Mapped) -> Self {
        Self {
            foreign_product: line.foreign_product.clone(),
            foreign_variant: line.foreign_variant.clone(),
            product_id: line.sku.product.to_string(),
            variant_id: line.sku.variant.map(|id| id.to_string()),
            quantity_factor: line.factor,
        }
    }
}

impl CallPaths {
    fn of(custom: &Custom) -> Self {
        let text = |pointer: &engine::connections::Pointer| pointer.as_str().to_owned();
        let (paths, delivers) = (&custom.paths, custom.delivers.as_ref());
        Self {
            signature_header: custom.signature_header.clone(),
            algorithm: custom.digest.name(),
            answer: custom.answer.name(),
            order_id: text(&paths.order_id),
            line_id: paths.line_id.as_ref().map(text),
            product: text(&paths.product),
            variant: paths.variant.as_ref().map(text),
            quantity: paths.quantity.as_ref().map(text),
            customer_email: paths.customer_email.as_ref().map(text),
            event: delivers.map(|delivers| text(delivers.at())),
            event_values: delivers.map(|delivers| delivers.values().to_vec()),
        }
    }
}
