//! C1, C5, C6: what orders were answered with.

use crate::{
    Answer, Body, Call, Delivery, Entry, EntryKind, Finding, Invocation, Run,
    index::{Index, Order, is_fresh},
    verdict::Check,
};

/// C1.
pub(crate) fn stored(index: &Index<'_>, _: &Run) -> Finding {
    let mut check = Check::new();
    for row in index.repeated(EntryKind::Fulfillment) {
        check.violated("an order is stored twice", || {
            format!("`{}` of balance {}", row.reference, row.balance)
        });
    }
    for order in &index.orders {
        let stored = order.entry.map(|at| index.entries[at].row);
        for (call, delivery) in order.deliveries() {
            match stored {
                Some(row) => {
                    let same = differs(row, delivery);
                    let what = same.unwrap_or("agrees");
                    check.that(same.is_none(), what, || names(order, call));
                }
                None => check.that(false, "an acknowledged order is not stored", || {
                    names(order, call)
                }),
            }
        }
    }
    check.finding()
}

/// In what the stored entry differs from the answer.
fn differs(row: &Entry, delivery: &Delivery) -> Option<&'static str> {
    let shown = &delivery.serials;
    let same_time = row.created_at == delivery.created_at
        || delivery.created_at % 1000 == 0
            && row.created_at.div_euclid(1000) == delivery.created_at.div_euclid(1000);
    let mut pairs = shown.iter().zip(&row.serials);
    if row.id != delivery.id {
        Some("stored under another id than answered")
    } else if row.amount.checked_neg() != Some(delivery.cost) {
        Some("stored with another cost than answered")
    } else if !same_time {
        Some("stored with another time than answered")
    } else if shown.len() != row.serials.len()
        || pairs.any(|(answered, stored)| answered.id.0 != 0 && answered.id != *stored)
    {
        Some("stored with other serials than answered")
    } else {
        None
    }
}

/// C5.
pub(crate) fn equal(index: &Index<'_>, _: &Run) -> Finding {
    let mut check = Check::new();
    for order in &index.orders {
        let mut deliveries = order.deliveries();
        let Some((_, first)) = deliveries.next() else {
            continue;
        };
        check.look();
        for (call, delivery) in deliveries {
            check.that(same(first, delivery), "two answers differ", || {
                names(order, call)
            });
        }
        let fresh = order.calls.iter().filter(|call| is_fresh(call)).count();
        if fresh > 1 {
            check.violated("more than one answer is not a replay", || order.names());
        }
    }
    check.finding()
}

fn same(a: &Delivery, b: &Delivery) -> bool {
    let seen = |a: u128, b: u128| a == 0 || b == 0 || a == b;
    let mut serials = a.serials.iter().zip(&b.serials);
    (a.id, a.cost, a.created_at, a.serials.len()) == (b.id, b.cost, b.created_at, b.serials.len())
        && serials.all(|(a, b)| seen(a.id.0, b.id.0) && seen(a.secret.0, b.secret.0))
}

/// C6.
pub(crate) fn bound(index: &Index<'_>, run: &Run) -> Finding {
    let mut check = Check::new();
    for order in &index.orders {
        if let Some(bound) = bound_body(order) {
            for (call, _) in order.deliveries() {
                let allowed = body(call).is_none_or(|asked| asked == bound);
                let what = "another request than the bound one was shown the serials";
                check.that(allowed, what, || names(order, call));
            }
        }
        let known_from_start = order.entry.is_none_or(|at| {
            let row = index.entries[at].row;
            run.before.judges(row.balance, row.version)
        });
        for call in order.calls.iter().filter(|call| is_mismatch(call)) {
            let until = call
                .answered
                .as_ref()
                .map_or(u64::MAX, |answered| answered.at);
            let another = order.calls.iter().any(|other| {
                other.sent_at <= until && body(other).is_some() && body(other) != body(call)
            });
            let what = "a mismatch where there was no other request";
            check.that(another || !known_from_start, what, || names(order, call));
        }
    }
    check.finding()
}

/// The request an order id was delivered to: that of the answer that is no replay, else the first.
pub(crate) fn bound_body<'a>(order: &Order<'a>) -> Option<&'a Body> {
    let fresh = order.calls.iter().find(|call| is_fresh(call));
    let told = || order.deliveries().find_map(|(call, _)| body(call));
    fresh.and_then(|call| body(call)).or_else(told)
}

const fn body(call: &Invocation) -> Option<&Body> {
    match &call.call {
        Call::Fulfill { body, .. } => Some(body),
        _ => None,
    }
}

fn is_mismatch(call: &Invocation) -> bool {
    matches!(call.answer(), Some(Answer::Refused(code)) if code == "ORDER_MISMATCH")
}

pub(crate) fn names(order: &Order<'_>, call: &Invocation) -> String {
    let (client, sequence) = (call.client, call.sequence);
    format!("{}, call {sequence} of client {client}", order.names())
}
