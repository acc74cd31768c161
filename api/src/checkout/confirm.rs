//! `GET /checkout/{token}`: what a visit is about. `POST` is the customer's yes: the price is frozen and
//! the invoice opens.
//!
//! Keeps: nobody pays a price that was not shown, or for a cart that was not; all of it is reserved or nothing, and what
//! is sold out is said before there is an invoice.

use std::fmt::Write as _;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use engine::{
    catalog::ProductKind,
    checkout::{
        Came, INVOICE_MINUTES, OPEN_OF_ADDRESS_MAX, OPEN_OF_CUSTOMER_MAX, Quote, Refusal, Session,
        SessionStatus, Unsold, address_digest, digest,
    },
    fulfillments::Email,
    ids::{InvoiceId, InvoiceLineId, MerchantId},
    inventory::{Reservation, ReserveCall, Reserved},
    merchants::Merchant,
    payments::{Coin, Method, Pay},
    sales::mailbox,
};
use persistence::{
    checkout::{self, Opened, Opening, OpeningLine, reprice},
    owned, payments as methods,
};

use super::{
    cart::{Lines, more},
    delivery_token,
    form::{Customer, Form, custom_name, not_an_address},
    frame::{of_visit, own_window},
    invoice_path, invoice_token, letters,
    look::{amount, page as look, see_other, with_status},
    session::{not_offered, unsold},
    session_path,
};
use crate::{
    docs::page::escaped,
    error::{ApiError, Code},
    payments::{self, methods::coin},
    state::App,
};

const FIELDS: [&str; 3] = ["email", "coin", SEEN];
/// Which cart it was that the page showed.
const SEEN: &str = "seen";
const CHANGED: &str =
    "What you buy was changed since you saw it. Nothing was bought: look at it again.";
const NOT_SOLD: &str =
    "Something is not on sale any more. Nothing was bought: take it out, or leave it all.";
/// How often a method is asked again that is replaced meanwhile.
const TRIES_MAX: u32 = 5;

pub(crate) async fn page(
    State(app): State<App>,
    Path(token): Path<String>,
    _customer: Customer,
) -> Response {
    of_visit(&app, &token, visit(&app, &token).await).await
}

pub(crate) async fn confirm(
    State(app): State<App>,
    Path(token): Path<String>,
    customer: Customer,
    form: Form,
) -> Response {
    // One task: what is decided is stored, whether or not the customer waits.
    let work = (app.clone(), token.clone());
    let answer = owned(async move { yes(&work.0, &work.1, customer, form).await }).await;
    of_visit(&app, &token, answer).await
}

async fn visit(app: &App, token: &str) -> Result<Response, ApiError> {
    let session = find(app, token).await?;
    match session.status_at(app.now()) {
        SessionStatus::Invoiced | SessionStatus::Expired => ended(app, &session),
        SessionStatus::Open => {
            let lines = Lines::find(app, &session).await?;
            asked(app, &lines, &session, None).await
        }
    }
}

pub(super) async fn find(app: &App, token: &str) -> Result<Session, ApiError> {
    let missing = || ApiError::new(Code::NotFound);
    let token = digest(token).ok_or_else(missing)?;
    let found = checkout::find_session(&app.database, token).await?;
    found.ok_or_else(missing)
}

/// The invoice of a visit that has one; else it is over.
pub(super) fn ended(app: &App, session: &Session) -> Result<Response, ApiError> {
    session
        .invoice
        .map(|invoice| see_other(&invoice_path(app, invoice)))
        .ok_or_else(over)
}

fn over() -> ApiError {
    ApiError::saying(
        Code::Expired,
        "This visit is over. Begin again at the shop.",
    )
}

