//! `GET /dev/v1/invoices`: all invoices of a merchant, newest first.

use axum::{extract::State, response::Response};
use engine::{
    clock::Timestamp,
    ids::InvoiceId,
    money::Currency,
    payments::{Invoice, Purpose, Status},
};
use futures_util::TryStreamExt as _;
use persistence::top_ups::{self, Filter};

use super::views;
use crate::{
    auth::{MerchantKey, scope::ResellerSalesRead},
    error::ApiError,
    extract::Query,
    state::App,
    wire::{
        csv::{self, Row},
        money::MoneyText,
        page::{Paging, numbered},
        texts::words,
        time,
    },
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellerSalesRead>,
    query: Query,
) -> Result<Response, ApiError> {
    let (merchant, currency, now) = (caller.merchant_id(), caller.currency(), app.now());
    let paging = Paging::read(&query, &format!("invoices {merchant}"))?;
    let filter = Filter {
        statuses: words(&query, "status", Status::parse)?,
        purposes: words(&query, "purpose", Purpose::parse)?,
    };
    let (db, which) = (&app.database, (filter, now));
    if csv::wanted(&query)? {
        let rows = top_ups::stream_all(db.clone(), merchant, which);
        let row = move |invoice: Invoice| Exported::of(&invoice, currency, now);
        return Ok(csv::answer(rows.map_ok(row)));
    }
    let at = (currency, now);
    match paging {
        Paging::Numbered(page) => {
            let found = top_ups::list_all_numbered(db, merchant, which, page).await?;
            let shown = views(&app, merchant, &found.items, at).await?;
            Ok(numbered(page, shown, found.total))
        }
        Paging::Cursor(page) => {
            let before = page.position(InvoiceId::parse)?;
            let found = top_ups::list_all(db, merchant, which, before, page.limit).await?;
            let next = found.next(|invoice| invoice.id);
            let shown = views(&app, merchant, &found.items, at).await?;
            Ok(page.answer(shown, next))
        }
    }
}

/// One invoice as a row.
struct Exported([String; 10]);

impl Exported {
    fn of(invoice: &Invoice, currency: Currency, now: Timestamp) -> Self {
        let money = |amount| MoneyText(currency, amount).to_string();
        Self([
            invoice.id.to_string(),
            invoice
                .relationship
                .map(|id| id.to_string())
                .unwrap_or_default(),
            invoice.purpose.name().to_owned(),
            invoice.origin.name().to_owned(),
            invoice.status_at(now).name().to_owned(),
            money(invoice.amount),
            money(invoice.received().unwrap_or_default()),
            currency.code().to_owned(),
            invoice.coin.to_string(),
            time::text(invoice.created_at),
        ])
    }
}

impl Row for Exported {
    const DISPOSITION: &'static str = "attachment; filename=\"invoices.csv\"";
    const HEADER: &'static [&'static str] = &[
        "id",
        "reseller_id",
        "purpose",
        "origin",
        "status",
        "amount",
        "received",
        "currency",
        "coin",
        "created_at",
    ];

    fn cells(&self) -> Vec<String> {
        self.0.to_vec()
    }
}
