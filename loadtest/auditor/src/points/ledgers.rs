//! C7, C8: the money.

use std::collections::HashMap;

use crate::{
    Answer, Call, EntryKind, Finding, Id, Run,
    index::{Credit, Index, Known, is_fresh},
    verdict::Check,
};

/// C7.
pub(crate) fn add_up(index: &Index<'_>, _: &Run) -> Finding {
    let mut check = Check::new();
    for (_, range) in &index.ledgers {
        let (mut version, mut sum) = (0_i64, Some(0_i64));
        for known in &index.entries[range.clone()] {
            let row = known.row;
            version += 1;
            check.that(
                row.version == version,
                "versions have a gap or repeat",
                || names(known),
            );
            version = row.version;
            sum = sum.and_then(|sum| sum.checked_add(row.amount));
            check.that(
                sum == Some(row.balance_after),
                "a ledger does not add up",
                || names(known),
            );
            sum = Some(row.balance_after);
            check.that(row.balance_after >= 0, "a balance is below zero", || {
                names(known)
            });
        }
    }
    check.finding()
}

/// C8.
pub(crate) fn are_what_was_asked(index: &Index<'_>, _: &Run) -> Finding {
    let mut check = Check::new();
    for known in &index.entries {
        let right_sign = match known.row.kind {
            EntryKind::Fulfillment
            | EntryKind::Debit
            | EntryKind::TopUpReversal
            | EntryKind::DebtSettlement => known.row.amount <= 0,
            EntryKind::TopUp | EntryKind::Credit | EntryKind::Refund | EntryKind::StockRefund => {
                known.row.amount > 0
            }
        };
        check.that(right_sign, "a debit adds or a credit takes", || {
            names(known)
        });
        if known.row.kind == EntryKind::Fulfillment {
            debit(index, known, &mut check);
        }
    }
    for row in index
        .repeated(EntryKind::TopUp)
        .chain(index.repeated(EntryKind::Credit))
        .chain(index.repeated(EntryKind::Refund))
        .chain(index.repeated(EntryKind::Debit))
        .chain(index.repeated(EntryKind::TopUpReversal))
        .chain(index.repeated(EntryKind::StockRefund))
        .chain(index.repeated(EntryKind::DebtSettlement))
    {
        check.violated("a reference is stored twice", || {
            format!("`{}` of balance {}", row.reference, row.balance)
        });
    }
    one_price_per_version(index, &mut check);
    accepted_totals(index, &mut check);
    for credit in &index.credits {
        credited(index, credit, &mut check);
    }
    check.finding()
}

fn debit(index: &Index<'_>, known: &Known<'_>, check: &mut Check) {
    let row = known.row;
    let claims = index.claims_of(row.balance, row.version);
    let cost = claims
        .iter()
        .try_fold(0_i64, |sum, claim| sum.checked_add(claim.unit_price));
    let what = "a debit is not the sum of its units";
    check.that(
        cost.and_then(i64::checked_neg) == Some(row.amount),
        what,
        || names(known),
    );
}

/// A version of a price rises with whatever changes the price, for each relationship.
fn one_price_per_version(index: &Index<'_>, check: &mut Check) {
    let mut prices = HashMap::new();
    for claim in &index.store.claims {
        let relationship = index
            .balances
            .get(&claim.balance)
            .map(|row| row.relationship);
        let (Some(relationship), Some(import)) = (relationship, index.import(claim.serial)) else {
            continue;
        };
        let version = (relationship, import.sku, claim.price_version);
        let price = *prices.entry(version).or_insert(claim.unit_price);
        check.that(
            price == claim.unit_price,
            "one version has two prices",
            || format!("serial {}, version {}", claim.serial, claim.price_version),
        );
    }
}

fn accepted_totals(index: &Index<'_>, check: &mut Check) {
    for call in index
        .history
        .invocations
        .iter()
        .filter(|call| is_fresh(call))
    {
        if let (
            Call::Fulfill {
                max_total: Some(max),
                order_id,
                ..
            },
            Some(delivery),
        ) = (&call.call, call.delivery())
        {
            check.that(
                delivery.cost <= *max,
                "dearer than the caller accepts",
                || format!("order `{order_id}`"),
            );
        }
    }
}

fn credited(index: &Index<'_>, credit: &Credit<'_>, check: &mut Check) {
    let Some(Answer::Credited {
        id,
        amount,
        balance_after,
        ..
    }) = credit.call.answer()
    else {
        return;
    };
    let row = credit.entry.map(|at| index.entries[at].row);
    let as_asked = row.is_some_and(|row| credit.fits(row.kind, *amount));
    let stored: Option<(Id, i64, i64)> = row.map(|row| (row.id, row.amount, row.balance_after));
    let same = stored == Some((*id, *amount, *balance_after)) && as_asked;
    check.that(same, "a credit is not stored as it was answered", || {
        format!("`{}`", credit.reference)
    });
}

fn names(known: &Known<'_>) -> String {
    format!(
        "version {} of balance {}",
        known.row.version, known.row.balance
    )
}
