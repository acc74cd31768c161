//! Wholesale purchases and inventories, of `/dev/v1` and of `/portal/v1`.

use engine::api_keys::Scope;

use super::{Operation, parameters::Parameter};
use crate::{
    error::Code,
    stock_requests::{
        InventoryItemView, InventorySummary, StockRequestView, cancel::CancelStock,
        deliver::DeliverItem, invoice::InvoiceStock, open::RequestStock,
    },
    wire::fields::Nothing,
};

/// What paying from the balance may be answered besides.
const PAID: [Code; 10] = [
    Code::ProgramDisabled,
    Code::RelationshipInactive,
    Code::ModeNotAllowed,
    Code::ProductNotAllowed,
    Code::ProductNotEligible,
    Code::QuantityOutOfRange,
    Code::PurchaseLimitExceeded,
    Code::OutOfStock,
    Code::InsufficientBalance,
    Code::InvalidState,
];

const REQUESTS: [Parameter; 5] = [
    Parameter::text("status", "Statuses, with commas between them."),
    Parameter::LIMIT,
    Parameter::CURSOR,
    Parameter::PAGE,
    Parameter::PER_PAGE,
];

const ITEMS: [Parameter; 8] = [
    Parameter::text("status", "Statuses, with commas between them."),
    Parameter::text("product_id", "Of this product."),
    Parameter::text("stock_request_id", "Of this purchase."),
    Parameter::text("email", "That went to this address."),
    Parameter::LIMIT,
    Parameter::CURSOR,
    Parameter::PAGE,
    Parameter::PER_PAGE,
];

pub(super) fn operations() -> Vec<Operation> {
    let mut all = purchases();
    all.extend(requests());
    all.extend(inventory());
    all
}

fn purchases() -> Vec<Operation> {
    let (read, write) = (Scope::ResellerStockRead, Scope::ResellerStockWrite);
    vec![
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/stock-purchases",
            "Ask for serials in a reseller's name; with `coin` they are paid at once.",
        )
        .scope(write)
        .once()
        .takes::<RequestStock>()
        .answers::<StockRequestView>(201)
        .answers::<StockRequestView>(200)
        .refuses(&PAID),
        Operation::new(
            "get",
            "/dev/v1/resellers/{id}/stock-transfers",
            "A reseller's wholesale purchases, newest first.",
        )
        .scope(read)
        .query(&REQUESTS)
        .lists_both_ways::<StockRequestView>(),
        Operation::new(
            "get",
            "/dev/v1/resellers/{id}/stock-transfers/{stk}",
            "One wholesale purchase.",
        )
        .scope(read)
        .answers::<StockRequestView>(200),
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/stock-transfers/{stk}/invoice",
            "Have the reseller's balance pay: debit and serials in one step.",
        )
        .scope(write)
        .once()
        .takes::<InvoiceStock>()
        .answers::<StockRequestView>(200)
        .refuses(&PAID),
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/stock-transfers/{stk}/cancel",
            "End a purchase that nobody paid.",
        )
        .scope(write)
        .once()
        .takes::<CancelStock>()
        .answers::<StockRequestView>(200)
        .refuses(&[Code::InvalidState]),
        Operation::new(
            "get",
            "/dev/v1/resellers/{id}/inventory",
            "The serials that a reseller bought to sell them on, masked, newest first.",
        )
        .scope(read)
        .query(&ITEMS)
        .lists_both_ways::<InventoryItemView>(),
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/inventory/{itm}/deliver",
            "Mail a serial to a customer, once.",
        )
        .scope(write)
        .once()
        .takes::<DeliverItem>()
        .answers::<InventoryItemView>(200)
        .refuses(&[Code::InvalidState]),
    ]
}

fn requests() -> Vec<Operation> {
    let (all, one) = (
        "/portal/v1/programs/{rel}/stock-requests",
        "/portal/v1/programs/{rel}/stock-requests/{stk}",
    );
    vec![
        Operation::of_session("get", all, "Your wholesale purchases, newest first.")
            .query(&REQUESTS)
            .lists_both_ways::<StockRequestView>(),
        Operation::of_session("post", all, "Ask for serials to sell them on.")
            .once()
            .takes::<RequestStock>()
            .answers::<StockRequestView>(201)
            .answers::<StockRequestView>(200)
            .refuses(&PAID),
        Operation::of_session("get", one, "One wholesale purchase.")
            .answers::<StockRequestView>(200),
        Operation::of_session(
            "post",
            "/portal/v1/programs/{rel}/stock-requests/{stk}/cancel",
            "You do not want it any more.",
        )
        .once()
        .takes::<CancelStock>()
        .answers::<StockRequestView>(200)
        .refuses(&[Code::InvalidState]),
    ]
}

fn inventory() -> Vec<Operation> {
    let act = |path, summary| {
        Operation::of_session("post", path, summary)
            .once()
            .answers::<InventoryItemView>(200)
            .refuses(&[Code::InvalidState])
    };
    vec![
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/inventory",
            "The serials that you bought, masked, newest first.",
        )
        .query(&ITEMS)
        .lists_both_ways::<InventoryItemView>(),
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/inventory/summary",
            "How many you have of each product, by what became of them.",
        )
        .answers_all::<InventorySummary>(),
        act(
            "/portal/v1/programs/{rel}/inventory/{itm}/deliver",
            "Mail a serial to your customer, once.",
        )
        .takes::<DeliverItem>(),
        act(
            "/portal/v1/programs/{rel}/inventory/{itm}/resend",
            "Mail it to the same customer again.",
        )
        .takes::<Nothing>(),
        act(
            "/portal/v1/programs/{rel}/inventory/{itm}/reveal",
            "Read a serial yourself.",
        )
        .takes::<Nothing>(),
    ]
}
