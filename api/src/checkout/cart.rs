//! What is in the cart of a visit, and what else its context sells. `POST /checkout/{token}/cart` changes quantities or
//! takes a line away, `POST /checkout/{token}/add` adds one.
//!
//! Keeps: what a browser names is looked for in what the visit's own row may be sold, and everything else of it is
//! read here: a visit for a listing is for nothing else, one from a widget for what its campaign sells now, any
//! other for what its merchant has on sale.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use axum::{
    extract::{Path, State},
    response::Response,
};
use engine::{
    catalog::Sku,
    checkout::{
        Came, Change, Item, LINES_MAX, QUANTITY_MAX, Quote, Session, SessionStatus, Uncartable,
    },
    ids::{ProductId, VariantId},
    merchants::Merchant,
    money::Money,
};
use persistence::{
    campaigns::{self, Offered},
    checkout, owned,
};

use super::{
    confirm::{ended, find},
    form::{Customer, Form, custom_name},
    frame::of_visit,
    look::{amount, see_other},
    session::{Ware, not_offered},
    session_path,
};
use crate::{
    docs::page::escaped,
    error::{ApiError, Code},
    state::App,
};

const REMOVE: &str = "remove";
const PRODUCT: &str = "product";
const ADDED: [&str; 2] = [PRODUCT, "quantity"];

/// A line of a visit, with what it costs at this moment, or why it is not sold.
pub(super) struct Line {
    pub(super) item: Item,
    found: Result<(Ware, Quote), ApiError>,
}

/// The lines of a visit, one at least.
pub(super) struct Lines {
    pub(super) merchant: Arc<Merchant>,
    pub(super) lines: Vec<Line>,
}

pub(crate) async fn change(
    State(app): State<App>,
    Path(token): Path<String>,
    _customer: Customer,
    form: Form,
) -> Response {
    let work = changed(app.clone(), token.clone(), form);
    of_visit(&app, &token, owned(work).await).await
}

pub(crate) async fn add(
    State(app): State<App>,
    Path(token): Path<String>,
    _customer: Customer,
    form: Form,
) -> Response {
    let work = added(app.clone(), token.clone(), form);
    of_visit(&app, &token, owned(work).await).await
}

impl Lines {
    /// Of a visit for one thing that is not sold, why not; of one with others beside it, that line says so.
    pub(super) async fn find(app: &App, session: &Session) -> Result<Self, ApiError> {
        let merchant = app.engine.merchant(session.merchant).await?;
        let merchant = merchant.ok_or_else(|| ApiError::new(Code::NotFound))?;
        let items = session.cart.items();
        let mut lines = Vec::with_capacity(items.len());
        for item in items {
            match sold(app, session.came, item).await {
                Err(error) if items.len() == 1 || !is_unsold(&error) => return Err(error),
                found => lines.push(Line { item: *item, found }),
            }
        }
        Ok(Self { merchant, lines })
    }

    /// What all of it costs, line by line; none if something in it is not sold.
    pub(super) fn quotes(&self) -> Option<Vec<Quote>> {
        let quotes = self.lines.iter().map(Line::quote);
        quotes.map(Option::<&Quote>::cloned).collect()
    }

    /// What the page of the visit is called.
    pub(super) fn title(&self) -> &str {
        match &self.lines[..] {
            [one] => one.title(),
            _ => "Your cart",
        }
    }

    /// What the merchant wants to know, line by line: where several ask, each under its number.
    pub(super) fn asked(&self) -> impl Iterator<Item = (&Ware, String)> {
        let several = self.lines.len() > 1;
        let lines = self.lines.iter().enumerate();
        lines.filter_map(move |(at, line)| {
            let (ware, _) = line.found.as_ref().ok()?;
            let before = if several {
                format!("{}: ", at + 1)
            } else {
                String::new()
            };
            Some((ware, before))
        })
    }

    /// What the customer said to each line.
    pub(super) fn answers(
        &self,
        mut said: BTreeMap<String, String>,
    ) -> Result<Vec<BTreeMap<String, String>>, ApiError> {
        let wrong =
            |name: String| ApiError::field(custom_name(&name), "is not what the product asks for");
        let mut answers = Vec::with_capacity(self.lines.len());
        for (ware, before) in self.asked() {
            let own = |name: &String| name.strip_prefix(&before).map(str::to_owned);
            let named: Vec<_> = said
                .keys()
                .filter(|name| own(name).is_some())
                .cloned()
                .collect();
            let of_line = named.into_iter().filter_map(|name| {
                let value = said.remove(&name)?;
                Some((own(&name)?, value))
            });
            let of_line = engine::checkout::answers(&ware.product, of_line.collect());
            answers.push(of_line.map_err(|name| wrong(before.clone() + &name))?);
        }
        match said.into_keys().next() {
            Some(name) => Err(wrong(name)),
            None => Ok(answers),
        }
    }