/// The page on which the customer says yes, at the prices that the visit was shown.
async fn asked(
    app: &App,
    lines: &Lines,
    session: &Session,
    notice: Option<&str>,
) -> Result<Response, ApiError> {
    let merchant = &lines.merchant;
    let action = session_path(app, session.id);
    let total = session.cart.total();
    let total = total.ok_or_else(|| unsold(Unsold::Quantity))?;
    let total = amount(merchant.currency, total);
    let mut body = notice.map_or_else(String::new, |notice| {
        format!(
            "<p class=\"notice\" role=\"alert\">{}</p>\n",
            escaped(notice)
        )
    });
    body += &lines.table(&action);
    let _written = writeln!(body, "<p class=\"total\">{total}</p>");
    let coins = offered(app, merchant.id).await?;
    if coins.is_empty() {
        body += "<p class=\"notice\">This shop takes no payments at the moment.</p>\n";
    } else if lines.quotes().is_some() {
        let email = session.customer.as_ref();
        let email = email.and_then(|sealed| {
            let opened = merchant.key.open_customer(session.id.uuid(), sealed);
            opened.ok()
        });
        let email = email.as_ref().map(engine::vault::Opened::expose);
        let sent = (action.as_str(), session.cart.seen());
        body += &form(lines, &coins, sent, email.unwrap_or_default());
    }
    body += &more(app, session, &action).await?;
    if session.came.is_some_and(Came::is_widget) {
        body += &own_window(&action);
    }
    if let Some(url) = &session.cancel_url {
        let _written = writeln!(
            body,
            "<p class=\"ways\"><a href=\"{}\">Back to the shop</a></p>",
            escaped(url)
        );
    }
    Ok(look(&merchant.name, lines.title(), &body))
}

/// What the customer writes to say yes to the cart that is seen.
fn form(lines: &Lines, coins: &[Method], (action, seen): (&str, String), email: &str) -> String {
    let mut body = format!(
        "<form method=\"post\" action=\"{action}\">\n\
         <input type=\"hidden\" name=\"{SEEN}\" value=\"{seen}\">\n\
         <div class=\"field\"><label for=\"email\">E-mail</label>\n\
         <input id=\"email\" name=\"email\" type=\"email\" autocomplete=\"email\" maxlength=\"254\" \
         required value=\"{}\">\n<p class=\"hint\">Your purchase is sent there.</p></div>\n",
        escaped(email)
    );
    let fields = lines.asked().flat_map(|(ware, before)| {
        let fields = ware.product.custom_fields.iter();
        fields.map(move |field| (&ware.product.title, before.clone(), field))
    });
    for (at, (product, before, field)) in fields.enumerate() {
        let required = if field.required { " required" } else { "" };
        let placeholder = field.placeholder.as_deref().unwrap_or_default();
        let label = if before.is_empty() {
            field.name.clone()
        } else {
            format!("{product}: {}", field.name)
        };
        let _written = writeln!(
            body,
            "<div class=\"field\"><label for=\"field-{at}\">{}</label>\n<input id=\"field-{at}\" \
             name=\"{}\" placeholder=\"{}\" maxlength=\"500\"{required}></div>",
            escaped(&label),
            escaped(&custom_name(&(before + &field.name))),
            escaped(placeholder),
        );
    }
    body += "<fieldset class=\"field\"><legend>Pay with</legend>\n";
    for (at, method) in coins.iter().enumerate() {
        let checked = if at == 0 { " checked" } else { "" };
        let coin = &method.coin;
        let _written = writeln!(
            body,
            "<label class=\"choice\"><input type=\"radio\" name=\"coin\" value=\"{coin}\" \
             required{checked}><span>{coin}</span></label>"
        );
    }
    body + "</fieldset>\n<button type=\"submit\">Buy and see how to pay</button>\n</form>\n"
}

