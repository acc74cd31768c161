//! `/dev/v1`: a merchant, by its key.

use super::menu::{Menu, WAITING};
use crate::{
    analytics, api_keys, audit, balances, catalog,
    checkout::create,
    events::feed,
    fulfillments,
    inventory::{self, import},
    invitations, invoices, me, members,
    metrics::Surface,
    notifications,
    payments::methods,
    payouts, programs, relationships, replacements, reports, sales, settings, stock_requests,
    top_ups,
};

pub(super) fn menu() -> Menu {
    let menu = own(Menu::new(Surface::Dev));
    catalog(reseller(program(menu)))
}

/// The merchant's own settings, keys and records.
#[rustfmt::skip]
fn own(menu: Menu) -> Menu {
    menu
        .get("/dev/v1/me",                                         me::dev)
        .get("/dev/v1/me/capabilities",                            me::dev)
        .get_within("/dev/v1/events",                     WAITING, feed::dev)
        .get("/dev/v1/api-keys",                                   api_keys::list::dev_own)
        .post("/dev/v1/api-keys",                                  api_keys::create::dev)
        .post("/dev/v1/api-keys/{key}/rotate",                     api_keys::rotate::dev)
        .post("/dev/v1/api-keys/{key}/revoke",                     api_keys::revoke::dev_own)
        .get("/dev/v1/payment-methods",                            methods::get)
        .put("/dev/v1/payment-methods",                            methods::replace)
        .get("/dev/v1/settings",                                   settings::get)
        .patch("/dev/v1/settings",                                 settings::update)
        .get("/dev/v1/notifications",                              notifications::merchant::get)
        .put("/dev/v1/notifications",                              notifications::merchant::put)
        .post("/dev/v1/checkout/sessions",                         create::dev)
        .get("/dev/v1/invoices",                                   invoices::list::dev)
        .get("/dev/v1/invoices/{inv}",                             invoices::get::dev)
        .post("/dev/v1/invoices/{inv}/complete",                   invoices::complete::dev)
        .post("/dev/v1/invoices/{inv}/accept",                     invoices::accept::dev)
        .post("/dev/v1/invoices/{inv}/cancel",                     invoices::cancel::dev)
        .post("/dev/v1/invoices/{inv}/refund",                     invoices::take_back::refund)
        .post("/dev/v1/invoices/{inv}/dispute",                    invoices::take_back::dispute)
        .post("/dev/v1/invoices/{inv}/replacements",               invoices::replace::dev)
        .get("/dev/v1/members",                                   members::list::dev)
        .post("/dev/v1/members",                                  members::add::dev)
        .patch("/dev/v1/members",                                 members::change::dev)
        .delete("/dev/v1/members",                                members::change::dev_remove)
        .get("/dev/v1/audit-log",                                  audit::list::dev)
        .get("/dev/v1/audit-log/verify",                           audit::verify::dev)
        .get("/dev/v1/reports/reconciliation",                     reports::reconciliation::dev)
}

/// The program, and what is of no single reseller.
#[rustfmt::skip]
fn program(menu: Menu) -> Menu {
    menu
        .get("/dev/v1/reseller-program",                           programs::get::dev)
        .patch("/dev/v1/reseller-program",                         programs::update::dev)
        .get("/dev/v1/resellers",                                  relationships::list::dev)
        .post("/dev/v1/resellers/invite",                          invitations::invite::dev)
        .get("/dev/v1/resellers/invitations",                      invitations::list::dev)
        .post("/dev/v1/resellers/invitations/{ivt}/resend",        invitations::resend::dev)
        .post("/dev/v1/resellers/invitations/{ivt}/revoke",        invitations::revoke::dev)
        .get("/dev/v1/resellers/analytics",                        analytics::dev)
        .get("/dev/v1/resellers/replacements",                     replacements::list::dev)
        .post("/dev/v1/resellers/replacements/{rpl}/issue",        replacements::decide::dev_issue)
        .post("/dev/v1/resellers/replacements/{rpl}/credit",       replacements::decide::dev_credit)
        .post("/dev/v1/resellers/replacements/{rpl}/reject",       replacements::decide::dev_reject)
        .post("/dev/v1/resellers/sales",                           sales::report::dev)
        .post("/dev/v1/resellers/sales/{sal}/refund",              sales::refund::dev)
}

