//! C17, C19, C20: what the engine holds, says of itself and takes its time for.

use std::collections::HashMap;

use crate::{Finding, Run, Sku, index::Index, verdict::Check};

/// C17.
pub(crate) fn memory(index: &Index<'_>, run: &Run) -> Finding {
    let Some(memory) = &run.memory else {
        return Finding::NotChecked {
            why: "what the engine had in memory was not given",
        };
    };
    let mut check = Check::new();
    let ends: HashMap<i64, i64> = index
        .ledgers
        .iter()
        .map(|(balance, range)| (*balance, index.entries[range.end - 1].row.balance_after))
        .collect();
    for (balance, posted, held) in &memory.balances {
        let stored = ends.get(balance).copied().unwrap_or_default();
        check.that(stored == *posted, "memory and ledger differ", || {
            format!("balance {balance}")
        });
        check.that(*held == 0, "money is held at rest", || {
            format!("balance {balance}")
        });
    }
    for window in &memory.windows {
        check.that(window.held == 0, "serials are held at rest", || {
            format!("product {}", window.sku.product)
        });
        for serial in &window.serials {
            let sku = index.import(*serial).map(|import| import.sku);
            let free = index.serial(*serial).is_some() && index.claim(*serial).is_none();
            let what = "memory offers a serial that is not free";
            check.that(free && sku == Some(window.sku), what, || {
                format!("serial {serial}")
            });
        }
    }
    shelves(index, &memory.shelves, &mut check);
    check.finding()
}

/// On the shelf is what is neither claimed nor taken out; at rest all of it can be had.
fn shelves(index: &Index<'_>, told: &[(Sku, u64, u64)], check: &mut Check) {
    if told.is_empty() {
        return;
    }
    let mut free = HashMap::<Sku, u64>::new();
    for serial in &index.serials {
        let import = index.import(serial.serial);
        // An import without a number is not on sale yet.
        let on_sale = import.filter(|import| import.number.is_some());
        if let Some(import) = on_sale
            && !serial.removed
            && index.claim(serial.serial).is_none()
        {
            *free.entry(import.sku).or_default() += 1;
        }
    }
    for (sku, stock, available) in told {
        let stored = free.get(sku).copied().unwrap_or_default();
        let same = *stock == stored && *available == stored;
        check.that(same, "memory and shelf differ", || {
            format!(
                "product {}: {stock}, {available} free, stored {stored}",
                sku.product
            )
        });
    }
}

/// C19.
pub(crate) fn alarms(_: &Index<'_>, run: &Run) -> Finding {
    let Some(alarms) = run.alarms else {
        return Finding::NotChecked {
            why: "what the engine says of itself was not given",
        };
    };
    let mut check = Check::new();
    for (count, what) in [
        (alarms.invariant_violations, "an invariant was violated"),
        (alarms.breaches, "a constraint stopped a batch"),
        (alarms.quarantined, "a key is quarantined"),
    ] {
        check.that(count == 0, what, || format!("{count} times"));
    }
    check.finding()
}

/// C20. That a shed order left nothing is C2.
pub(crate) fn deadlines(index: &Index<'_>, run: &Run) -> Finding {
    let Some(within) = run.answer_within else {
        return Finding::NotChecked {
            why: "the run has no deadline",
        };
    };
    let mut check = Check::new();
    for call in &index.history.invocations {
        if let Some(answered) = &call.answered {
            let took = u128::from(answered.at.saturating_sub(call.sent_at));
            check.that(took <= within.as_nanos(), "answered too late", || {
                format!(
                    "call {} of client {}: {took} ns",
                    call.sequence, call.client
                )
            });
        }
    }
    check.finding()
}
