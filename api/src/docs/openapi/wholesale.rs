//! Wholesale purchases and inventories, of `/dev/v1` and of `/portal/v1`.

use engine::api_keys::Scope;

use super::{Operation, parameters::Parameter};
use crate::{
    error::Code,
    stock_requests::{
        InventoryItemView, InventorySummary, StockRequestView,
        cancel::CancelStock,
        deliver::DeliverItem,
        export::ExportInventory,
        invoice::InvoiceStock,
        mark_paid::MarkStockPaid,
        open::RequestStock,
        revoke::{RevokeStock, RevokedStock},
    },
    wire::fields::Nothing,
};

/// What paying from the balance, or opening an invoice, may be answered besides.
const PAID: [Code; 11] = [
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
    Code::ProviderUnavailable,
];

const REQUESTS: [Parameter; 6] = [
    Parameter::text("status", "Statuses, with commas between them."),
    Parameter::LIMIT,
    Parameter::CURSOR,
    Parameter::PAGE,
    Parameter::PER_PAGE,
    Parameter::CSV,
];

const ITEMS: [Parameter; 9] = [
    Parameter::text("status", "Statuses, with commas between them."),
    Parameter::text("product_id", "Of this product."),
    Parameter::text("stock_request_id", "Of this purchase."),
    Parameter::text("email", "That went to this address."),
    Parameter::LIMIT,
    Parameter::CURSOR,
    Parameter::PAGE,
    Parameter::PER_PAGE,
    Parameter::CSV,
];

pub(super) fn operations() -> Vec<Operation> {
    let mut all = purchases();
    all.extend(steps());
    all.extend(items());
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
        .lists_both_ways::<StockRequestView>()
        .or("text/csv"),
        Operation::new(
            "get",
            "/dev/v1/resellers/{id}/stock-transfers/{stk}",
            "One wholesale purchase.",
        )
        .scope(read)
        .answers::<StockRequestView>(200),
    ]
}

fn steps() -> Vec<Operation> {
    let write = Scope::ResellerStockWrite;
    vec![
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/stock-transfers/{stk}/invoice",
            "Say in what it is paid: from the balance, debit and serials are one step.",
        )
        .scope(write)
        .once()
        .takes::<InvoiceStock>()
        .answers::<StockRequestView>(200)
        .refuses(&PAID),
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/stock-transfers/{stk}/mark-paid",
            "Say that its money came, once.",
        )
        .scope(write)
        .once()
        .takes::<MarkStockPaid>()
        .answers::<StockRequestView>(200)
        .refuses(&[Code::InvalidState, Code::AlreadyExists]),
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/stock-transfers/{stk}/allocate",
            "Give the serials out that are paid, all or none.",
        )
        .scope(write)
        .once()
        .takes::<Nothing>()
        .answers::<StockRequestView>(200)
        .refuses(&[Code::InvalidState, Code::OutOfStock]),
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/stock-transfers/{stk}/revoke",
            "Take back what no customer has; what was paid for it goes to the balance.",
        )
        .scope(write)
        .once()
        .takes::<RevokeStock>()
        .answers::<RevokedStock>(200)
        .refuses(&[Code::InvalidState]),
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/stock-transfers/{stk}/cancel",
            "End a purchase; what was paid for it goes to the balance.",
        )
        .scope(write)
        .once()
        .takes::<CancelStock>()
        .answers::<StockRequestView>(200)
        .refuses(&[Code::InvalidState]),
    ]
}

fn items() -> Vec<Operation> {
    let (read, write) = (Scope::ResellerStockRead, Scope::ResellerStockWrite);
    vec![
        Operation::new(
            "get",
            "/dev/v1/resellers/{id}/inventory",
            "The serials that a reseller bought to sell them on, masked, newest first.",
        )
        .scope(read)
        .query(&ITEMS)
        .lists_both_ways::<InventoryItemView>()
        .or("text/csv"),
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
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/inventory/{itm}/revoke",
            "Take one serial back.",
        )
        .scope(write)
        .once()
        .takes::<RevokeStock>()
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
            .lists_both_ways::<StockRequestView>()
            .or("text/csv"),
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
        .lists_both_ways::<InventoryItemView>()
        .or("text/csv"),
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/inventory/summary",
            "How many you have of each product, by what became of them.",
        )
        .answers_all::<InventorySummary>(),
        Operation::of_session(
            "post",
            "/portal/v1/programs/{rel}/inventory/export",
            "The available serials in the clear, as a file.",
        )
        .takes::<ExportInventory>()
        .answers_file(&["text/csv", "text/plain"])
        .refuses(&[Code::StepUpRequired]),
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