async fn yes(app: &App, token: &str, customer: Customer, form: Form) -> Result<Response, ApiError> {
    form.only(&FIELDS)?;
    let session = find(app, token).await?;
    if session.status_at(app.now()) != SessionStatus::Open {
        return ended(app, &session);
    }
    let lines = Lines::find(app, &session).await?;
    let Some(quotes) = lines.quotes() else {
        let page = asked(app, &lines, &session, Some(NOT_SOLD)).await?;
        return Ok(with_status(page, Code::ProductNotAllowed.status()));
    };
    if !session.cart.is_quoted_by(&quotes) {
        return repriced(app, session, quotes).await;
    }
    if form
        .get(SEEN)
        .is_some_and(|seen| seen != session.cart.seen())
    {
        let page = asked(app, &lines, &session, Some(CHANGED)).await?;
        return Ok(with_status(page, StatusCode::UNPROCESSABLE_ENTITY));
    }
    let said = lines.answers(form.answers()?)?;
    let email = form.email()?.ok_or_else(not_an_address)?;
    let chosen = form.get("coin").map(coin).transpose()?;
    // Each may ask a payment server for an invoice, whether or not one is opened here.
    if !app.yeses.take(&customer.address.to_string(), app.now()) {
        let said = "Too many purchases were begun from here. Try again in a while.";
        return Err(ApiError::saying(Code::RateLimited, said));
    }
    // Anybody may name anybody's address: after a few, only the page says how to pay.
    let mailed = may_mail(app, &email, &customer);
    let mut wanted = Vec::with_capacity(quotes.len());
    for (quote, custom_fields) in quotes.into_iter().zip(said) {
        wanted.push(OpeningLine {
            id: InvoiceLineId::generate(app.now(), &**app.engine.random()),
            quote,
            custom_fields,
        });
    }
    buy(
        app,
        (&lines.merchant, &session),
        (&email, &customer),
        (wanted, chosen, mailed),
    )
    .await
}

/// Opens the invoice, once there is a method that stays what it is while it is asked.
async fn buy(
    app: &App,
    (merchant, session): (&Merchant, &Session),
    who: (&Email, &Customer),
    (lines, chosen, mailed): (Vec<OpeningLine>, Option<Coin>, bool),
) -> Result<Response, ApiError> {
    let total = session.cart.total();
    let total = total.ok_or_else(|| unsold(Unsold::Quantity))?;
    for _ in 0..TRIES_MAX {
        let method = method(app, merchant.id, chosen.as_ref()).await?;
        let opening = opening(app, (merchant, session), (who, lines.clone()), method);
        // Whoever is refused has no payment server asked for anything.
        let reserved = reserve(app, merchant.id, &opening).await?;
        let (db, vault, now) = (&app.database, app.engine.vault(), app.now());
        if !checkout::has_room(db, merchant.id, &opening.customer, now).await? {
            return Err(refused(&Refusal::TooManyOpen));
        }
        let asked = (merchant.currency, total, INVOICE_MINUTES);
        let opening = Opening {
            pay: payments::open(app, &opening.method, asked).await?,
            ..opening
        };
        let what = (who.0, &opening.lines[..], total);
        let announce = mailed.then(|| letters::opened(app, merchant, what));
        let opened = checkout::open(db, vault, opening, (reserved, announce), now).await?;
        match opened.ok_or_else(|| ApiError::new(Code::NotFound))? {
            Opened::Fresh(invoice) => {
                app.mail_queued.notify_one();
                return Ok(see_other(&invoice_path(app, invoice.id)));
            }
            Opened::Again(invoice) => return Ok(see_other(&invoice_path(app, invoice))),
            Opened::Refused(refusal) => return Err(refused(&refusal)),
            Opened::Outdated => {}
        }
    }
    Err(ApiError::new(Code::Overloaded))
}

/// Whether one more mail about an invoice that nobody has paid goes to this address, asked for from this network.
fn may_mail(app: &App, email: &Email, customer: &Customer) -> bool {
    let [to, from] = &app.unasked;
    let (now, network) = (app.now(), customer.address.to_string());
    let (name, domain) = mailbox(email.as_str());
    from.take(&network, now) && to.take(&format!("{name}@{domain}"), now)
}

/// A price is another one than was shown: all are shown, and the customer asked again.
async fn repriced(app: &App, session: Session, quotes: Vec<Quote>) -> Result<Response, ApiError> {
    let cart = reprice(&app.database, session.id, quotes).await?;
    let cart = cart.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let session = Session { cart, ..session };
    let lines = Lines::find(app, &session).await?;
    let notice = "The price has changed since you saw it. Nothing was bought: look at it again.";
    let page = asked(app, &lines, &session, Some(notice)).await?;
    Ok(with_status(page, StatusCode::UNPROCESSABLE_ENTITY))
}

