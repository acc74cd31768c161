//! The page in a frame: what is sold, for how much, and where to buy it.

use axum::response::Response;
use persistence::campaigns::{Offer, Offered};

use crate::{
    docs::page::{Page, escaped},
    state::App,
    wire::money::MoneyText,
};

const STYLE: &str = include_str!("widget.css");

/// The widget of a campaign, for pages that may show it.
pub(super) fn answer(app: &App, offer: &Offer, offered: &[Offered], token: &str) -> Response {
    let items: String = offered
        .iter()
        .map(|one| item(app, offer, one, token))
        .collect();
    let body = if items.is_empty() {
        NOTHING.to_owned()
    } else {
        format!("<ul>\n{items}</ul>\n")
    };
    let name = escaped(&offer.merchant_name);
    let body = format!("<main>\n<h1>{name}</h1>\n{body}</main>\n");
    let ancestors = if offer.origins.is_empty() {
        anywhere(app).to_owned()
    } else {
        offer.origins.join(" ")
    };
    Page::framed(&offer.merchant_name, STYLE, &body, &ancestors).answer()
}

/// What everybody gets who is offered nothing, whatever the reason.
pub(super) fn not_available(app: &App) -> Response {
    let body = "<main>\n<h1>Not available</h1>\n<p>This offer is not available. Ask whoever placed it \
        here for a new one.</p>\n</main>\n";
    Page::framed("Not available", STYLE, body, anywhere(app)).answer()
}

const NOTHING: &str = "<p>There is nothing on sale here at the moment.</p>\n";

/// Pages by https; where we are not reached by https ourselves, any.
fn anywhere(app: &App) -> &'static str {
    if app.tls() { "https:" } else { "https: http:" }
}

fn item(app: &App, offer: &Offer, one: &Offered, token: &str) -> String {
    let variant = one
        .variant
        .map_or_else(String::new, |id| format!("&amp;variant_id={id}"));
    let kind = one
        .variant_title
        .as_deref()
        .map_or_else(String::new, |title| {
            format!("<span class=\"kind\">{}</span>", escaped(title))
        });
    format!(
        "<li>\n<h2>{title}{kind}</h2>\n<p class=\"price\">{price} {currency}</p>\n\
         <a class=\"buy\" href=\"{origin}/checkout/c/{campaign}?t={token}&amp;product_id={product}{variant}\" \
         target=\"_blank\" rel=\"noopener\">Buy</a>\n</li>\n",
        title = escaped(&one.title),
        price = MoneyText(offer.currency, one.price),
        currency = offer.currency.code(),
        origin = app.origin,
        campaign = offer.standing.campaign,
        product = one.product,
        token = escaped(token),
    )
}
