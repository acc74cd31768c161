//! `GET /checkout/{token}`: what a visit is about. `POST` is the customer's yes: the price is frozen and
//! the invoice opens.
//!
//! Keeps: nobody pays a price that was not shown; what is sold out is said before there is an invoice.

use std::fmt::Write as _;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use engine::{
    catalog::ProductKind,
    checkout::{
        INVOICE_MINUTES, OPEN_OF_ADDRESS_MAX, OPEN_OF_CUSTOMER_MAX, Quote, Refusal, Session,
        SessionStatus, address_digest, answers, digest,
    },
    fulfillments::Email,
    ids::{InvoiceId, InvoiceLineId, MerchantId},
    inventory::{Reservation, ReserveCall, Reserved},
    payments::{Coin, Method, Pay},
    sales::mailbox,
};
use persistence::{
    checkout::{self, Opened, Opening, reprice},
    owned, payments as methods,
};

use super::{
    delivery_token,
    form::{Customer, Form, custom_name, not_an_address},
    invoice_path, invoice_token, letters,
    look::{amount, page as look, row, see_other, shown, with_status},
    session::{Ware, not_offered},
    session_path,
};
use crate::{
    docs::page::escaped,
    error::{ApiError, Code},
    payments::{self, methods::coin},
    state::App,
};

const FIELDS: [&str; 2] = ["email", "coin"];
/// How often a method is asked again that is replaced meanwhile.
const TRIES_MAX: u32 = 5;

pub(crate) async fn page(
    State(app): State<App>,
    Path(token): Path<String>,
    _customer: Customer,
) -> Response {
    shown(visit(&app, &token).await)
}

pub(crate) async fn confirm(
    State(app): State<App>,
    Path(token): Path<String>,
    customer: Customer,
    form: Form,
) -> Response {
    // One task: what is decided is stored, whether or not the customer waits.
    shown(owned(async move { yes(&app, &token, customer, form).await }).await)
}

async fn visit(app: &App, token: &str) -> Result<Response, ApiError> {
    let session = find(app, token).await?;
    match session.status_at(app.now()) {
        SessionStatus::Invoiced | SessionStatus::Expired => ended(app, &session),
        SessionStatus::Open => {
            let ware = Ware::find(app, session.sku.product).await?;
            let wanted = (session.sku, session.quantity);
            let quote = ware.quote_for(app, session.came, wanted).await?;
            asked(app, &ware, &session, (&quote, None)).await
        }
    }
}

async fn find(app: &App, token: &str) -> Result<Session, ApiError> {
    let missing = || ApiError::new(Code::NotFound);
    let token = digest(token).ok_or_else(missing)?;
    let found = checkout::find_session(&app.database, token).await?;
    found.ok_or_else(missing)
}

