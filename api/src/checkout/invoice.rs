//! `GET /invoice/{token}`: how to pay, and where the invoice stands. `/status` says it to programs.
//!
//! Keeps: as long as there is news to wait for, the browser asks again by itself, without a script.

use std::fmt::Write as _;

use axum::{
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use chrono::TimeDelta;
use engine::{
    checkout::{Line, digest},
    money::{Currency, Money},
    payments::{Coin, Deposit, Invoice, ProviderKind, Status},
};
use persistence::checkout::{self, Bought};
use serde::Serialize;

use super::{
    delivery::{button, has_serials},
    form::Customer,
    frame::{own_window, within},
    look::{amount, page as look, row, said_of, shown},
    qr,
};
use crate::{
    docs::page::escaped,
    error::{ApiError, Code},
    state::App,
    wire::{answer::Answer, money::MoneyText, time::Time},
};

/// When a browser asks again, in seconds.
const AGAIN: HeaderValue = HeaderValue::from_static("30");

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
    let invoice = &bought.invoice;
    let merchant = app.engine.merchant(invoice.merchant).await?;
    let merchant = merchant.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let currency = merchant.currency;
    let status = invoice.status_at(app.now());
    let mut body = notice(status) + "<dl>\n";
    body += &what(&bought.lines, currency);
    body += &row("Invoice", &invoice.id.to_string());
    if received(invoice) > Money::ZERO {
        body += &row("Received", &amount(currency, received(invoice)));
        body += &beside(invoice, currency);
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
    if matches!(status, Status::Open | Status::Underpaid) {
        body += &how_to_pay(invoice, currency, invoice.expires_at - app.now());
    }
    if invoice.is_delivered() && has_serials(&bought) {
        body += &button(&format!("/invoice/{token}/reveal"));
    }
    let ways = [
        (
            matches!(status, Status::Open | Status::Expired | Status::Cancelled),
            &bought.cancel_url,
        ),
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
    if bought.widget.is_some() {
        body += &own_window(&format!("/invoice/{token}"));
    }
    let page = look(&merchant.name, "Your invoice", &body);
    let mut page = within(app, bought.widget.as_deref(), page);
    if is_about_to_change(status) {
        page.headers_mut().insert(header::REFRESH, AGAIN);
    }
    Ok(page)
}

/// Whether somebody who looks waits for what comes next.
const fn is_about_to_change(status: Status) -> bool {
    match status {
        Status::Open | Status::Confirming | Status::Underpaid | Status::Paid => true,
        Status::Completed
        | Status::AwaitingStock
        | Status::Expired
        | Status::Cancelled
        | Status::PartiallyRefunded
        | Status::Refunded
        | Status::Disputed => false,
    }
}

/// What is bought, at which price.
fn what(lines: &[Line], currency: Currency) -> String {
    if let [one] = lines {
        let quantity = row("Quantity", &one.quantity.to_string());
        let price = row("Price each", &amount(currency, one.unit_price));
        return row("What", &one.title) + &quantity + &price;
    }
    let lines = lines.iter().map(|line| {
        let price = amount(currency, line.unit_price);
        row(
            &line.title,
            &said_of(line, format_args!("{} x {price}", line.quantity)),
        )
    });
    lines.collect()
}

/// What is missing of the price, or was paid beyond it.
fn beside(invoice: &Invoice, currency: Currency) -> String {
    let missing = invoice.missing();
    let beyond = received(invoice).checked_sub(invoice.amount);
    let beyond = beyond.unwrap_or_default();
    if beyond > Money::ZERO {
        return row("Paid beyond the price", &amount(currency, beyond));
    }
    if missing > Money::ZERO && invoice.paid_at.is_none() {
        return row("Missing", &amount(currency, missing));
    }
    String::new()
}

/// What leads away opens in a window of its own: here the page looks for the payment, and a frame could not show it.
fn how_to_pay(invoice: &Invoice, currency: Currency, left: TimeDelta) -> String {
    let until = invoice.expires_at.format("%H:%M UTC on %-d %B %Y");
    let (coin, pay, missing) = (&invoice.coin, &invoice.pay, invoice.missing());
    let left = time_left(left);
    let mut body = format!(
        "<h2>How to pay in {coin}</h2>\n\
         <p><strong>{left}</strong>: this invoice is open until {until}.</p>\n"
    );
    if let Some(how) = &pay.instructions {
        let _written = writeln!(body, "<pre>{}</pre>", escaped(how));
    }
    if let Some(deposit) = &pay.deposit {
        body += &transfer(deposit, (missing, currency), coin);
    }
    if let Some(hosted) = &pay.hosted {
        let url = escaped(&hosted.url);
        let _written = writeln!(
            body,
            "<p class=\"ways\"><a href=\"{url}\" target=\"_blank\" rel=\"noopener noreferrer\">Pay in {coin}</a></p>"
        );
    }
    if invoice.provider == ProviderKind::Manual {
        let _written = writeln!(
            body,
            "<p>Name this invoice with your payment: <code>{}</code>.</p>",
            invoice.id
        );
    }
    body + "<p class=\"ways\"><a href=\"\">Look whether the payment was seen</a></p>\n\
            <p class=\"hint ways\">This page looks by itself every half a minute.</p>\n"
}

/// How long an invoice is open still; of what is long, no more than matters.
fn time_left(left: TimeDelta) -> String {
    let (hours, minutes) = (left.num_hours(), left.num_minutes());
    match (hours, minutes) {
        (2.., _) => format!("{hours} hours left"),
        (_, 2..) => format!("{minutes} minutes left"),
        (_, 1) => "1 minute left".to_owned(),
        _ => "Less than a minute left".to_owned(),
    }
}

/// What to send where: what goes elsewhere is lost, so the network is named twice.
fn transfer(deposit: &Deposit, (missing, currency): (Money, Currency), coin: &Coin) -> String {
    let (token, address) = (&deposit.token, deposit.address);
    let network = escaped(&token.network);
    let sent = MoneyText(currency, missing);
    let link = deposit.link(missing, currency);
    let read = link.clone().unwrap_or_else(|| address.to_string());
    let mut body = qr::picture(&read).unwrap_or_default();
    body += "<dl>\n";
    body += &row("Send exactly", &format!("{sent} {coin}"));
    body += &row("On the network", &token.network);
    body += &row("Token", &token.contract.to_string());
    let _written = writeln!(
        body,
        "</dl>\n<p>to the address</p>\n<pre>{address}</pre>\n\
         <p class=\"hint\">Only this token on the network {network} arrives there.</p>"
    );
    if let Some(link) = link {
        let link = escaped(&link);
        let _written = writeln!(
            body,
            "<p class=\"ways\"><a href=\"{link}\" target=\"_blank\" rel=\"noopener\">Open in a wallet</a></p>"
        );
    }
    body
}

/// Where an invoice stands, and whether that is good, over, or asks for something.
pub(super) fn notice(status: Status) -> String {
    let tone = match status {
        Status::Paid | Status::Completed => " good",
        Status::Expired | Status::Cancelled | Status::PartiallyRefunded | Status::Refunded => {
            " over"
        }
        Status::Open
        | Status::Confirming
        | Status::Underpaid
        | Status::AwaitingStock
        | Status::Disputed => "",
    };
    let said = says(status);
    format!("<p class=\"notice{tone}\" role=\"status\">{said}</p>\n")
}

const fn says(status: Status) -> &'static str {
    match status {
        Status::Open => "Waiting for your payment.",
        Status::Confirming => "Your payment was seen, and is being confirmed.",
        Status::Underpaid => {
            "A part of your payment arrived. Send the rest as long as this invoice is open."
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_is_left_is_said_in_what_matters() {
        for (seconds, said) in [
            (-5, "Less than a minute left"),
            (59, "Less than a minute left"),
            (60, "1 minute left"),
            (119, "1 minute left"),
            (3600, "60 minutes left"),
            (7199, "119 minutes left"),
            (7200, "2 hours left"),
            (86_399, "23 hours left"),
        ] {
            assert_eq!(time_left(TimeDelta::seconds(seconds)), said, "{seconds}");
        }
    }
}
