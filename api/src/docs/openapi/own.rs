//! What a merchant says of itself, and what its records say of it: `/dev/v1`.

use engine::api_keys::Scope;

use super::{Operation, parameters::Parameter};
use crate::{
    reports::reconciliation::{CheckedView, ReconciliationMismatch},
};

pub(super) fn operations() -> Vec<Operation> {
    vec![
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
