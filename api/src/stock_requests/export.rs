//! `POST /portal/v1/programs/{rel}/inventory/export`: the available serials of an inventory, in the clear.
//!
//! Keeps: who reads it has just said who it is; it is noted before the first serial leaves, and of each serial
//! before it does. A file that is lost is exported again: the stamps of its items show both.

use std::sync::Arc;

use axum::{
    body::{Body as FileBody, Bytes},
    extract::State,
    http::{HeaderValue, header},
    response::Response,
};
use engine::{
    engine::Engine,
    ids::{ProductId, RelationshipId, StockRequestId},
    merchants::Merchant,
    relationships::RelationshipScope,
    stock_requests::Item,
};
use futures_util::{Stream, TryStreamExt as _, stream};
use persistence::stock_requests::{self, Exporting};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{inventory::merchant_of, shown::title};
use crate::{
    auth::SteppedUp,
    balances::owner::own_scope,
    error::ApiError,
    extract::{Body, PathIds},
    state::App,
    wire::{
        csv::{self, Row},
        fields::Text,
        texts,
    },
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportInventory {
    #[schema(value_type = Option<String>)]
    product_id: Option<Text<ProductId>>,
    #[schema(value_type = Option<String>)]
    stock_request_id: Option<Text<StockRequestId>>,
    /// CSV, or TXT: a serial in each line, and nothing else.
    format: Option<String>,
}

#[derive(Clone, Copy)]
enum Format {
    Csv,
    Txt,
}

/// One item of the file.
struct Exported([String; 6]);

pub(crate) async fn portal(
    State(app): State<App>,
    SteppedUp(caller): SteppedUp,
    PathIds(relationship): PathIds<RelationshipId>,
    Body(wire): Body<ExportInventory>,
) -> Result<Response, ApiError> {
    let (scope, _) = own_scope(&app, &caller, relationship).await?;
    let merchant = merchant_of(&app, scope).await?;
    let format = texts::word(wire.format, "format", |word| match word {
        "CSV" => Some(Format::Csv),
        "TXT" => Some(Format::Txt),
        _ => None,
    })?;
    let wanted = Exporting {
        product: wire.product_id.map(|id| id.0),
        request: wire.stock_request_id.map(|id| id.0),
    };
    stock_requests::exports(&app.database, scope, caller.actor(), app.now()).await?;
    let engine = app.engine.clone();
    let items = items(app, scope, wanted);
    Ok(match format.unwrap_or(Format::Csv) {
        Format::Csv => csv::answer(items.and_then(move |item| {
            let (engine, merchant) = (engine.clone(), Arc::clone(&merchant));
            async move { Exported::of(&engine, &merchant, &item).await }
        })),
        Format::Txt => lines(items.and_then(move |item| {
            let text = clear(&merchant, &item).map(|text| Bytes::from(text + "\n"));
            async move { text }
        })),
    })
}

/// All of them, a few at a time.
fn items(
    app: App,
    scope: RelationshipScope,
    wanted: Exporting,
) -> impl Stream<Item = Result<Item, persistence::Error>> + Send + 'static {
    let pages = stream::try_unfold(Some(0), move |at| {
        let app = app.clone();
        async move {
            let Some(after) = at else {
                return Ok::<_, persistence::Error>(None);
            };
            let (db, now) = (&app.database, app.now());
            let page = stock_requests::export(db, scope, wanted, after, now).await?;
            let items = stream::iter(page.items.into_iter().map(Ok));
            Ok(Some((items, page.next)))
        }
    });
    pages.try_flatten()
}

fn lines(
    lines: impl Stream<Item = Result<Bytes, persistence::Error>> + Send + 'static,
) -> Response {
    let mut response = Response::new(FileBody::from_stream(lines));
    for (name, value) in [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"inventory.txt\"",
        ),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn clear(merchant: &Merchant, item: &Item) -> Result<String, persistence::Error> {
    let opened = merchant.key.open_serial(item.serial, &item.sealed);
    let opened = opened.map_err(|_| persistence::Error::Inconsistent {
        what: "an item does not open",
    })?;
    Ok(opened.expose().to_owned())
}

impl Exported {
    async fn of(
        engine: &Engine,
        merchant: &Merchant,
        item: &Item,
    ) -> Result<Self, persistence::Error> {
        Ok(Self([
            item.serial.inventory_item().to_string(),
            item.request.to_string(),
            item.sku.product.to_string(),
            item.sku
                .variant
                .map(|id| id.to_string())
                .unwrap_or_default(),
            title(engine, item.sku).await.unwrap_or_default(),
            clear(merchant, item)?,
        ]))
    }
}

impl Row for Exported {
    const DISPOSITION: &'static str = "attachment; filename=\"inventory.csv\"";
    const HEADER: &'static [&'static str] = &[
        "id",
        "stock_request_id",
        "product_id",
        "variant_id",
        "product_title",
        "serial",
    ];

    fn cells(&self) -> Vec<String> {
        self.0.to_vec()
    }
}