/// One reseller.
#[rustfmt::skip]
fn reseller(menu: Menu) -> Menu {
    menu
        .get("/dev/v1/resellers/{id}",                             relationships::get::dev)
        .patch("/dev/v1/resellers/{id}",                           relationships::update::dev)
        .get("/dev/v1/resellers/{id}/analytics",                   analytics::dev_one)
        .post("/dev/v1/resellers/{id}/suspend",                    relationships::step::dev_suspend)
        .post("/dev/v1/resellers/{id}/reactivate",                 relationships::step::dev_reactivate)
        .post("/dev/v1/resellers/{id}/terminate",                  relationships::step::dev_terminate)
        .get("/dev/v1/resellers/{id}/balance",                     balances::get::dev)
        .get("/dev/v1/resellers/{id}/balance/ledger",              balances::ledger::dev)
        .get("/dev/v1/resellers/{id}/balance/statement",           balances::statement::dev)
        .post("/dev/v1/resellers/{id}/balance/credit",             balances::credit::dev)
        .post("/dev/v1/resellers/{id}/balance/debit",              balances::debit::dev)
        .get("/dev/v1/resellers/{id}/fulfillments",                fulfillments::history::dev)
        .get("/dev/v1/resellers/{id}/fulfillments/{ful}",          fulfillments::history::dev_one)
        .post("/dev/v1/resellers/{id}/fulfillments/{ful}/refund",  fulfillments::refund::dev)
        .get("/dev/v1/resellers/{id}/sales",                       sales::list::dev)
        .post("/dev/v1/resellers/{id}/commissions/{com}/approve",  sales::decide::dev_approve)
        .post("/dev/v1/resellers/{id}/commissions/{com}/reverse",  sales::decide::dev_reverse)
        .get("/dev/v1/resellers/{id}/payouts",                     payouts::list::dev)
        .post("/dev/v1/resellers/{id}/payouts/{pay}/approve",      payouts::decide::dev_approve)
        .post("/dev/v1/resellers/{id}/payouts/{pay}/force-approve", payouts::decide::dev_force_approve)
        .post("/dev/v1/resellers/{id}/payouts/{pay}/reject",       payouts::decide::dev_reject)
        .post("/dev/v1/resellers/{id}/payouts/{pay}/cancel",       payouts::decide::dev_cancel)
        .post("/dev/v1/resellers/{id}/payouts/{pay}/complete",     payouts::decide::dev_complete)
        .post("/dev/v1/resellers/{id}/verification/approve",       payouts::verification::dev_approve)
        .post("/dev/v1/resellers/{id}/verification/reject",        payouts::verification::dev_reject)
        .post("/dev/v1/resellers/{id}/verification/reset",         payouts::verification::dev_reset)
        .get("/dev/v1/resellers/{id}/top-ups",                     top_ups::list::dev)
        .post("/dev/v1/resellers/{id}/top-ups",                    top_ups::open::dev)
        .post("/dev/v1/resellers/{id}/top-ups/{inv}/mark-paid",    top_ups::mark_paid::dev)
        .post("/dev/v1/resellers/{id}/top-ups/{inv}/cancel",       top_ups::cancel::dev)
        .post("/dev/v1/resellers/{id}/stock-purchases",            stock_requests::open::dev)
        .get("/dev/v1/resellers/{id}/stock-transfers",             stock_requests::list::dev)
        .get("/dev/v1/resellers/{id}/stock-transfers/{stk}",       stock_requests::list::dev_one)
        .post("/dev/v1/resellers/{id}/stock-transfers/{stk}/invoice", stock_requests::invoice::dev)
        .post("/dev/v1/resellers/{id}/stock-transfers/{stk}/mark-paid", stock_requests::mark_paid::dev)
        .post("/dev/v1/resellers/{id}/stock-transfers/{stk}/allocate", stock_requests::allocate::dev)
        .post("/dev/v1/resellers/{id}/stock-transfers/{stk}/revoke", stock_requests::revoke::dev)
        .post("/dev/v1/resellers/{id}/stock-transfers/{stk}/cancel", stock_requests::cancel::dev)
        .get("/dev/v1/resellers/{id}/inventory",                   stock_requests::inventory::dev)
        .post("/dev/v1/resellers/{id}/inventory/{itm}/deliver",    stock_requests::deliver::dev)
        .post("/dev/v1/resellers/{id}/inventory/{itm}/revoke",     stock_requests::revoke::dev_item)
        .get("/dev/v1/resellers/{id}/api-keys",                    api_keys::list::dev)
        .post("/dev/v1/resellers/{id}/api-keys/{key}/revoke",      api_keys::revoke::dev)
}

/// Products and their serials.
#[rustfmt::skip]
fn catalog(menu: Menu) -> Menu {
    menu
        .get("/dev/v1/products",                                  catalog::own::list)
        .post("/dev/v1/products",                                 catalog::create::dev)
        .get("/dev/v1/products/search",                           catalog::own::search)
        .get("/dev/v1/products/{id}",                              catalog::product::dev)
        .patch("/dev/v1/products/{id}",                            catalog::update::dev)
        .delete("/dev/v1/products/{id}",                          catalog::delete::dev)
        .get("/dev/v1/products/{id}/stock",                        catalog::stock::dev)
        .get("/dev/v1/products/{id}/serials",                      inventory::list::dev)
        .delete("/dev/v1/products/{id}/serials",                   inventory::remove::dev)
        .post("/dev/v1/products/{id}/serials/claim",               inventory::pull::dev)
        .get("/dev/v1/products/{id}/stock-movements",              inventory::movements::dev)
        .get("/dev/v1/serials/batches",                            inventory::batches::dev)
        .get("/dev/v1/serials/batches/{bat}",                      inventory::batches::dev_one)
        .post("/dev/v1/serials/trace",                             inventory::trace::dev)
        .get("/dev/v1/products/{id}/variants/{variant}/serials",   inventory::list::dev_variant)
        .delete("/dev/v1/products/{id}/variants/{variant}/serials", inventory::remove::dev_variant)
        .post_of("/dev/v1/products/{id}/serials", import::BODY_BYTES_MAX, import::dev)
        .post_of("/dev/v1/products/{id}/variants/{variant}/serials", import::BODY_BYTES_MAX, import::dev_variant)
}
