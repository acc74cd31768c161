//! Sales, commissions and earnings, of both sides.

use engine::api_keys::Scope;

use super::{Operation, parameters::Parameter};
use crate::{
    error::Code,
    sales::{
        CommissionView, SaleView,
        decide::ReverseCommission,
        earnings::{EarningsEntry, EarningsView},
        refund::RefundSale,
        report::{AttributedSale, ReportSale, ToldSale},
    },
    wire::fields::Nothing,
};

/// What a list of sales is asked with.
const SALES: [Parameter; 9] = [
    Parameter::text("status", "Statuses, with commas between them."),
    Parameter::text("product_id", "Of this product."),
    Parameter::FROM,
    Parameter::TO,
    Parameter::PAGE,
    Parameter::LIMIT,
    Parameter::PER_PAGE,
    Parameter::CURSOR,
    Parameter::CSV,
];

/// What a list of commissions is asked with.
const COMMISSIONS: [Parameter; 7] = [
    Parameter::text("status", "Statuses, with commas between them."),
    Parameter::text("product_id", "Of this product."),
    Parameter::FROM,
    Parameter::TO,
    Parameter::LIMIT,
    Parameter::CURSOR,
    Parameter::CSV,
];

pub(super) fn of_merchants() -> Vec<Operation> {
    vec![
        Operation::new(
            "post",
            "/dev/v1/resellers/sales",
            "Report a sale of your own shop with the token that the customer came with, once.",
        )
        .scope(Scope::ResellersWrite)
        .once()
        .takes::<ReportSale>()
        .answers::<AttributedSale>(201)
        .answers::<ToldSale>(200)
        .refuses(&[Code::NotFound, Code::AlreadyExists]),
        Operation::new(
            "post",
            "/dev/v1/resellers/sales/{sal}/refund",
            "A customer got money back: the same share of the commission is taken back, and an invoice of ours whose price went back is delivered no more. A sale of an invoice of ours needs `balance.write` too.",
        )
        .scope(Scope::ResellersWrite)
        .once()
        .takes::<RefundSale>()
        .answers::<SaleView>(200)
        .refuses(&[
            Code::AlreadyExists,
            Code::AmountOutOfRange,
            Code::InvalidState,
        ]),
        Operation::new(
            "get",
            "/dev/v1/resellers/{id}/sales",
            "What a reseller sold, newest first.",
        )
        .scope(Scope::ResellerSalesRead)
        .query(&SALES)
        .lists_both_ways::<SaleView>()
        .or("text/csv"),
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/commissions/{com}/approve",
            "Approve a commission before its hold is over.",
        )
        .scope(Scope::ResellerPayoutsWrite)
        .once()
        .takes::<Nothing>()
        .answers::<CommissionView>(200)
        .refuses(&[Code::InvalidState]),
        Operation::new(
            "post",
            "/dev/v1/resellers/{id}/commissions/{com}/reverse",
            "Take back what is left of a commission.",
        )
        .scope(Scope::ResellerPayoutsWrite)
        .once()
        .takes::<ReverseCommission>()
        .answers::<CommissionView>(200)
        .refuses(&[Code::InvalidState]),
    ]
}

pub(super) fn of_resellers() -> Vec<Operation> {
    vec![
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/sales",
            "What you sold, newest first.",
        )
        .query(&SALES)
        .lists_both_ways::<SaleView>()
        .or("text/csv"),
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/commissions",
            "What you earned by it, with the end of each hold.",
        )
        .query(&COMMISSIONS)
        .lists::<CommissionView>()
        .or("text/csv"),
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/earnings",
            "What is on hold, approved, taken back and paid.",
        )
        .answers::<EarningsView>(200),
        Operation::of_session(
            "get",
            "/portal/v1/programs/{rel}/earnings/ledger",
            "Every change of what was approved less what was paid, newest first.",
        )
        .query(&[Parameter::LIMIT, Parameter::CURSOR, Parameter::CSV])
        .lists::<EarningsEntry>()
        .or("text/csv"),
    ]
}
