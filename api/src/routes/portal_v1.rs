//! `/portal/v1`: people, by their session.

use super::menu::{Menu, WAITING};
use crate::{
    api_keys, audit, balances, catalog,
    events::feed,
    fulfillments,
    metrics::Surface,
    notifications, payouts,
    persons::{email, export, invitation, me, password, programs, reset, totp},
    replacements, sales,
    sessions::{list, sign_in, sign_out, step_up},
    stock_requests, top_ups,
};

#[rustfmt::skip]
pub(super) fn menu() -> Menu {
    Menu::new(Surface::Portal)
        .post("/portal/v1/session",                 sign_in::portal)
        .delete("/portal/v1/session",               sign_out::portal)
        .post("/portal/v1/step-up",                 step_up::portal)
        .get("/portal/v1/sessions",                 list::get)
        .delete("/portal/v1/sessions",              list::end_others)
        .delete("/portal/v1/sessions/{ses}",        list::end)
        .get("/portal/v1/me",                       me::get)
        .patch("/portal/v1/me",                     me::update)
        .post("/portal/v1/me/email/confirm",        email::confirm)
        .post("/portal/v1/me/password",             password::portal)
        .post("/portal/v1/password-reset",          reset::offer)
        .post("/portal/v1/password-reset/confirm",  reset::confirm)
        .post("/portal/v1/totp",                    totp::offer)
        .post("/portal/v1/totp/confirm",            totp::confirm)
        .delete("/portal/v1/totp",                  totp::remove)
        .get("/portal/v1/invitations/{token}",          invitation::get)
        .post("/portal/v1/invitations/{token}/accept",  invitation::accept)
        .post("/portal/v1/invitations/{token}/decline", invitation::decline)
        .get("/portal/v1/programs",                 programs::list)
        .get("/portal/v1/programs/{rel}",           programs::get)
        .get_within("/portal/v1/programs/{rel}/events", WAITING, feed::portal)
        .get("/portal/v1/programs/{rel}/export",                  export::portal)
        .get("/portal/v1/programs/{rel}/products",                catalog::list::portal)
        .get("/portal/v1/programs/{rel}/audit-log",               audit::own::portal)
        .get("/portal/v1/programs/{rel}/api-keys",                api_keys::list::portal)
        .post("/portal/v1/programs/{rel}/api-keys",               api_keys::create::portal)
        .patch("/portal/v1/programs/{rel}/api-keys/{key}",        api_keys::update::portal)
        .get("/portal/v1/programs/{rel}/api-keys/{key}/dynamic-url", api_keys::dynamic_url::portal)
        .post("/portal/v1/programs/{rel}/api-keys/{key}/rotate",  api_keys::rotate::portal)
        .post("/portal/v1/programs/{rel}/api-keys/{key}/revoke",  api_keys::revoke::portal)
        .post("/portal/v1/programs/{rel}/test/reset",             api_keys::reset::portal)
        .get("/portal/v1/programs/{rel}/balance",   balances::get::portal)
        .get("/portal/v1/programs/{rel}/ledger",    balances::ledger::portal)
        .get("/portal/v1/programs/{rel}/statement", balances::statement::portal)
        .get("/portal/v1/programs/{rel}/notifications",         notifications::reseller::get)
        .put("/portal/v1/programs/{rel}/notifications",         notifications::reseller::put)
        .put("/portal/v1/programs/{rel}/balance/settings",      balances::settings::portal)
        .get("/portal/v1/programs/{rel}/fulfillments",          fulfillments::history::portal)
        .get("/portal/v1/programs/{rel}/fulfillments/{ful}",    fulfillments::history::portal_one)
        .post("/portal/v1/programs/{rel}/fulfillments/{ful}/items/{item}/reveal", fulfillments::open::portal)
        .post("/portal/v1/programs/{rel}/fulfillments/{ful}/items/{item}/replacements", replacements::request::portal)
        .get("/portal/v1/programs/{rel}/replacements",          replacements::list::portal)
        .post("/portal/v1/programs/{rel}/replacements/{rpl}/cancel", replacements::item::portal_cancel)
        .get("/portal/v1/programs/{rel}/sales",                 sales::list::portal)
        .get("/portal/v1/programs/{rel}/commissions",           sales::list::portal_commissions)
        .get("/portal/v1/programs/{rel}/earnings",              sales::earnings::portal)
        .get("/portal/v1/programs/{rel}/earnings/ledger",       sales::earnings::portal_ledger)
        .get("/portal/v1/programs/{rel}/payouts",               payouts::list::portal)
        .post("/portal/v1/programs/{rel}/payouts",              payouts::request::portal)
        .post("/portal/v1/programs/{rel}/payouts/{pay}/cancel", payouts::own::cancel)
        .get("/portal/v1/programs/{rel}/verification",          payouts::verification::portal)
        .put("/portal/v1/programs/{rel}/verification",          payouts::verification::portal_submit)
        .get("/portal/v1/programs/{rel}/top-ups",               top_ups::list::portal)
        .post("/portal/v1/programs/{rel}/top-ups",              top_ups::open::portal)
        .get("/portal/v1/programs/{rel}/top-ups/{inv}",         top_ups::get::portal)
        .post("/portal/v1/programs/{rel}/top-ups/{inv}/cancel", top_ups::cancel::portal)
        .get("/portal/v1/programs/{rel}/stock-requests",        stock_requests::list::portal)
        .post("/portal/v1/programs/{rel}/stock-requests",       stock_requests::open::portal)
        .get("/portal/v1/programs/{rel}/stock-requests/{stk}",  stock_requests::list::portal_one)
        .post("/portal/v1/programs/{rel}/stock-requests/{stk}/cancel", stock_requests::cancel::portal)
        .get("/portal/v1/programs/{rel}/inventory",             stock_requests::inventory::portal)
        .get("/portal/v1/programs/{rel}/inventory/summary",     stock_requests::inventory::portal_summary)
        .post("/portal/v1/programs/{rel}/inventory/export",     stock_requests::export::portal)
        .post("/portal/v1/programs/{rel}/inventory/{itm}/deliver", stock_requests::deliver::portal)
        .post("/portal/v1/programs/{rel}/inventory/{itm}/resend", stock_requests::deliver::portal_resend)
        .post("/portal/v1/programs/{rel}/inventory/{itm}/reveal", stock_requests::deliver::portal_reveal)
        .post("/portal/v1/programs/{rel}/inventory/{itm}/replacements", replacements::item::portal)
}
