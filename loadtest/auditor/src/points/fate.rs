//! C2, C3: what was answered as not executed, and what was not answered for certain.
//!
//! An entry must have a call that may have executed it. A call answered as unknown cannot have, once
//! its order id was looked up afterwards and found free: a refusal that follows a look-up says so.

use std::collections::HashMap;

use super::answers::names;
use crate::{
    Account, Answer, Call, Finding, Invocation, Run,
    index::{Credit, Index, Order, is_fresh, may_execute},
    verdict::Check,
};

/// Refusals that are told only after the order id was looked up and found free.
const AFTER_LOOK_UP: [&str; 12] = [
    "PROGRAM_DISABLED",
    "RELATIONSHIP_INACTIVE",
    "MODE_NOT_ALLOWED",
    "NOT_FOUND",
    "PRODUCT_NOT_ALLOWED",
    "PRODUCT_NOT_ELIGIBLE",
    "QUANTITY_OUT_OF_RANGE",
    "PRICE_CHANGED",
    "PURCHASE_LIMIT_EXCEEDED",
    "SPEND_CAP_EXCEEDED",
    "INSUFFICIENT_BALANCE",
    "OUT_OF_STOCK",
];

/// What a debit is refused with after its reference was looked up and found free.
const SHORT: &str = "INSUFFICIENT_BALANCE";

/// C2.
pub(crate) fn refused(index: &Index<'_>, run: &Run) -> Finding {
    let mut check = Check::new();
    for order in &index.orders {
        let told = order
            .deliveries()
            .filter_map(|(call, _)| answered_at(call))
            .min();
        for call in &order.calls {
            if let Some(Answer::Refused(_) | Answer::Absent) = call.answer() {
                let delivered = told.is_some_and(|at| at < call.sent_at) && found_free(call);
                let what = "an order that was delivered was denied afterwards";
                check.that(!delivered, what, || names(order, call));
            }
        }
        let executed = order.calls.iter().any(|call| may_execute(call));
        if judged(index, run, order) && !executed {
            let what = "an entry is stored though every call was answered as not executed";
            check.violated(what, || order.names());
        }
    }
    credits_refused(index, run, &mut check);
    for known in &index.entries {
        if !known.asked && run.before.judges(known.row.balance, known.row.version) {
            let row = known.row;
            check.violated("an entry nobody asked for", || {
                format!(
                    "`{}`, version {} of balance {}",
                    row.reference, row.version, row.balance
                )
            });
        }
    }
    check.finding()
}

/// Of credits and debits by their references: none is stored that was refused each time, and a debit that
/// was told is not said to lack the money later.
fn credits_refused(index: &Index<'_>, run: &Run, check: &mut Check) {
    let mut all: HashMap<(Option<Account>, &str), Vec<&Credit<'_>>> = HashMap::new();
    for credit in &index.credits {
        let reference = (credit.call.account, credit.reference);
        all.entry(reference).or_default().push(credit);
    }
    for ((_, reference), credits) in all {
        let told = credits.iter().filter(|credit| is_told(credit));
        let told = told.filter_map(|credit| answered_at(credit.call)).min();
        for credit in &credits {
            if let Some(Answer::Refused(code)) = credit.call.answer() {
                let denied = code == SHORT && told.is_some_and(|at| at < credit.call.sent_at);
                let what = "a debit that was executed was denied afterwards";
                check.that(!denied, what, || format!("`{reference}`"));
            }
        }
        let executed = credits.iter().any(|credit| {
            let fresh = matches!(
                credit.call.answer(),
                Some(Answer::Credited {
                    replayed: false,
                    ..
                })
            );
            fresh || credit.call.is_open()
        });
        let stored = credits.iter().find_map(|credit| credit.entry);
        let stored = stored.map(|at| index.entries[at].row);
        if stored.is_some_and(|row| run.before.judges(row.balance, row.version)) && !executed {
            let what = "a credit is stored though every call was answered as not executed";
            check.violated(what, || format!("`{reference}`"));
        }
    }
}

fn is_told(credit: &Credit<'_>) -> bool {
    matches!(credit.call.answer(), Some(Answer::Credited { .. }))
}

/// C3.
pub(crate) fn unknown(index: &Index<'_>, run: &Run) -> Finding {
    let mut check = Check::new();
    for order in index
        .orders
        .iter()
        .filter(|order| order.calls.iter().any(|call| call.is_open()))
    {
        check.look();
        if run.resent && !resolved(order) {
            check.violated("still unknown after it was sent again", || order.names());
        }
        let executors = || order.calls.iter().filter(|call| may_execute(call));
        let alive = executors().any(|call| is_fresh(call) || !denied_after(order, call));
        if judged(index, run, order) && executors().next().is_some() && !alive {
            let what = "absent after an unknown answer, and there all the same";
            check.violated(what, || order.names());
        }
    }
    for credit in index.credits.iter().filter(|credit| credit.call.is_open()) {
        let fits = |row: &crate::Entry| credit.fits(row.kind, row.amount);
        let whole = credit.entry.is_none_or(|at| fits(index.entries[at].row));
        check.that(
            whole,
            "a credit without an answer has another amount",
            || format!("`{}`", credit.reference),
        );
    }
    check.finding()
}

/// Whether the order's entry is one of this run.
fn judged(index: &Index<'_>, run: &Run, order: &Order<'_>) -> bool {
    order.entry.is_some_and(|at| {
        let row = index.entries[at].row;
        run.before.judges(row.balance, row.version)
    })
}

/// Whether the last word about an order is certain.
fn resolved(order: &Order<'_>) -> bool {
    let last_open = order
        .calls
        .iter()
        .filter(|call| call.is_open())
        .map(|call| call.sent_at)
        .max();
    order.deliveries().next().is_some()
        || order.calls.iter().any(|call| {
            let certain = found_free(call) || matches!(call.answer(), Some(Answer::Refused(_)));
            certain && last_open.is_none_or(|open| call.sent_at > open)
        })
}

/// Whether the order id was found free after this call had been answered as unknown.
fn denied_after(order: &Order<'_>, call: &Invocation) -> bool {
    answered_at(call).is_some_and(|at| {
        order
            .calls
            .iter()
            .any(|later| later.sent_at > at && found_free(later))
    })
}

fn found_free(call: &Invocation) -> bool {
    match (&call.call, call.answer()) {
        (Call::LookUp { .. }, Some(Answer::Absent)) => true,
        (Call::Fulfill { .. }, Some(Answer::Refused(code))) => AFTER_LOOK_UP.contains(&&**code),
        _ => false,
    }
}

fn answered_at(call: &Invocation) -> Option<u64> {
    call.answered.as_ref().map(|answered| answered.at)
}
