//! Fulfillments as rows of a CSV file, without a page limit.
//!
//! Keeps: no serial is in an export.

use std::sync::Arc;

use axum::response::Response;
use engine::{
    engine::Engine,
    fulfillments::{FulfilledLine, Fulfillment},
    merchants::Merchant,
    relationships::RelationshipScope,
};
use futures_util::stream::TryStreamExt;
use persistence::fulfillments::list::{self, Filter};

use super::answer::{Address, channel};
use crate::{
    inventory::trace::masked,
    state::App,
    wire::{
        csv::{self, Row},
        money::MoneyText,
        time,
    },
};

/// One fulfillment.
struct Exported([String; 14]);

impl Row for Exported {
    const DISPOSITION: &'static str = "attachment; filename=\"fulfillments.csv\"";
    const HEADER: &'static [&'static str] = &[
        "id",
        "external_order_id",
        "status",
        "channel",
        "product_id",
        "variant_id",
        "product_title",
        "quantity",
        "unit_price",
        "total",
        "currency",
        "customer_email",
        "balance_after",
        "created_at",
    ];

    fn cells(&self) -> Vec<String> {
        self.0.to_vec()
    }
}

/// Every fulfillment that passes the filter, newest first.
pub(super) fn answer(
    app: App,
    (scope, merchant): (RelationshipScope, Arc<Merchant>),
    address: Address,
    filter: Filter,
) -> Response {
    let database = app.database.clone();
    let found = list::stream(database, scope, filter);
    csv::answer(found.and_then(move |fulfillment| {
        let (engine, merchant) = (app.engine.clone(), merchant.clone());
        async move {
            Ok(Exported(
                cells(&engine, &merchant, address, &fulfillment).await,
            ))
        }
    }))
}

async fn cells(
    engine: &Engine,
    merchant: &Merchant,
    address: Address,
    fulfillment: &Fulfillment,
) -> [String; 14] {
    let (stamp, contents) = (&fulfillment.stamp, &fulfillment.contents);
    let money = |amount| MoneyText(merchant.currency, amount).to_string();
    let single = match contents.lines.as_slice() {
        [line] => Some(line),
        _ => None,
    };
    let product = match single {
        Some(line) => engine.product(line.sku.product).await.ok().flatten(),
        None => None,
    };
    let email = contents.email.as_ref();
    let email = email.and_then(|sealed| merchant.key.open_email(contents.balance, sealed).ok());
    let of_line = |text: &dyn Fn(&FulfilledLine) -> String| single.map(text).unwrap_or_default();
    [
        stamp.id.fulfillment().to_string(),
        contents.order_id.to_string(),
        fulfillment.standing().name().to_owned(),
        channel(contents.channel).to_owned(),
        of_line(&|line| line.sku.product.to_string()),
        of_line(&|line| {
            line.sku
                .variant
                .map(|id| id.to_string())
                .unwrap_or_default()
        }),
        product
            .map(|product| product.title.clone())
            .unwrap_or_default(),
        contents
            .lines
            .iter()
            .map(FulfilledLine::quantity)
            .sum::<u32>()
            .to_string(),
        of_line(&|line| money(line.unit_price)),
        money(contents.total),
        merchant.currency.code().to_owned(),
        email
            .map(|email| match address {
                Address::Whole => email.expose().to_owned(),
                Address::Masked => masked(email.expose()),
            })
            .unwrap_or_default(),
        money(stamp.balance_after),
        time::text(stamp.created_at),
    ]
}
