//! `GET /delivery/{token}`: what was bought. `POST /delivery/{token}/reveal` and `POST /invoice/{token}/reveal`
//! show it.
//!
//! Keeps: a GET shows no serial, because programs open links of mails; what is shown was noted before.

use std::{collections::BTreeMap, fmt::Write as _};

use axum::{
    extract::{Path, State},
    response::Response,
};
use engine::{
    catalog::ProductKind,
    checkout::{Line, Unit, chains, digest},
    ids::SerialId,
};
use persistence::{
    checkout::{self, Bought},
    owned,
};

use super::{
    form::{Customer, Form},
    frame::within,
    invoice,
    look::{page as look, row, said_of, shown},
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
        let widget = bought.widget.clone();
        let page = shown(opened(&app, bought).await);
        Ok(within(&app, widget.as_deref(), page))
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
    let shown = if has_serials(&bought) && bought.invoice.is_delivered() {
        button(&format!("/delivery/{token}/reveal"))
    } else {
        invoice::notice(status)
    };
    body += &shown;
    Ok(look(&merchant.name, title(&bought), &body))
}

/// What a purchase is called.
fn title(bought: &Bought) -> &str {
    match &bought.lines[..] {
        [one] => &one.title,
        _ => "Your purchase",
    }
}

/// Whether there is anything to show, or ever will be.
pub(super) fn has_serials(bought: &Bought) -> bool {
    bought.lines.iter().any(is_shelved)
}

/// Whether serials are delivered for a line, or were.
fn is_shelved(line: &Line) -> bool {
    line.kind == ProductKind::Serials && !line.left_out
}

fn head(bought: &Bought) -> String {
    let lines = match &bought.lines[..] {
        [one] => row("Quantity", &one.quantity.to_string()),
        lines => {
            let lines = lines.iter();
            let lines = lines.map(|line| row(&line.title, &said_of(line, line.quantity)));
            lines.collect()
        }
    };
    let invoice = row("Invoice", &bought.invoice.id.to_string());
    format!("<dl>\n{lines}{invoice}</dl>\n")
}

/// What counts of a unit, and below it what it replaces.
fn chained(chain: &[SerialId], texts: &BTreeMap<SerialId, String>) -> String {
    let mut shown = String::new();
    let mut latest = chain.iter().rev().filter_map(|serial| texts.get(serial));
    if let Some(text) = latest.next() {
        let _written = writeln!(shown, "<pre>{text}</pre>");
    }
    for text in latest {
        let _written = writeln!(
            shown,
            "<p class=\"hint\">It takes the place of <del>{text}</del></p>"
        );
    }
    shown
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
    let mut texts = BTreeMap::new();
    for (unit, sealed) in &sealed {
        let text = merchant.key.open_serial(unit.serial, sealed);
        let text = text.map_err(|_| ApiError::new(Code::InternalError))?;
        texts.insert(unit.serial, escaped(text.expose()));
    }
    let units: Vec<Unit> = sealed.into_iter().map(|(unit, _)| unit).collect();
    let mut body = head(&bought);
    let given = chains(&bought.lines, &units);
    for (line, given) in bought.lines.iter().zip(given) {
        if bought.lines.len() > 1 && is_shelved(line) {
            let _written = writeln!(body, "<h2>{}</h2>", escaped(&line.title));
        }
        for chain in given {
            body += &chained(&chain, &texts);
        }
    }
    body +=
        "<p class=\"hint\">Keep it to yourself. This page shows it again whenever you want.</p>\n";
    Ok(look(&merchant.name, title(&bought), &body))
}