/// The invoice of a visit that has one; else it is over.
fn ended(app: &App, session: &Session) -> Result<Response, ApiError> {
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

/// The page on which the customer says yes, at the price that the visit was shown.
async fn asked(
    app: &App,
    ware: &Ware,
    session: &Session,
    (quote, notice): (&Quote, Option<&str>),
) -> Result<Response, ApiError> {
    let merchant = &ware.merchant;
    let currency = merchant.currency;
    let total = session.unit_price.checked_mul(session.quantity);
    let total = amount(currency, total.unwrap_or(quote.total));
    let mut body = notice.map_or_else(String::new, |notice| {
        format!(
            "<p class=\"notice\" role=\"alert\">{}</p>\n",
            escaped(notice)
        )
    });
    body += "<dl>\n";
    body += &row("Quantity", &session.quantity.to_string());
    body += &row("Price each", &amount(currency, session.unit_price));
    body += "</dl>\n";
    let _written = writeln!(body, "<p class=\"total\">{total}</p>");
    let coins = offered(app, ware.merchant.id).await?;
    if coins.is_empty() {
        body += "<p class=\"notice\">This shop takes no payments at the moment.</p>\n";
    } else {
        let email = session.customer.as_ref();
        let email = email.and_then(|sealed| {
            let opened = merchant.key.open_customer(session.id.uuid(), sealed);
            opened.ok()
        });
        let email = email.as_ref().map(engine::vault::Opened::expose);
        let to = session_path(app, session.id);
        body += &form((&to, ware), &coins, email.unwrap_or_default());
    }
    if let Some(url) = &session.cancel_url {
        let _written = writeln!(
            body,
            "<p class=\"ways\"><a href=\"{}\">Back to the shop</a></p>",
            escaped(url)
        );
    }
    Ok(look(&merchant.name, &quote.title, &body))
}

fn form((to, ware): (&str, &Ware), coins: &[Method], email: &str) -> String {
    let mut body = format!(
        "<form method=\"post\" action=\"{to}\">\n<div class=\"field\"><label for=\"email\">E-mail</label>\n\
         <input id=\"email\" name=\"email\" type=\"email\" autocomplete=\"email\" maxlength=\"254\" \
         required value=\"{}\">\n<p class=\"hint\">Your purchase is sent there.</p></div>\n",
        escaped(email)
    );
    for (at, field) in ware.product.custom_fields.iter().enumerate() {
        let required = if field.required { " required" } else { "" };
        let placeholder = field.placeholder.as_deref().unwrap_or_default();
        let _written = writeln!(
            body,
            "<div class=\"field\"><label for=\"field-{at}\">{}</label>\n<input id=\"field-{at}\" \
             name=\"{}\" placeholder=\"{}\" maxlength=\"500\"{required}></div>",
            escaped(&field.name),
            escaped(&custom_name(&field.name)),
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
    let ware = Ware::find(app, session.sku.product).await?;
    let wanted = (session.sku, session.quantity);
    let quote = ware.quote_for(app, session.came, wanted).await?;
    if quote.unit_price != session.unit_price {
        return repriced(app, &ware, session, quote).await;
    }
    let said = answers(&ware.product, form.answers()?);
    let said = said
        .map_err(|name| ApiError::field(custom_name(&name), "is not what the product asks for"))?;
    let email = form.email()?.ok_or_else(not_an_address)?;
    let chosen = form.get("coin").map(coin).transpose()?;
    // Anybody may name anybody's address: after a few, only the page says how to pay.
    let mailed = may_mail(app, &email, &customer);
    for _ in 0..TRIES_MAX {
        let method = method(app, &ware, chosen.as_ref()).await?;
        let who = (&email, &customer);
        let opening = opening(app, (&ware, &session), (who, quote.clone()), method);
        // Whoever is refused has no payment server asked for anything.
        let reserved = reserve(app, &ware, &opening).await?;
        let (db, vault, now) = (&app.database, app.engine.vault(), app.now());
        if !checkout::has_room(db, ware.merchant.id, &opening.customer, now).await? {
            return Err(refused(&Refusal::TooManyOpen));
        }
        let asked = (ware.merchant.currency, quote.total, INVOICE_MINUTES);
        let opening = Opening {
            custom_fields: said.clone(),
            pay: payments::open(app, &opening.method, asked).await?,
            ..opening
        };
        let announce = mailed.then(|| letters::opened(app, &ware.merchant, (&email, &quote)));
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

/// The price is another one than was shown: it is shown, and the customer asked again.
async fn repriced(
    app: &App,
    ware: &Ware,
    session: Session,
    quote: Quote,
) -> Result<Response, ApiError> {
    reprice(&app.database, session.id, quote.unit_price).await?;
    let session = Session {
        unit_price: quote.unit_price,
        ..session
    };
    let notice = "The price has changed since you saw it. Nothing was bought: look at it again.";
    let page = asked(app, ware, &session, (&quote, Some(notice))).await?;
    Ok(with_status(page, StatusCode::UNPROCESSABLE_ENTITY))
}

/// The units, which are nobody else's until the invoice ends; none of what has no stock.
async fn reserve(
    app: &App,
    ware: &Ware,
    opening: &Opening,
) -> Result<Option<Reservation>, ApiError> {
    if ware.product.kind == ProductKind::Service {
        return Ok(None);
    }
    let call = ReserveCall {
        id: opening.line.withdrawal(),
        merchant: ware.merchant.id,
        sku: opening.quote.sku,
        quantity: opening.quote.quantity,
    };
    match app.engine.reserve_unpaid(call).await? {
        Reserved::Held(reservation) => Ok(Some(reservation)),
        Reserved::OutOfStock => Err(ApiError::saying(
            Code::OutOfStock,
            "There is not enough of it any more. Nothing was bought.",
        )),
    }
}

/// The coins in which customers pay: all that the merchant takes.
pub(crate) async fn offered(app: &App, merchant: MerchantId) -> Result<Vec<Method>, ApiError> {
    Ok(methods::list(&app.database, merchant, true).await?)
}

/// How to pay in this coin, or in the first one that is offered.
async fn method(app: &App, ware: &Ware, coin: Option<&Coin>) -> Result<Method, ApiError> {
    let offered = offered(app, ware.merchant.id).await?;
    let found = match coin {
        None => offered.into_iter().next(),
        Some(coin) => offered.into_iter().find(|method| method.coin == *coin),
    };
    found.ok_or_else(coin_not_offered)
}

/// The invoice that is wanted; how it is paid is still to be asked.
fn opening(
    app: &App,
    (ware, session): (&Ware, &Session),
    ((email, customer), quote): ((&Email, &Customer), Quote),
    method: Method,
) -> Opening {
    let (merchant, vault, random) = (&ware.merchant, app.engine.vault(), &**app.engine.random());
    let id = InvoiceId::generate(app.now(), random);
    let tokens = [invoice_token(app, id), delivery_token(app, id)];
    let tokens = tokens.map(|token| digest(token.expose()).expect("a token has the form of one"));
    Opening {
        session: session.id,
        invoice: id,
        line: InvoiceLineId::generate(app.now(), random),
        tokens,
        quote,
        custom_fields: std::collections::BTreeMap::new(),
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
        Refusal::TooManyOpen => ApiError::saying(
            Code::InvalidState,
            format!(
                "{OPEN_OF_CUSTOMER_MAX} invoices of one customer may wait for money, and \
                 {OPEN_OF_ADDRESS_MAX} of one network. Pay one, or wait until one is over."
            ),
        ),
    }
}
