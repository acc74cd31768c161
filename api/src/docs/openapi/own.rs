//! What a merchant says of itself, and what its records say of it: `/dev/v1`.

use engine::api_keys::Scope;

use super::{Operation, parameters::Parameter};
use crate::{
    error::Code,
    reports::reconciliation::{CheckedView, ReconciliationMismatch},
    settings::{SettingsView, UpdateSettings},
};

pub(super) fn operations() -> Vec<Operation> {
    let settings = "/dev/v1/settings";
    vec![
        Operation::of_owner("get", settings, "What you say of yourself.")
            .answers::<SettingsView>(200),
        Operation::of_owner("patch", settings, "Change what you say of yourself.")
            .once()
            .takes::<UpdateSettings>()
            .answers::<SettingsView>(200)
            .refuses(&[Code::StepUpRequired]),
        Operation::new(
            "get",
            "/dev/v1/reports/reconciliation",
            "What of balances, deliveries and earnings does not add up; a page looks at a part of them.",
        )
        .scope(Scope::ResellerSalesRead)
        .query(&[
            Parameter::text("date", "Only ledgers, and of them the entries of this day in UTC."),
            Parameter::CURSOR,
        ])
        .lists::<ReconciliationMismatch>()
        .beside::<CheckedView>("checked"),
    ]
}
