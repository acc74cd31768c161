//! C9: a delivery and its claims, from both sides.

use super::answers::bound_body;
use crate::{
    Body, Claim, ClaimKind, EntryKind, Finding, Id, Run,
    index::{Index, Known},
    verdict::Check,
};

pub(crate) fn whole(index: &Index<'_>, _: &Run) -> Finding {
    let mut check = Check::new();
    for known in &index.entries {
        let claims = index.claims_of(known.row.balance, known.row.version);
        let same = match known.row.kind {
            EntryKind::Fulfillment => {
                !claims.is_empty() && same_serials(claims, &known.row.serials)
            }
            EntryKind::TopUp
            | EntryKind::Credit
            | EntryKind::Refund
            | EntryKind::Debit
            | EntryKind::TopUpReversal
            | EntryKind::DebtSettlement
            | EntryKind::StockRefund => claims.is_empty(),
        };
        check.that(same, "an entry's serials are not its claims", || {
            names(known)
        });
        merchant(index, known, claims, &mut check);
    }
    for order in &index.orders {
        if let (Some(at), Some(body)) = (order.entry, bound_body(order)) {
            let row = index.entries[at].row;
            let claims = index.claims_of(row.balance, row.version);
            let what = "other products or quantities than asked for";
            check.that(fits(index, body, claims), what, || order.names());
        }
    }
    for claim in &index.store.claims {
        let entered = match claim.kind {
            ClaimKind::Fulfillment => index
                .entry(claim.balance, claim.version)
                .is_some_and(|known| known.row.kind == EntryKind::Fulfillment),
            ClaimKind::Quarantine
            | ClaimKind::Removal
            | ClaimKind::Pull
            | ClaimKind::Replacement
            | ClaimKind::Stock
            | ClaimKind::Sale => true,
        };
        check.that(entered, "a claim has no delivery", || {
            format!("serial {}", claim.serial)
        });
    }
    check.finding()
}

fn same_serials(claims: &[&Claim], serials: &[Id]) -> bool {
    let mut claimed: Vec<Id> = claims.iter().map(|claim| claim.serial).collect();
    let mut entered = serials.to_vec();
    claimed.sort_unstable();
    entered.sort_unstable();
    claimed == entered
        && claims
            .iter()
            .all(|claim| claim.kind == ClaimKind::Fulfillment)
}

fn merchant(index: &Index<'_>, known: &Known<'_>, claims: &[&Claim], check: &mut Check) {
    let Some(balance) = index.balances.get(&known.row.balance) else {
        check.violated("an entry of no balance", || names(known));
        return;
    };
    for claim in claims {
        let serial = index.serial(claim.serial).map(|serial| serial.merchant);
        let import = index.import(claim.serial).map(|import| import.merchant);
        let own = serial == Some(balance.merchant) && import == Some(balance.merchant);
        check.that(own, "a serial of another merchant, or of none", || {
            format!("serial {}, {}", claim.serial, names(known))
        });
    }
}

/// Whether line for line as many serials of the SKU were claimed as asked for.
fn fits(index: &Index<'_>, body: &Body, claims: &[&Claim]) -> bool {
    let mut rest = claims;
    for (number, line) in (1_i16..).zip(&body.lines) {
        let Ok(quantity) = usize::try_from(line.quantity) else {
            return false;
        };
        let Some((own, others)) = rest.split_at_checked(quantity) else {
            return false;
        };
        let right = |claim: &&Claim| {
            let sku = index.import(claim.serial).map(|import| import.sku);
            claim.line == number && sku == Some(line.sku)
        };
        if !own.iter().all(right) {
            return false;
        }
        rest = others;
    }
    rest.is_empty()
}

fn names(known: &Known<'_>) -> String {
    let row = known.row;
    format!(
        "`{}`, version {} of balance {}",
        row.reference, row.version, row.balance
    )
}
