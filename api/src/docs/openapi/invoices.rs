//! Invoices, and the visits of customers that become some.

use engine::api_keys::Scope;

use super::{Operation, parameters::Parameter};
use crate::{
    checkout::create::{BeginCheckout, CheckoutSession},
    error::Code,
    invoices::{
        InvoiceView,
        complete::CompleteInvoice,
        replace::{InvoiceReplacementView, ReplaceSerials},
        take_back::{DisputeInvoice, RefundInvoice},
    },
    wire::fields::Nothing,
};

pub(super) fn operations() -> Vec<Operation> {
    let mut all = invoices();
    all.extend(waiting_invoices());
    all.push(checkout());
    all
}

fn invoices() -> Vec<Operation> {
    let filters = [
        Parameter::text("status", "Statuses, with commas between them."),
        Parameter::text(
            "purpose",
            "TOP_UP, CHECKOUT or STOCK_REQUEST, with commas between them.",
        ),
        Parameter::LIMIT,
        Parameter::CURSOR,
        Parameter::PAGE,
        Parameter::PER_PAGE,
        Parameter::CSV,
    ];
    vec![
        Operation::new("get", "/dev/v1/invoices", "All invoices, newest first.")
            .scope(Scope::ResellerSalesRead)
            .query(&filters)
            .lists_both_ways::<InvoiceView>()
            .or("text/csv"),
        Operation::new("get", "/dev/v1/invoices/{inv}", "One invoice.")
            .scope(Scope::ResellerSalesRead)
            .answers::<InvoiceView>(200),
        Operation::new(
            "post",
            "/dev/v1/invoices/{inv}/refund",
            "You gave money back, once per reference: of a top-up it leaves the balance, and what is not there is owed; a customer's purchase ends once its whole price went back, a line of it once the line's did.",
        )
        .scope(Scope::BalanceWrite)
        .once()
        .takes::<RefundInvoice>()
        .answers::<InvoiceView>(200)
        .refuses(&[
            Code::InvalidState,
            Code::AlreadyExists,
            Code::AmountOutOfRange,
        ]),
        Operation::new(
            "post",
            "/dev/v1/invoices/{inv}/dispute",
            "Whoever paid wants it back: a dispute was opened, won or lost.",
        )
        .scope(Scope::BalanceWrite)
        .once()
        .takes::<DisputeInvoice>()
        .answers::<InvoiceView>(200)
        .refuses(&[Code::InvalidState]),
        Operation::new(
            "post",
            "/dev/v1/invoices/{inv}/replacements",
            "Serials that a customer bought are no good: others leave the shelf for them.",
        )
        .scope(Scope::ResellerStockWrite)
        .once()
        .takes::<ReplaceSerials>()
        .answers::<InvoiceReplacementView>(200)
        .answers::<InvoiceReplacementView>(201)
        .refuses(&[
            Code::InvalidState,
            Code::ReplacementRefused,
            Code::OutOfStock,
        ]),
    ]
}

/// What a merchant says of an invoice that waits for money.
fn waiting_invoices() -> Vec<Operation> {
    vec![
        Operation::new(
            "post",
            "/dev/v1/invoices/{inv}/complete",
            "The money that the invoice asks for is there: it is credited, or what a customer bought is delivered, once.",
        )
        .scope(Scope::BalanceWrite)
        .once()
        .takes::<CompleteInvoice>()
        .answers::<InvoiceView>(200)
        .refuses(&[
            Code::InvalidState,
            Code::AlreadyExists,
            Code::ProviderUnavailable,
        ]),
        Operation::new(
            "post",
            "/dev/v1/invoices/{inv}/accept",
            "You take what a customer paid for the price, though it is less: it is delivered, once.",
        )
        .scope(Scope::BalanceWrite)
        .once()
        .takes::<Nothing>()
        .answers::<InvoiceView>(200)
        .refuses(&[Code::InvalidState]),
        Operation::new(
            "post",
            "/dev/v1/invoices/{inv}/cancel",
            "Nobody will pay this invoice.",
        )
        .scope(Scope::BalanceWrite)
        .once()
        .takes::<Nothing>()
        .answers::<InvoiceView>(200)
        .refuses(&[Code::InvalidState]),
    ]
}

fn checkout() -> Operation {
    Operation::new(
        "post",
        "/dev/v1/checkout/sessions",
        "Send a customer to a page of ours: the answer has its address.",
    )
    .scope(Scope::ResellersWrite)
    .once()
    .takes::<BeginCheckout>()
    .answers::<CheckoutSession>(201)
    .refuses(&[Code::NotFound, Code::ProductNotAllowed])
}
