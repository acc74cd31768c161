//! `/reseller/v1`: a reseller's own shop, by its key.

use axum::routing::MethodFilter;

use super::menu::{Menu, WAITING};
use crate::{
    balances, catalog,
    events::feed,
    fulfillments::{bulk, create, dynamic_url, get, list, orders, reveal},
    layers::call::BODY_BYTES_MAX,
    me,
    metrics::Surface,
    replacements, top_ups,
};

const BULK_BYTES_MAX: usize = 1024 * 1024;
const DYNAMIC: &str = dynamic_url::PATH;
const POST: MethodFilter = MethodFilter::POST;
const GET: MethodFilter = MethodFilter::GET;
const OPTIONS: MethodFilter = MethodFilter::OPTIONS;
// A router answers HEAD on a GET route with the GET handler, which here would execute.
const NEITHER: MethodFilter = MethodFilter::HEAD
    .or(MethodFilter::POST)
    .or(MethodFilter::PUT)
    .or(MethodFilter::PATCH)
    .or(MethodFilter::DELETE);

#[rustfmt::skip]
pub(super) fn menu() -> Menu {
    Menu::new(Surface::Reseller)
        .get("/reseller/v1/me",                           me::reseller)
        .get("/reseller/v1/balance",                      balances::get::reseller)
        .get("/reseller/v1/balance/ledger",               balances::ledger::reseller)
        .get("/reseller/v1/balance/statement",            balances::statement::reseller)
        .get("/reseller/v1/top-ups",                      top_ups::list::reseller)
        .get("/reseller/v1/top-ups/{inv}",                top_ups::get::reseller)
        .get("/reseller/v1/products",                     catalog::list::reseller)
        .get("/reseller/v1/products/{product_id}",        catalog::get::reseller)
        .executes(POST,    "/reseller/v1/fulfillments",      BODY_BYTES_MAX, create::reseller)
        .executes(POST,    "/reseller/v1/fulfillments/bulk", BULK_BYTES_MAX, bulk::reseller)
        .executes(GET,     DYNAMIC,                          BODY_BYTES_MAX, dynamic_url::reseller)
        .executes(NEITHER, DYNAMIC,                          BODY_BYTES_MAX, dynamic_url::refuse_method)
        .executes(OPTIONS, DYNAMIC,                          BODY_BYTES_MAX, dynamic_url::options)
        .get("/reseller/v1/fulfillments",                 list::reseller)
        .get("/reseller/v1/fulfillments/{id}",            get::reseller)
        .post("/reseller/v1/fulfillments/{id}/items/{item}/revealed", reveal::reseller)
        .post("/reseller/v1/fulfillments/{id}/items/{item}/replacements", replacements::request::reseller)
        .get("/reseller/v1/replacements/{id}",            replacements::request::reseller_one)
        .executes(POST,    "/reseller/v1/orders",            BODY_BYTES_MAX, orders::create)
        .get_within("/reseller/v1/events",        WAITING, feed::reseller)
        .get("/reseller/v1/orders",                       orders::list)
        .get("/reseller/v1/orders/{id}",                  orders::get)
}