    /// The lines, with what can be changed of them.
    pub(super) fn table(&self, action: &str) -> String {
        let several = self.lines.len() > 1;
        let currency = self.merchant.currency;
        let mut body = format!("<form method=\"post\" action=\"{action}/cart\">\n");
        for (at, line) in self.lines.iter().enumerate() {
            let Item {
                sku,
                quantity,
                unit_price,
            } = line.item;
            let (title, price) = (escaped(line.title()), amount(currency, unit_price));
            let said = match line.found {
                Ok(_) => format!("{price} each"),
                Err(_) => "Not on sale any more: take it out.".to_owned(),
            };
            let label = if several { title.as_str() } else { "Quantity" };
            let _written = writeln!(
                body,
                "<div class=\"line\"><label for=\"quantity-{at}\">{label}</label>\n\
                 <input id=\"quantity-{at}\" aria-label=\"Quantity of {title}\" name=\"{}\" \
                 type=\"number\" inputmode=\"numeric\" value=\"{quantity}\" min=\"1\" max=\"{QUANTITY_MAX}\" required>\n<p>{said}</p>",
                quantity_name(sku),
            );
            if several {
                let _written = writeln!(
                    body,
                    "<button class=\"plain\" type=\"submit\" name=\"{REMOVE}\" value=\"{sku}\" \
                     formnovalidate>Take out</button>"
                );
            }
            body += "</div>\n";
        }
        body + "<button class=\"plain\" type=\"submit\">Change</button>\n</form>\n"
    }
}

impl Line {
    pub(super) fn quote(&self) -> Option<&Quote> {
        self.found.as_ref().ok().map(|(_, quote)| quote)
    }

    fn title(&self) -> &str {
        self.quote().map_or("Something", |quote| &quote.title)
    }
}

/// The form with which something else is added; nothing if there is nothing else.
pub(super) async fn more(app: &App, session: &Session, action: &str) -> Result<String, ApiError> {
    let items = session.cart.items();
    let merchant = app.engine.merchant(session.merchant).await?;
    let merchant = merchant.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let mut choices = String::new();
    for offered in eligible(app, session).await? {
        let sku = sku_of(&offered);
        if offered.price == Money::ZERO || items.iter().any(|item| item.sku == sku) {
            continue;
        }
        let mut title = offered.title;
        if let Some(variant) = offered.variant_title {
            title = format!("{title}, {variant}");
        }
        let price = amount(merchant.currency, offered.price);
        let _written = writeln!(
            choices,
            "<option value=\"{sku}\">{} · {price}</option>",
            escaped(&title)
        );
    }
    if choices.is_empty() || items.len() >= LINES_MAX {
        return Ok(String::new());
    }
    Ok(format!(
        "<form method=\"post\" action=\"{action}/add\">\n<h2>Something else</h2>\n\
         <div class=\"line\"><label for=\"more\">Add</label>\n<select id=\"more\" name=\"{PRODUCT}\">\n\
         {choices}</select>\n<input aria-label=\"Quantity\" name=\"quantity\" type=\"number\" \
         inputmode=\"numeric\" value=\"1\" min=\"1\" max=\"{QUANTITY_MAX}\" required></div>\n\
         <button class=\"plain\" type=\"submit\">Add</button>\n</form>\n"
    ))
}

async fn changed(app: App, token: String, form: Form) -> Result<Response, ApiError> {
    let session = find(&app, &token).await?;
    // The page that sent it may show a line that another window took out.
    let lines: Vec<_> = form.names().filter_map(quantity_of).collect();
    let known = lines.iter().map(|(name, _)| *name).chain([REMOVE]);
    form.only(&known.collect::<Vec<_>>())?;
    if session.status_at(app.now()) != SessionStatus::Open {
        return ended(&app, &session);
    }
    let wanted = if let Some(named) = form.get(REMOVE) {
        vec![(sku(named).ok_or_else(unknown)?, 0)]
    } else {
        let written = lines.into_iter();
        let written = written.filter(|(name, _)| form.get(name).is_some());
        let wanted = written.map(|(name, sku)| Ok((sku, form.units(name)?)));
        wanted.collect::<Result<_, ApiError>>()?
    };
    store(&app, &session, Change::Set(wanted)).await
}

