//! `GET /checkout/p/{product}`: a product at its price. `POST` begins a visit.

use axum::{
    extract::{Path, State},
    response::Response,
};
use engine::{
    catalog::{Product, ProductKind, Status},
    checkout::{Came, QUANTITY_MAX, Quote},
    ids::ProductId,
    money::{Currency, Money},
};
use std::fmt::Write as _;

use super::{
    form::{Customer, Form},
    look::{amount, page as look, shown},
    product_path,
    session::{Ware, sku, visit},
};
use crate::{
    docs::page::escaped,
    error::{ApiError, Code},
    state::App,
};

const FIELDS: [&str; 4] = ["product_id", "variant_id", "quantity", "email"];
const SOLD_OUT: &str =
    "<p class=\"notice\" role=\"status\">This is sold out. Look again later.</p>\n";

pub(crate) async fn page(
    State(app): State<App>,
    Path(id): Path<String>,
    _customer: Customer,
) -> Response {
    shown(product(&app, &id).await)
}

pub(crate) async fn begin(
    State(app): State<App>,
    Path(id): Path<String>,
    customer: Customer,
    form: Form,
) -> Response {
    shown(asked(&app, &id, &customer, &form).await)
}

async fn product(app: &App, id: &str) -> Result<Response, ApiError> {
    let ware = find(app, id).await?;
    let (product, merchant) = (&ware.product, &ware.merchant);
    let sold: Vec<_> = product
        .skus()
        .filter_map(|sku| ware.quote(sku, 1).ok())
        .collect();
    if sold.is_empty() {
        return Err(ApiError::saying(
            Code::ProductNotAllowed,
            "This is not on sale at the moment.",
        ));
    }
    let mut stocked = product.kind == ProductKind::Service;
    for quote in &sold {
        stocked = stocked || app.engine.stock(merchant.id, quote.sku).await?.available > 0;
    }
    let body = if stocked {
        form(
            &product_path(product.id),
            &choice(product, merchant.currency),
        )
    } else {
        SOLD_OUT.to_owned()
    };
    Ok(look(&merchant.name, &product.title, &body))
}

/// The product with an id of the path, or 404.
async fn find(app: &App, id: &str) -> Result<Ware, ApiError> {
    let id = ProductId::parse(id).ok_or_else(|| ApiError::new(Code::NotFound))?;
    Ware::find(app, id).await
}

fn choice(product: &Product, currency: Currency) -> String {
    if product.variants.is_empty() {
        price(currency, product.base_price)
    } else {
        variants(product, currency)
    }
}

/// One kind of a product at the price that is asked for it, with the form with which a visit begins, and what stands
/// beside it.
pub(super) async fn one(
    app: &App,
    ware: &Ware,
    (quote, beside): (&Quote, &str),
    sent: &Sent,
) -> Result<Response, ApiError> {
    let merchant = &ware.merchant;
    let stocked = quote.kind == ProductKind::Service
        || app.engine.stock(merchant.id, quote.sku).await?.available > 0;
    let body = if stocked {
        let price = price(merchant.currency, quote.unit_price);
        form(&sent.to, &(sent.hidden() + &price))
    } else {
        SOLD_OUT.to_owned()
    };
    Ok(look(&merchant.name, &quote.title, &(body + beside)))
}

/// What is asked for a unit.
fn price(currency: Currency, price: Money) -> String {
    format!("<p class=\"total\">{}</p>\n", amount(currency, price))
}

/// What a form says of itself beside what the customer writes: where it is sent, and what stands in its page's
/// address, because a change takes everything from its body.
pub(super) struct Sent {
    pub(super) to: String,
    pub(super) fields: Vec<(&'static str, String)>,
}

impl Sent {
    /// The address of its page, as it is written in HTML.
    pub(super) fn page(&self) -> String {
        let fields = self.fields.iter();
        let fields = fields.map(|(name, value)| format!("{name}={value}"));
        let query = fields.collect::<Vec<_>>().join("&");
        escaped(&format!("{}?{query}", self.to))
    }

    fn hidden(&self) -> String {
        let mut inputs = String::new();
        for (name, value) in &self.fields {
            let value = escaped(value);
            let _written = writeln!(
                inputs,
                "<input type=\"hidden\" name=\"{name}\" value=\"{value}\">"
            );
        }
        inputs
    }
}

/// The form with which a visit begins, below what is chosen by it. It names where it is sent: the page's own address
/// may have a query, which a change has not.
fn form(to: &str, choice: &str) -> String {
    let action = escaped(to);
    format!(
        "<form method=\"post\" action=\"{action}\">\n{choice}\
         <div class=\"field\"><label for=\"quantity\">Quantity</label>\n\
         <input id=\"quantity\" name=\"quantity\" type=\"number\" inputmode=\"numeric\" value=\"1\" \
         min=\"1\" max=\"{QUANTITY_MAX}\" required></div>\n\
         <div class=\"field\"><label for=\"email\">E-mail</label>\n\
         <input id=\"email\" name=\"email\" type=\"email\" autocomplete=\"email\" maxlength=\"254\" \
         required>\n<p class=\"hint\">Your purchase is sent there.</p></div>\n\
         <button type=\"submit\">Continue</button>\n</form>\n"
    )
}

fn variants(product: &Product, currency: Currency) -> String {
    let sold = product.variants.iter();
    let sold = sold.filter(|variant| variant.status == Status::Active);
    let mut choices = String::new();
    for (at, variant) in sold.enumerate() {
        let checked = if at == 0 { " checked" } else { "" };
        let (title, price) = (
            escaped(&variant.title),
            amount(currency, variant.base_price),
        );
        let _written = writeln!(
            choices,
            "<label class=\"choice\"><input type=\"radio\" name=\"variant_id\" value=\"{}\" \
             required{checked}><span>{title} · {price}</span></label>",
            variant.id
        );
    }
    format!("<fieldset class=\"field\"><legend>Choose</legend>\n{choices}</fieldset>\n")
}

async fn asked(
    app: &App,
    id: &str,
    customer: &Customer,
    form: &Form,
) -> Result<Response, ApiError> {
    form.only(&FIELDS)?;
    let ware = find(app, id).await?;
    if form.get("product_id").is_some_and(|named| named != id) {
        return Err(ApiError::field("product_id", "is another product"));
    }
    let wanted = (
        sku(ware.product.id, form.get("variant_id")),
        customer.clicked.map(Came::Link),
    );
    visit(app, (customer, form), &ware, wanted).await
}
