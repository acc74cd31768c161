//! The page in a frame: what is sold, for how much, and where to buy it.

use axum::response::Response;
use engine::{
    ids::VariantId,
    money::{Currency, Money},
};
use persistence::{
    campaigns::{self, Offered},
    listings,
};

use super::frame::{ancestors, anywhere};
use crate::{
    docs::page::{Page, escaped},
    state::App,
    wire::money::MoneyText,
};

const STYLE: &str = include_str!("widget.css");
const NOTHING: &str = "<p>There is nothing on sale here at the moment.</p>\n";

/// One thing that is shown.
struct Item<'a> {
    title: &'a str,
    variant_title: Option<&'a str>,
    price: Money,
    currency: Currency,
    /// Where it is bought, if it is bought by a button.
    checkout: Option<String>,
    /// Whether that leads away to its merchant's shop, rather than on in the frame.
    leaves: bool,
}

/// The widget of a campaign, for pages that may show it. Where its merchant takes no payments here, a button leads
/// to the merchant's shop, in a window of its own.
pub(super) fn campaign(
    app: &App,
    offer: &campaigns::Offer,
    (offered, leaves): (&[Offered], bool),
    token: &str,
) -> Response {
    let id = offer.standing.campaign;
    let items: String = offered
        .iter()
        .map(|one| Item {
            title: &one.title,
            variant_title: one.variant_title.as_deref(),
            price: one.price,
            currency: offer.currency,
            checkout: Some(format!(
                "{}/checkout/c/{id}?t={}&amp;product_id={}{}",
                app.origin,
                escaped(token),
                one.product,
                of_variant(one.variant)
            )),
            leaves,
        })
        .map(|item| item.html())
        .collect();
    let ancestors = ancestors(app, &offer.origins);
    framed(&offer.merchant_name, &items, &ancestors)
}

/// The widget of a listing, for any page: what it is, and its price; with the token of whoever looks there is
/// a button to buy it.
pub(super) fn listing(app: &App, offer: &listings::Offer, token: Option<&str>) -> Response {
    let judged = &offer.judged;
    let id = judged.listing.id;
    let checkout = |token| format!("{}/checkout/l/{id}?t={}", app.origin, escaped(token));
    let item = Item {
        title: &judged.title,
        variant_title: judged.variant_title.as_deref(),
        price: judged.listing.price,
        currency: offer.currency,
        checkout: token.map(checkout),
        leaves: false,
    };
    framed(&offer.merchant_name, &item.html(), anywhere(app))
}

/// What everybody gets who is offered nothing, whatever the reason.
pub(super) fn not_available(app: &App) -> Response {
    let body = "<main>\n<h1>Not available</h1>\n<p>This offer is not available. Ask whoever placed it \
        here for a new one.</p>\n</main>\n";
    Page::framed("Not available", STYLE, body, anywhere(app)).answer()
}

fn framed(shop: &str, items: &str, ancestors: &str) -> Response {
    let list = if items.is_empty() {
        NOTHING.to_owned()
    } else {
        format!("<ul>\n{items}</ul>\n")
    };
    let body = format!("<main>\n<h1>{}</h1>\n{list}</main>\n", escaped(shop));
    Page::framed(shop, STYLE, &body, ancestors).answer()
}

fn of_variant(variant: Option<VariantId>) -> String {
    variant.map_or_else(String::new, |id| format!("&amp;variant_id={id}"))
}

impl Item<'_> {
    fn html(&self) -> String {
        let kind = self.variant_title.map_or_else(String::new, |title| {
            format!("<span class=\"kind\">{}</span>", escaped(title))
        });
        let button = self.checkout.as_ref().map_or_else(String::new, |url| {
            let window = if self.leaves {
                " target=\"_blank\" rel=\"noopener\""
            } else {
                ""
            };
            format!("<a class=\"buy\" href=\"{url}\"{window}>Buy</a>\n")
        });
        format!(
            "<li>\n<h2>{title}{kind}</h2>\n<p class=\"price\">{price} {currency}</p>\n{button}</li>\n",
            title = escaped(self.title),
            price = MoneyText(self.currency, self.price),
            currency = self.currency.code(),
        )
    }
}
