//! `GET /delivery/{token}`: what was bought. `POST /delivery/{token}/reveal` and `POST /invoice/{token}/reveal`
//! show it.
//!
//! Keeps: a GET shows no serial, because programs open links of mails; what is shown was noted before.

use std::fmt::Write as _;

use axum::{
    extract::{Path, State},
    response::Response,
};
use engine::{catalog::ProductKind, checkout::digest};
use persistence::{
    checkout::{self, Bought},
    owned,
};

use super::{
    form::{Customer, Form},
    invoice,
    look::{page as look, row, shown},
};
use crate::{
    docs::page::escaped,
    error::{ApiError, Code},
    state::App,
};

pub(crate) async fn page(
    State(app): State<App>,
    Path(token): Path<String>,
    _customer: Customer,
) -> Response {
    shown(bought(&app, &token).await)
}

pub(crate) async fn reveal(
    State(app): State<App>,
    Path(token): Path<String>,
    _customer: Customer,
    form: Form,
) -> Response {
    let work = async move {
        form.only(&[])?;
        let bought = find(&app, &token).await?;
        opened(&app, bought).await
    };
    shown(owned(work).await)
}

pub(crate) async fn reveal_by_invoice(
    State(app): State<App>,
    Path(token): Path<String>,
    _customer: Customer,
    form: Form,
) -> Response {
    let work = async move {
        form.only(&[])?;
        let bought = invoice::find(&app, &token).await?;
        opened(&app, bought).await
    };
    shown(owned(work).await)
}

async fn find(app: &App, token: &str) -> Result<Bought, ApiError> {
    let missing = || ApiError::new(Code::NotFound);
    let token = digest(token).ok_or_else(missing)?;
    let found = checkout::by_delivery_token(&app.database, token).await?;
    found.ok_or_else(missing)
}

/// A button that shows what was bought, of this page or of the one above.
pub(super) fn button(action: &str) -> String {
    format!(
        "<form method=\"post\" action=\"{action}\">\n\
         <button type=\"submit\">Show what I bought</button>\n</form>\n"
    )
}

async fn bought(app: &App, token: &str) -> Result<Response, ApiError> {
    let bought = find(app, token).await?;
    let merchant = app.engine.merchant(bought.invoice.merchant).await?;
    let merchant = merchant.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let status = bought.invoice.status_at(app.now());
    let mut body = head(&bought);
    let serials = bought.line.kind == ProductKind::Serials;
    let shown = if serials && bought.invoice.is_delivered() {
        button(&format!("/delivery/{token}/reveal"))
    } else {
        invoice::notice(status)
    };
    body += &shown;
    Ok(look(&merchant.name, &bought.line.title, &body))
}

fn head(bought: &Bought) -> String {
    let quantity = row("Quantity", &bought.line.quantity.to_string());
    let invoice = row("Invoice", &bought.invoice.id.to_string());
    format!("<dl>\n{quantity}{invoice}</dl>\n")
}

async fn opened(app: &App, bought: Bought) -> Result<Response, ApiError> {
    let merchant = app.engine.merchant(bought.invoice.merchant).await?;
    let merchant = merchant.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let sealed = checkout::reveal(&app.database, &bought.invoice, app.now()).await?;
    if sealed.is_empty() {
        return Err(ApiError::saying(
            Code::InvalidState,
            "There is nothing to show yet.",
        ));
    }
    let mut body = head(&bought);
    for (serial, sealed) in &sealed {
        let text = merchant.key.open_serial(*serial, sealed);
        let text = text.map_err(|_| ApiError::new(Code::InternalError))?;
        let _written = writeln!(body, "<pre>{}</pre>", escaped(text.expose()));
    }
    body +=
        "<p class=\"hint\">Keep it to yourself. This page shows it again whenever you want.</p>\n";
    Ok(look(&merchant.name, &bought.line.title, &body))
}
