//! `GET /checkout/l/{listing}?t=`: a listing at its price. `POST` begins a visit.
//!
//! Keeps: who sells, what, and for how much is the row's that the token names; a token of something else, and a
//! listing that is not offered at this moment, show the same page with nothing to buy.

use axum::{
    extract::{Path, State},
    response::Response,
};
use engine::{catalog::Sku, checkout::Came, ids::ListingId};
use persistence::listings::Offer;

use super::{
    form::{Customer, Form},
    frame::{of_offer, own_window, within},
    product::{Sent, one},
    session::{Ware, not_offered, visit},
};
use crate::{
    embeds::offer,
    error::{ApiError, Code},
    extract::Query,
    state::App,
};

const FIELDS: [&str; 3] = [TOKEN, "quantity", "email"];
/// What the token of a snippet is called.
pub(super) const TOKEN: &str = "t";

pub(crate) async fn page(
    State(app): State<App>,
    Path(id): Path<String>,
    query: Query,
    _customer: Customer,
) -> Response {
    of_offer(&app, listing(&app, &id, &query).await)
}

pub(crate) async fn begin(
    State(app): State<App>,
    Path(id): Path<String>,
    customer: Customer,
    form: Form,
) -> Response {
    of_offer(&app, asked(&app, &id, &customer, &form).await)
}

/// The listing with an id of the path, if its token offers it now.
async fn find(app: &App, id: &str, token: Option<&str>) -> Result<(Offer, Sku, Ware), ApiError> {
    let id = ListingId::parse(id).ok_or_else(|| ApiError::new(Code::NotFound))?;
    let offer = offer::listing(app, id, token.unwrap_or_default()).await?;
    let offer = offer.ok_or_else(not_offered)?;
    let sku = Sku {
        product: offer.judged.listing.product,
        variant: offer.judged.listing.variant,
    };
    let ware = Ware::find(app, sku.product).await?;
    Ok((offer, sku, ware))
}

async fn listing(app: &App, id: &str, query: &Query) -> Result<Response, ApiError> {
    let token = query.get(TOKEN);
    let (offer, sku, ware) = find(app, id, token).await?;
    let quote = ware.quote_at(sku, 1, offer.judged.listing.price)?;
    let sent = Sent {
        to: format!("/checkout/l/{id}"),
        fields: vec![(TOKEN, token.unwrap_or_default().to_owned())],
    };
    let page = one(app, &ware, (&quote, &own_window(&sent.page())), &sent).await?;
    Ok(within(app, Some(&[]), page))
}

async fn asked(
    app: &App,
    id: &str,
    customer: &Customer,
    form: &Form,
) -> Result<Response, ApiError> {
    form.only(&FIELDS)?;
    let (offer, sku, ware) = find(app, id, form.get(TOKEN)).await?;
    let came = Came::Listing(offer.judged.listing.id);
    visit(app, (customer, form), &ware, (sku, Some(came))).await
}