async fn added(app: App, token: String, form: Form) -> Result<Response, ApiError> {
    form.only(&ADDED)?;
    let session = find(&app, &token).await?;
    if session.status_at(app.now()) != SessionStatus::Open {
        return ended(&app, &session);
    }
    let wanted = form.get(PRODUCT).and_then(sku).ok_or_else(not_offered)?;
    let ware = addable(&app, &session, wanted).await?;
    let quantity = form.quantity()?;
    let quote = ware
        .quote_for(&app, session.came, (wanted, quantity))
        .await?;
    let item = Item {
        sku: wanted,
        quantity,
        unit_price: quote.unit_price,
    };
    store(&app, &session, Change::Add(item)).await
}

async fn store(app: &App, session: &Session, change: Change) -> Result<Response, ApiError> {
    let stored = checkout::change(&app.database, session.id, change, app.now()).await?;
    stored
        .ok_or_else(|| ApiError::new(Code::NotFound))?
        .map_err(uncartable)?;
    Ok(see_other(&session_path(app, session.id)))
}

/// What is wanted, if a visit may be sold it beside what it came for; its quote says whether it is on sale. Not
/// what its page lists, which has an end.
async fn addable(app: &App, session: &Session, wanted: Sku) -> Result<Ware, ApiError> {
    let product = match session.came {
        Some(Came::Listing(_)) => None,
        None | Some(Came::Link(_) | Came::Campaign(_)) => {
            app.engine.product(wanted.product).await?
        }
    };
    let own = product.filter(|product| product.merchant == session.merchant);
    Ware::find(app, own.ok_or_else(not_offered)?.id).await
}

/// What the page of a visit offers beside what it came for: a hundred at most.
async fn eligible(app: &App, session: &Session) -> Result<Vec<Offered>, ApiError> {
    let (db, merchant) = (&app.database, session.merchant);
    Ok(match session.came {
        Some(Came::Listing(_)) => Vec::new(),
        Some(Came::Campaign(id)) => campaigns::sold(db, (merchant, id)).await?,
        None | Some(Came::Link(_)) => campaigns::on_sale(db, merchant).await?,
    })
}

async fn sold(app: &App, came: Option<Came>, item: &Item) -> Result<(Ware, Quote), ApiError> {
    let ware = Ware::find(app, item.sku.product).await?;
    let wanted = (item.sku, item.quantity);
    let quote = ware.quote_for(app, came, wanted).await?;
    Ok((ware, quote))
}

/// Whether this says that a line is not sold, rather than that nobody could look.
fn is_unsold(error: &ApiError) -> bool {
    let code = error.code();
    [
        Code::ProductNotAllowed,
        Code::NotFound,
        Code::ValidationError,
    ]
    .contains(&code)
}

fn uncartable(why: Uncartable) -> ApiError {
    match why {
        Uncartable::Empty => ApiError::field("quantity", "must leave something to buy"),
        Uncartable::Lines => {
            let message = format!("must be of {LINES_MAX} different things at most");
            ApiError::field(PRODUCT, message)
        }
        Uncartable::Units => {
            let message = format!("must be 1 to {QUANTITY_MAX}, all together");
            ApiError::field("quantity", message)
        }
        Uncartable::Unknown => unknown(),
    }
}

fn unknown() -> ApiError {
    ApiError::field(PRODUCT, "is not in the cart any more: look at it again")
}

fn quantity_name(sku: Sku) -> String {
    format!("quantity[{sku}]")
}

/// The field of a form, and what it says the quantity of.
fn quantity_of(name: &str) -> Option<(&str, Sku)> {
    let named = name.strip_prefix("quantity[")?.strip_suffix(']')?;
    Some((name, sku(named)?))
}

const fn sku_of(offered: &Offered) -> Sku {
    Sku {
        product: offered.product,
        variant: offered.variant,
    }
}

/// A product, or one of its variants, as a form names it.
fn sku(text: &str) -> Option<Sku> {
    let (product, variant) = match text.split_once('/') {
        None => (text, None),
        Some((product, variant)) => (product, Some(VariantId::parse(variant)?)),
    };
    Some(Sku {
        product: ProductId::parse(product)?,
        variant,
    })
}
