//! Part of C10: serials that left the shelf without an order.
//!
//! A withdrawal and its claims are two rows of one statement, so each is judged by the other; and what
//! merchants were told of theirs must be what is stored.

use std::collections::HashMap;

use crate::{
    Answer, Call, ClaimKind, Id, Invocation, Run, Withdrawal, index::Index, verdict::Check,
};

pub(super) fn check(index: &Index<'_>, run: &Run, check: &mut Check) {
    let mut stored: HashMap<Id, &Withdrawal> = HashMap::new();
    for row in &index.store.withdrawals {
        let again = stored.insert(row.withdrawal, row).is_some();
        check.that(!again, "a withdrawal is stored twice", || names(row));
        claimed(index, row, check);
    }
    let claims = index.store.claims.iter();
    let withdrawn = claims.filter(|claim| is_withdrawn(claim.kind)).count();
    let named: usize = index
        .store
        .withdrawals
        .iter()
        .map(|row| row.serials.len())
        .sum();
    check.that(withdrawn == named, "claims of no withdrawal", || {
        format!("{withdrawn} claims, {named} serials")
    });
    removed(index, check);
    told(index, &stored, check);
    asked(index, run, check);
}

const fn is_withdrawn(kind: ClaimKind) -> bool {
    match kind {
        ClaimKind::Fulfillment | ClaimKind::Quarantine => false,
        ClaimKind::Removal
        | ClaimKind::Pull
        | ClaimKind::Replacement
        | ClaimKind::Stock
        | ClaimKind::Sale => true,
    }
}

/// Each of its serials is claimed as it says, and from the shelf it names.
fn claimed(index: &Index<'_>, row: &Withdrawal, check: &mut Check) {
    for serial in &row.serials {
        let kind = index.claim(*serial).map(|claim| claim.kind);
        check.that(
            kind == Some(row.kind),
            "a withdrawn serial is not claimed so",
            || format!("serial {serial}, {}", names(row)),
        );
        let sku = index.import(*serial).map(|import| import.sku);
        check.that(sku == Some(row.sku), "withdrawn from another shelf", || {
            format!("serial {serial}, {}", names(row))
        });
    }
}

/// Only what was never sold or pulled makes room for another upload of its text.
fn removed(index: &Index<'_>, check: &mut Check) {
    for serial in &index.serials {
        let kind = index.claim(serial.serial).map(|claim| claim.kind);
        let right = match kind {
            Some(ClaimKind::Removal) => serial.removed,
            Some(ClaimKind::Quarantine) => true,
            Some(
                ClaimKind::Fulfillment
                | ClaimKind::Pull
                | ClaimKind::Replacement
                | ClaimKind::Stock
                | ClaimKind::Sale,
            )
            | None => !serial.removed,
        };
        check.that(
            right,
            "a serial is removed, or kept, against its claim",
            || serial.serial.to_string(),
        );
    }
}

/// What merchants were told they have.
fn told(index: &Index<'_>, stored: &HashMap<Id, &Withdrawal>, check: &mut Check) {
    for call in &index.history.invocations {
        let (Some(id), Some(Answer::Withdrawn { serials })) = (withdrawal(call), call.answer())
        else {
            continue;
        };
        let kept = stored.get(&id).map_or(&[][..], |row| &row.serials);
        // A removal that found nothing to remove leaves no row, and another of its id may have found some.
        let same = serials.is_empty() || sorted(kept) == sorted(serials);
        check.that(same, "a withdrawal is not stored as answered", || {
            id.to_string()
        });
    }
}

/// A withdrawal was asked for, by a call that may have executed it, of just these serials.
fn asked(index: &Index<'_>, run: &Run, check: &mut Check) {
    if !run.before.judges_withdrawals() {
        return;
    }
    let mut calls: HashMap<Id, Vec<&Invocation>> = HashMap::new();
    for call in &index.history.invocations {
        if let Some(id) = withdrawal(call) {
            calls.entry(id).or_default().push(call);
        }
    }
    for row in &index.store.withdrawals {
        let calls = calls.get(&row.withdrawal);
        let caused = calls.is_some_and(|calls| calls.iter().any(|call| may_cause(call, row)));
        check.that(caused, "a withdrawal nobody asked for", || names(row));
    }
}

fn may_cause(call: &Invocation, row: &Withdrawal) -> bool {
    if matches!(call.answer(), Some(Answer::Refused(_))) {
        return false;
    }
    match &call.call {
        Call::Remove { sku, serials, .. } => {
            *sku == row.sku
                && row.kind == ClaimKind::Removal
                && row.serials.iter().all(|serial| serials.contains(serial))
        }
        Call::Pull { sku, quantity, .. } => {
            let all = usize::try_from(*quantity);
            *sku == row.sku && row.kind == ClaimKind::Pull && all == Ok(row.serials.len())
        }
        Call::Redeem { sku, quantity, .. } => {
            let all = usize::try_from(*quantity);
            *sku == row.sku && row.kind == ClaimKind::Sale && all == Ok(row.serials.len())
        }
        Call::Fulfill { .. }
        | Call::LookUp { .. }
        | Call::Credit { .. }
        | Call::ReadBalance
        | Call::Import { .. }
        | Call::Change(_) => false,
    }
}

/// Which withdrawal a call asks for.
fn withdrawal(call: &Invocation) -> Option<Id> {
    match call.call {
        Call::Remove { withdrawal, .. }
        | Call::Pull { withdrawal, .. }
        | Call::Redeem { withdrawal, .. } => Some(withdrawal),
        Call::Fulfill { .. }
        | Call::LookUp { .. }
        | Call::Credit { .. }
        | Call::ReadBalance
        | Call::Import { .. }
        | Call::Change(_) => None,
    }
}

fn sorted(serials: &[Id]) -> Vec<Id> {
    let mut sorted = serials.to_vec();
    sorted.sort_unstable();
    sorted
}

fn names(row: &Withdrawal) -> String {
    format!("withdrawal {}", row.withdrawal)
}
