//! Payouts and verifications, of both sides.

use engine::api_keys::Scope;

use super::{Operation, parameters::Parameter};
use crate::{
    error::Code,
    payouts::{
        PayoutView,
        decide::{CompletePayout, PayoutReason},
        request::RequestPayout,
        verification::{SubmitVerification, VerificationView},
    },
    sales::earnings::EarningsView,
    wire::fields::Nothing,
};

const STATUS: Parameter = Parameter::text("status", "Statuses, with commas between them.");

fn step(path: &'static str, summary: &'static str) -> Operation {
    Operation::new("post", path, summary)
        .scope(Scope::ResellerPayoutsWrite)
        .once()
        .refuses(&[Code::InvalidState])
}

pub(super) fn of_merchants() -> Vec<Operation> {
    let filters = [
        STATUS,
        Parameter::PAGE,
        Parameter::LIMIT,
        Parameter::PER_PAGE,
        Parameter::CURSOR,
        Parameter::CSV,
    ];
    let mut all = vec![
        Operation::new(
            "get",
            "/dev/v1/resellers/{id}/payouts",
            "What a reseller asks to be paid, newest first, and what it has earned.",
        )
        .scope(Scope::ResellerPayoutsRead)
        .query(&filters)
        .lists_both_ways::<PayoutView>()
        .beside::<EarningsView>("earnings")
        .or("text/csv"),
        step(
            "/dev/v1/resellers/{id}/payouts/{pay}/approve",
            "Approve a payout: verification, age of the address and earnings are checked.",
        )
        .takes::<Nothing>()
        .answers::<PayoutView>(200),
        step(
            "/dev/v1/resellers/{id}/payouts/{pay}/force-approve",
            "Approve a payout whatever would stop it; of people an owner alone.",
        )
        .takes::<PayoutReason>()
        .answers::<PayoutView>(200),
        step(
            "/dev/v1/resellers/{id}/payouts/{pay}/complete",
            "Say that a payout was paid; of people an owner alone.",
        )
        .takes::<CompletePayout>()
        .answers::<PayoutView>(200)
        .refuses(&[Code::ProviderUnavailable]),
    ];
    for (path, summary) in [
        (
            "/dev/v1/resellers/{id}/payouts/{pay}/reject",
            "Reject a payout: its amount is available again.",
        ),
        (
            "/dev/v1/resellers/{id}/payouts/{pay}/cancel",
            "Cancel a payout, also after it was approved.",
        ),
    ] {
        let one = step(path, summary).takes::<PayoutReason>();
        all.push(one.answers::<PayoutView>(200));
    }
    all.extend(verifications());
    all
}

fn verifications() -> Vec<Operation> {
    let mut all = vec![
        step(
            "/dev/v1/resellers/{id}/verification/approve",
            "The reseller is who it says it is.",
        )
        .takes::<Nothing>()
        .answers::<VerificationView>(200),
    ];
    for (path, summary) in [
        (
            "/dev/v1/resellers/{id}/verification/reject",
            "The reseller is to hand it in again.",
        ),
        (
            "/dev/v1/resellers/{id}/verification/reset",
            "A verification counts no more.",
        ),
    ] {
        let one = step(path, summary).takes::<PayoutReason>();
        all.push(one.answers::<VerificationView>(200));
    }
    all
}

pub(super) fn of_resellers() -> Vec<Operation> {
    let (all, own) = (
        "/portal/v1/programs/{rel}/payouts",
        "/portal/v1/programs/{rel}/verification",
    );
    vec![
        Operation::of_session("get", all, "What you asked to be paid, newest first.")
            .query(&[STATUS, Parameter::LIMIT, Parameter::CURSOR, Parameter::CSV])
            .lists::<PayoutView>()
            .or("text/csv"),
        Operation::of_session("post", all, "Ask to be paid.")
            .once()
            .takes::<RequestPayout>()
            .answers::<PayoutView>(201)
            .refuses(&[
                Code::StepUpRequired,
                Code::VerificationRequired,
                Code::RelationshipInactive,
                Code::AmountOutOfRange,
                Code::InvalidState,
            ]),
        Operation::of_session(
            "post",
            "/portal/v1/programs/{rel}/payouts/{pay}/cancel",
            "Take a request back while it waits.",
        )
        .once()
        .takes::<Nothing>()
        .answers::<PayoutView>(200)
        .refuses(&[Code::InvalidState]),
        Operation::of_session("get", own, "How far your verification is.")
            .answers::<VerificationView>(200),
        Operation::of_session("put", own, "Hand in who you are.")
            .once()
            .takes::<SubmitVerification>()
            .answers::<VerificationView>(200)
            .refuses(&[Code::InvalidState]),
    ]
}