/// The units of all lines, which are nobody else's until the invoice ends, or of none; none of what has no stock.
async fn reserve(
    app: &App,
    merchant: MerchantId,
    opening: &Opening,
) -> Result<Vec<Reservation>, ApiError> {
    let mut reserved = Vec::with_capacity(opening.lines.len());
    // In the order of shelves: of two who want the last of the same, one has all of it.
    let mut lines: Vec<_> = opening.lines.iter().collect();
    lines.sort_unstable_by_key(|line| line.quote.sku);
    for line in lines {
        let quote = &line.quote;
        if quote.kind == ProductKind::Service {
            continue;
        }
        let call = ReserveCall {
            id: line.id.withdrawal(),
            merchant,
            sku: quote.sku,
            quantity: quote.quantity,
        };
        match app.engine.reserve_unpaid(call).await? {
            Reserved::Held(reservation) => reserved.push(reservation),
            // What was reserved of the others is given back with this refusal.
            Reserved::OutOfStock => return Err(sold_out(opening, &quote.title)),
        }
    }
    Ok(reserved)
}

fn sold_out(opening: &Opening, title: &str) -> ApiError {
    let what = match opening.lines.len() {
        1 => "it",
        _ => title,
    };
    ApiError::saying(
        Code::OutOfStock,
        format!("There is not enough of {what} any more. Nothing was bought."),
    )
}

/// The coins in which customers pay: all that the merchant takes.
pub(crate) async fn offered(app: &App, merchant: MerchantId) -> Result<Vec<Method>, ApiError> {
    Ok(methods::list(&app.database, merchant, true).await?)
}

/// How to pay in this coin, or in the first one that is offered.
async fn method(app: &App, merchant: MerchantId, coin: Option<&Coin>) -> Result<Method, ApiError> {
    let offered = offered(app, merchant).await?;
    let found = match coin {
        None => offered.into_iter().next(),
        Some(coin) => offered.into_iter().find(|method| method.coin == *coin),
    };
    found.ok_or_else(coin_not_offered)
}

/// The invoice that is wanted; how it is paid is still to be asked.
fn opening(
    app: &App,
    (merchant, session): (&Merchant, &Session),
    ((email, customer), lines): ((&Email, &Customer), Vec<OpeningLine>),
    method: Method,
) -> Opening {
    let vault = app.engine.vault();
    let id = InvoiceId::generate(app.now(), &**app.engine.random());
    let tokens = [invoice_token(app, id), delivery_token(app, id)];
    let tokens = tokens.map(|token| digest(token.expose()).expect("a token has the form of one"));
    Opening {
        session: session.id,
        invoice: id,
        lines,
        tokens,
        customer: checkout::Customer {
            sealed: merchant.key.seal_customer(id.uuid(), email.as_str()),
            digest: vault.email_fingerprint(merchant.id, email.as_str()),
            email: email.clone(),
            address: address_digest(vault, customer.address),
        },
        method,
        pay: Pay::default(),
    }
}

fn coin_not_offered() -> ApiError {
    ApiError::field("coin", "is not offered by this shop")
}

fn refused(refusal: &Refusal) -> ApiError {
    match refusal {
        Refusal::Over => over(),
        Refusal::NotOffered => not_offered(),
        Refusal::PriceChanged(_) => ApiError::saying(
            Code::PriceChanged,
            "The price has changed since you saw it. Nothing was bought: go back and look again.",
        ),
        Refusal::TooDear => unsold(Unsold::Quantity),
        Refusal::TooManyOpen => ApiError::saying(
            Code::InvalidState,
            format!(
                "{OPEN_OF_CUSTOMER_MAX} invoices of one customer may wait for money, and \
                 {OPEN_OF_ADDRESS_MAX} of one network. Pay one, or wait until one is over."
            ),
        ),
    }
}
