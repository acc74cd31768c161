//! `GET /checkout/c/{campaign}?t=&product_id=`: what a widget shows, at the merchant's price. `POST` begins a visit
//! that is the campaign's. Of a merchant that takes no payments here the customer is sent on to its shop, with a
//! token by which the sale is the campaign's.
//!
//! Keeps: nobody is shown or sent anything by a token that shows nothing, nor what its campaign does not sell.

use axum::{
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use engine::{
    catalog::Sku,
    checkout::Came,
    ids::{CampaignId, ProductId, VariantId},
    links::Attribution,
};
use persistence::campaigns::{self, Offer};
use reqwest::Url;

use super::{
    confirm::offered as coins,
    form::{Customer, Form},
    frame::{of_offer, own_window, within},
    listing::TOKEN,
    look::page as look,
    product::{Sent, one},
    session::{Ware, not_offered, visit},
};
use crate::{
    embeds::offer,
    error::{ApiError, Code},
    extract::Query,
    links::{self, PRODUCT, follow::cookie_of},
    state::App,
};

/// The parameter that names the variant that is wanted.
const VARIANT: &str = "consign_variant";
const FIELDS: [&str; 5] = [TOKEN, PRODUCT_ID, VARIANT_ID, "quantity", "email"];
const PRODUCT_ID: &str = "product_id";
const VARIANT_ID: &str = "variant_id";

/// What is asked for, as an address or a form names it.
#[derive(Clone, Copy)]
struct Asked<'a> {
    token: Option<&'a str>,
    product: Option<&'a str>,
    variant: Option<&'a str>,
}

pub(crate) async fn page(
    State(app): State<App>,
    Path(id): Path<String>,
    query: Query,
    customer: Customer,
) -> Response {
    of_offer(&app, led(&app, &id, &query, &customer).await)
}

pub(crate) async fn begin(
    State(app): State<App>,
    Path(id): Path<String>,
    customer: Customer,
    form: Form,
) -> Response {
    of_offer(&app, asked(&app, &id, &customer, &form).await)
}

impl Asked<'_> {
    /// What the form of the page sends.
    fn sent(&self, campaign: &str) -> Sent {
        let named = [
            (TOKEN, self.token),
            (PRODUCT_ID, self.product),
            (VARIANT_ID, self.variant),
        ];
        let fields = named
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?.to_owned())));
        Sent {
            to: format!("/checkout/c/{campaign}"),
            fields: fields.collect(),
        }
    }
}

/// What a campaign of the path sells, if its token shows it and it is what is wanted.
async fn find(app: &App, id: &str, asked: Asked<'_>) -> Result<(Offer, Sku), ApiError> {
    let id = CampaignId::parse(id).ok_or_else(|| ApiError::new(Code::NotFound))?;
    let offer = offer::campaign(app, id, asked.token.unwrap_or_default()).await?;
    let offer = offer.ok_or_else(not_offered)?;
    let product = asked.product.and_then(ProductId::parse);
    let variant = asked.variant.map(VariantId::parse);
    // A malformed id names nothing that is sold.
    let (Some(product), false) = (product, variant == Some(None)) else {
        return Err(not_offered());
    };
    let sku = Sku {
        product,
        variant: variant.flatten(),
    };
    if !campaigns::offers(&app.database, &offer, sku).await? {
        return Err(not_offered());
    }
    Ok((offer, sku))
}

/// The page, or the way to where what is wanted is sold; in a window of its own with the cookie by which later purchases
/// are the campaign's.
async fn led(
    app: &App,
    id: &str,
    query: &Query,
    customer: &Customer,
) -> Result<Response, ApiError> {
    let asked = Asked {
        token: query.get(TOKEN),
        product: query.get(PRODUCT_ID),
        variant: query.get(VARIANT_ID),
    };
    let (offer, sku) = find(app, id, asked).await?;
    let clicked = Attribution {
        link: offer.standing.campaign.link(),
        at: app.now(),
    };
    let token = clicked.token(app.engine.vault());
    let sent = asked.sent(id);
    let window = own_window(&sent.page());
    let pays_here = !coins(app, offer.merchant).await?.is_empty();
    let page = if pays_here {
        let ware = Ware::find(app, sku.product).await?;
        let quote = ware.quote(sku, 1)?;
        one(app, &ware, (&quote, &window), &sent).await?
    } else if customer.in_frame {
        look(&offer.merchant_name, "Go on at the shop", &window)
    } else {
        sent_on(&offer, sku, &token)?
    };
    let mut response = within(app, Some(&offer.origins), page);
    if customer.in_frame {
        return Ok(response);
    }
    let cookie = cookie_of(&token, offer.window_days, app.tls());
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// The way to the shop of a merchant that takes no payments here.
fn sent_on(offer: &Offer, sku: Sku, token: &str) -> Result<Response, ApiError> {
    let shop = offer.storefront_url.as_deref();
    let shop = shop.and_then(|url| Url::parse(url).ok());
    let mut url = shop.ok_or_else(not_offered)?;
    let product = sku.product.to_string();
    url.query_pairs_mut().append_pair(PRODUCT, &product);
    if let Some(variant) = sku.variant {
        let variant = variant.to_string();
        url.query_pairs_mut().append_pair(VARIANT, &variant);
    }
    url.query_pairs_mut().append_pair(links::TOKEN, token);
    let location = HeaderValue::from_str(url.as_str());
    let location = location.map_err(|_| ApiError::new(Code::NotFound))?;
    Ok((StatusCode::FOUND, [(header::LOCATION, location)]).into_response())
}

async fn asked(
    app: &App,
    id: &str,
    customer: &Customer,
    form: &Form,
) -> Result<Response, ApiError> {
    form.only(&FIELDS)?;
    let asked = Asked {
        token: form.get(TOKEN),
        product: form.get(PRODUCT_ID),
        variant: form.get(VARIANT_ID),
    };
    let (offer, sku) = find(app, id, asked).await?;
    let ware = Ware::find(app, sku.product).await?;
    let came = Came::Campaign(offer.standing.campaign);
    visit(app, (customer, form), &ware, (sku, Some(came))).await
}
