//! Fulfillments as CSV: streamed, with a header row and without a page limit.
//!
//! Keeps: no serial is in an export; no cell begins with what a spreadsheet would execute.

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use engine::{
    engine::Engine,
    fulfillments::{FulfilledLine, Fulfillment},
    merchants::Merchant,
};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use persistence::fulfillments::list::{self, Filter};

use super::answer;
use crate::{
    auth::ResellerKey,
    state::App,
    wire::{money::MoneyText, time},
};

const HEADER: [&str; 14] = [
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

/// Every fulfillment that passes the filter, newest first.
pub(super) fn export<D>(app: App, caller: &ResellerKey<D>, filter: Option<Filter>) -> Response {
    let (scope, merchant) = (caller.scope(), caller.merchant().clone());
    let database = app.database.clone();
    let found = match filter {
        Some(filter) => list::stream(database, scope, filter).left_stream(),
        None => stream::empty().right_stream(),
    };
    let rows = found.and_then(move |fulfillment| {
        let (engine, merchant) = (app.engine.clone(), merchant.clone());
        async move { Ok(row(cells(&engine, &merchant, &fulfillment).await)) }
    });
    let header = stream::once(async { Ok(row(HEADER.map(str::to_owned))) });
    let body = Body::from_stream(header.chain(rows).map_err(|error| {
        tracing::error!(error = %error, "could not finish an export");
        error
    }));
    let head = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/csv; charset=utf-8"),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"fulfillments.csv\""),
        ),
    ];
    (head, body).into_response()
}

async fn cells(engine: &Engine, merchant: &Merchant, fulfillment: &Fulfillment) -> [String; 14] {
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
        answer::STATUS.to_owned(),
        answer::channel(contents.channel).to_owned(),
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
            .map(|email| email.expose().to_owned())
            .unwrap_or_default(),
        money(stamp.balance_after),
        time::text(stamp.created_at),
    ]
}

/// One row, its cells harmless in a spreadsheet.
fn row<const N: usize>(cells: [String; N]) -> Bytes {
    let mut writer = csv::Writer::from_writer(Vec::with_capacity(256));
    writer
        .write_record(cells.map(harmless))
        .expect("writing to memory");
    Bytes::from(writer.into_inner().expect("writing to memory"))
}

fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_executed() {
        let cells = ["a,b", "=1+1", "-5", "@x", "say \"hi\""].map(str::to_owned);
        assert_eq!(row(cells), "\"a,b\",'=1+1,'-5,'@x,\"say \"\"hi\"\"\"\n");
    }
}
