//! C10: the serials.

use std::collections::{HashMap, HashSet};

use super::withdrawals;
use crate::{
    Answer, Call, Claim, ClaimKind, Finding, Id, Import, Run, Serial, Sku, index::Index,
    verdict::Check,
};

pub(crate) fn accounted_for(index: &Index<'_>, run: &Run) -> Finding {
    let mut check = Check::new();
    stored_once(&index.serials, &mut check);
    let rows = imports(index, &mut check);
    for import in &index.store.imports {
        let count = rows.get(&import.import).copied().unwrap_or_default();
        check.that(
            count == import.serials,
            "an import lost or gained serials",
            || format!("import {}: {count} of {}", import.import, import.serials),
        );
    }
    numbers(&index.store.imports, &mut check);
    for claim in &index.claimed {
        claimed(index, claim, &mut check);
    }
    uploads(index, &mut check);
    withdrawals::check(index, run, &mut check);
    check.finding()
}

fn stored_once(serials: &[&Serial], check: &mut Check) {
    for pair in serials.windows(2) {
        let what = "a serial's id is stored twice";
        check.that(pair[0].serial != pair[1].serial, what, || {
            pair[0].serial.to_string()
        });
    }
    let present = serials.iter().filter(|serial| !serial.removed);
    let mut secrets: Vec<(Id, Id)> = present
        .map(|serial| (serial.merchant, serial.fingerprint))
        .collect();
    secrets.sort_unstable();
    for pair in secrets.windows(2) {
        check.that(
            pair[0] != pair[1],
            "a merchant has one secret twice",
            || format!("fingerprint {}", pair[0].1),
        );
    }
}

/// How many serials each import has; each must be claimed if it lies below the low-water mark.
fn imports(index: &Index<'_>, check: &mut Check) -> HashMap<Id, u32> {
    let mut rows = HashMap::new();
    for serial in &index.serials {
        *rows.entry(serial.import()).or_default() += 1;
        let Some(import) = index.imports.get(&serial.import()) else {
            check.violated("a serial of no import", || serial.serial.to_string());
            continue;
        };
        check.that(
            import.merchant == serial.merchant,
            "a serial in another's import",
            || serial.serial.to_string(),
        );
        let below = serial.serial.0 - import.import.0 < u128::from(import.low_ordinal);
        let skipped =
            below && !import.test && !serial.removed && index.claim(serial.serial).is_none();
        check.that(
            !skipped,
            "a free serial below the low-water mark is never sold",
            || serial.serial.to_string(),
        );
    }
    rows
}

fn numbers(imports: &[Import], check: &mut Check) {
    let mut used = HashSet::new();
    for import in imports {
        let fresh = import.number.is_none_or(|number| used.insert(number));
        check.that(fresh, "two imports have one number", || {
            import.import.to_string()
        });
    }
}

fn claimed(index: &Index<'_>, claim: &Claim, check: &mut Check) {
    let stored = index.serial(claim.serial).is_some();
    check.that(stored, "a claim of no serial", || claim.serial.to_string());
    if claim.kind != ClaimKind::Quarantine {
        let import = index.import(claim.serial);
        let on_sale = import.is_some_and(|import| import.number.is_some() || import.test);
        check.that(on_sale, "taken from an import that is not on sale", || {
            claim.serial.to_string()
        });
        let balance = index.balances.get(&claim.balance);
        let apart = import
            .zip(balance)
            .is_none_or(|(import, balance)| import.test == balance.test);
        check.that(
            apart,
            "test mode and live have each other's serials",
            || claim.serial.to_string(),
        );
    }
}

/// What clients were told of their uploads.
fn uploads(index: &Index<'_>, check: &mut Check) {
    for call in &index.history.invocations {
        let (
            Call::Import { sku, secrets },
            Some(Answer::Imported {
                import,
                stored,
                duplicates,
            }),
        ) = (&call.call, call.answer())
        else {
            continue;
        };
        let told: (Sku, u32) = (*sku, *stored);
        let found = index.imports.get(import).map(|row| (row.sku, row.serials));
        check.that(
            found == Some(told),
            "an upload is not stored as answered",
            || import.to_string(),
        );
        let all = usize::try_from(u64::from(*stored) + u64::from(*duplicates));
        check.that(
            all == Ok(secrets.len()),
            "an upload's counts are not its lines",
            || import.to_string(),
        );
    }
}
