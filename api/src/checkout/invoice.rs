//! `GET /invoice/{token}`: how to pay, and where the invoice stands. `/status` says it to programs.

use std::fmt::Write as _;

use axum::{
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use engine::{
    catalog::ProductKind,
    checkout::digest,
    money::Money,
    payments::{Invoice, Status},
};
use persistence::checkout::{self, Bought};
use serde::Serialize;

use super::{
    delivery::button,
    form::Customer,
    look::{amount, page as look, row, shown},
};
use crate::{
    docs::page::escaped,
    error::{ApiError, Code},
    state::App,
    wire::{answer::Answer, money::MoneyText, time::Time},
};

#[derive(Serialize)]
struct Standing {
    status: &'static str,
    received: MoneyText,
    expires_at: Time,
}

pub(crate) async fn page(
    State(app): State<App>,
    Path(token): Path<String>,
    _customer: Customer,
) -> Response {
    shown(paid_or_not(&app, &token).await)
}

pub(crate) async fn status(
    State(app): State<App>,
    Path(token): Path<String>,
    _customer: Customer,
) -> Result<Response, ApiError> {
    let bought = find(&app, &token).await?;
    let merchant = app.engine.merchant(bought.invoice.merchant).await?;
    let merchant = merchant.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let invoice = &bought.invoice;
    Ok(Answer::ok(Standing {
        status: invoice.status_at(app.now()).name(),
        received: MoneyText(merchant.currency, received(invoice)),
        expires_at: Time(invoice.expires_at),
    })
    .into_response())
}

pub(super) async fn find(app: &App, token: &str) -> Result<Bought, ApiError> {
    let missing = || ApiError::new(Code::NotFound);
    let token = digest(token).ok_or_else(missing)?;
    let found = checkout::by_token(&app.database, token).await?;
    found.ok_or_else(missing)
}

fn received(invoice: &Invoice) -> Money {
    // Beyond the bound nothing was ever taken in.
    invoice.received().unwrap_or_default()
}

async fn paid_or_not(app: &App, token: &str) -> Result<Response, ApiError> {
    let bought = find(app, token).await?;
    let (invoice, line) = (&bought.invoice, &bought.line);
    let merchant = app.engine.merchant(invoice.merchant).await?;
    let merchant = merchant.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let currency = merchant.currency;
    let status = invoice.status_at(app.now());
    let mut body = format!(
        "<p class=\"notice\" role=\"status\">{}</p>\n<dl>\n",
        says(status)
    );
    body += &row("What", &line.title);
    body += &row("Quantity", &line.quantity.to_string());
    body += &row("Price each", &amount(currency, line.unit_price));
    body += &row("Invoice", &invoice.id.to_string());
    if received(invoice) > Money::ZERO {
        body += &row("Received", &amount(currency, received(invoice)));
    }
    if invoice.refunded > Money::ZERO {
        body += &row("Given back", &amount(currency, invoice.refunded));
    }
    body += "</dl>\n";
    let _written = writeln!(
        body,
        "<p class=\"total\">{}</p>",
        amount(currency, invoice.amount)
    );
    if status == Status::Open {
        body += &how_to_pay(invoice);
    }
    if invoice.is_delivered() && line.kind == ProductKind::Serials {
        body += &button(&format!("/invoice/{token}/reveal"));
    }
    let ways = [
        (status == Status::Open, &bought.cancel_url),
        (invoice.is_delivered(), &bought.success_url),
    ];
    for (_, url) in ways.into_iter().filter(|(now, _)| *now) {
        if let Some(url) = url {
            let url = escaped(url);
            let _written = writeln!(
                body,
                "<p class=\"ways\"><a href=\"{url}\">Back to the shop</a></p>"
            );
        }
    }
    Ok(look(&merchant.name, "Your invoice", &body))
}

fn how_to_pay(invoice: &Invoice) -> String {
    let until = invoice.expires_at.format("%H:%M UTC on %-d %B %Y");
    let how = invoice.pay.instructions.as_deref().unwrap_or_default();
    format!(
        "<h2>How to pay in {coin}</h2>\n<pre>{how}</pre>\n\
         <p>Name this invoice with your payment: <code>{id}</code>. It is open until {until}.</p>\n\
         <p class=\"ways\"><a href=\"\">Look whether the payment was seen</a></p>\n",
        coin = invoice.coin,
        how = escaped(how),
        id = invoice.id,
    )
}

pub(super) const fn says(status: Status) -> &'static str {
    match status {
        Status::Open => "Waiting for your payment.",
        Status::Confirming => "Your payment was seen, and is being confirmed.",
        Status::Paid => "Paid. What you bought is on its way.",
        Status::Completed => "Paid and delivered.",
        Status::AwaitingStock => {
            "Paid. There is not enough in stock: it is delivered as soon as there is."
        }
        Status::Expired => {
            "The time to pay is over. If you have paid, your payment still counts; if not, begin again."
        }
        Status::Cancelled => "This invoice was cancelled. Do not pay it.",
        Status::PartiallyRefunded => "Paid and delivered, and a part of it was given back.",
        Status::Refunded => "Paid, and given back: this purchase is over.",
        Status::Disputed => "Paid, and disputed: nothing is decided.",
    }
}
