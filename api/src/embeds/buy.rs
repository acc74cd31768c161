//! `GET /checkout/c/{campaign}`: a customer wants what a widget shows, and is sent on with a token by which the
//! sale is the campaign's: to the checkout, or to the shop of a merchant that takes no payments here.
//!
//! Keeps: nobody is sent on by a token that shows nothing, nor to what its campaign does not sell.

use axum::{
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::{CampaignId, ProductId, VariantId},
    links::Attribution,
};
use persistence::campaigns::{self, Offer};
use reqwest::Url;

use super::{offer, widget};
use crate::{
    checkout::confirm::offered as checkout_offers,
    error::{ApiError, Code},
    extract::Query,
    layers::address::network,
    links::{PRODUCT, TOKEN, follow::cookie_of, visit::Visit},
    state::App,
};

/// The parameter that names the variant that is wanted.
const VARIANT: &str = "consign_variant";

pub(crate) async fn public(
    State(app): State<App>,
    Path(id): Path<String>,
    visit: Visit,
    query: Query,
) -> Result<Response, ApiError> {
    let from = network(visit.address);
    if !app.pages.take(&from.to_string(), app.now()) {
        return Err(ApiError::new(Code::RateLimited).retry_after_secs(1));
    }
    let id = CampaignId::parse(&id).ok_or_else(|| ApiError::new(Code::NotFound))?;
    let token = query.get("t").unwrap_or_default();
    let led = match offer::campaign(&app, id, token).await? {
        Some(found) => led(&app, &found, &query).await?.map(|led| (found, led)),
        None => None,
    };
    let Some((found, led)) = led else {
        return Ok(widget::not_available(&app));
    };
    let clicked = Attribution {
        link: id.link(),
        at: app.now(),
    };
    let token = clicked.token(app.engine.vault());
    let cookie = cookie_of(&token, found.window_days, app.tls());
    let location = match led {
        Led::Checkout(product) => format!("{}/checkout/p/{product}", app.origin),
        Led::Shop(mut url) => {
            url.query_pairs_mut().append_pair(TOKEN, &token);
            url.into()
        }
    };
    let location = HeaderValue::from_str(&location);
    let location = location.map_err(|_| ApiError::new(Code::NotFound))?;
    let head = [(header::LOCATION, location), (header::SET_COOKIE, cookie)];
    Ok((StatusCode::FOUND, head).into_response())
}

/// Where what is wanted is sold.
enum Led {
    /// Here, where the cookie says by what the customer came.
    Checkout(ProductId),
    Shop(Url),
}

/// Where what is wanted is sold; none if the campaign does not sell it, or nobody takes money for it.
async fn led(app: &App, offer: &Offer, query: &Query) -> Result<Option<Led>, ApiError> {
    let product = query.get("product_id").and_then(ProductId::parse);
    let variant = query.get("variant_id").map(VariantId::parse);
    let offered = campaigns::offered(&app.database, offer).await?;
    let wanted = offered.iter().find(|one| {
        Some(one.product) == product && one.variant == variant.flatten() && variant != Some(None)
    });
    let Some(wanted) = wanted else {
        return Ok(None);
    };
    if !checkout_offers(app, offer.merchant).await?.is_empty() {
        return Ok(Some(Led::Checkout(wanted.product)));
    }
    let shop = offer.storefront_url.as_deref();
    let Some(mut url) = shop.and_then(|url| Url::parse(url).ok()) else {
        return Ok(None);
    };
    url.query_pairs_mut()
        .append_pair(PRODUCT, &wanted.product.to_string());
    if let Some(variant) = wanted.variant {
        url.query_pairs_mut()
            .append_pair(VARIANT, &variant.to_string());
    }
    Ok(Some(Led::Shop(url)))
}
