//! What the run left: memory at rest against the store, and everything clients heard against both.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc};

use engine::{
    fulfillments::Fulfillment,
    money::Money,
};

use crate::{
    history::{Asked, Heard},
    stage::Stage,
};

/// Err: the first promise that was broken.
pub(crate) async fn judge(stage: &Stage) -> Result<(), String> {
    // Settlements are told, not asked: let the actors hear them.
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let audited = std::panic::catch_unwind(AssertUnwindSafe(|| stage.db.store.audit()));
    audited.map_err(|_| format!("the store: {:?}", crate::panics::told().pop()))?;
    memory(stage).await?;
    answers(stage)
}

/// C17: nothing is held, and actors say what is stored.
async fn memory(stage: &Stage) -> Result<(), String> {
    let engine = &stage.last().ok_or("no process serves")?.engine;
    for purse in &stage.cast.purses {
        let balance = engine.balance(purse.scope).await;
        let balance = balance.map_err(|fault| format!("C17: balance: {fault}"))?;
        let stored = {
            let tables = stage.db.tables();
            let last = tables.ledger(purse.scope.balance).next_back().map(|row| *row.stamp());
            last.map_or((0, Money::ZERO), |stamp| (stamp.version, stamp.balance_after))
        };
        if (balance.version, balance.posted) != stored || balance.held != Money::ZERO {
            return Err(format!("C17: memory {balance:?}, store {stored:?}"));
        }
    }
    for ware in &stage.cast.wares {
        let stock = engine.stock(ware.merchant, ware.sku).await;
        let stock = stock.map_err(|fault| format!("C17: stock: {fault}"))?;
        let (free, closed) = free(stage, ware);
        let there = free..=free + closed;
        if !there.contains(&stock.available) || stock.stock != stock.available {
            return Err(format!("C17: {stock:?}, store has {free} free and {closed} broken"));
        }
    }
    Ok(())
}

/// Unclaimed serials on sale: those that open, and those that do not and were not met yet.
fn free(stage: &Stage, ware: &crate::cast::Ware) -> (u64, u64) {
    let tables = stage.db.tables();
    let (mut free, mut closed) = (0, 0);
    for (id, row) in &tables.imports {
        if row.sku != ware.sku || row.number.is_none() {
            continue;
        }
        for (ordinal, sealed) in (0..).zip(&row.serials) {
            let serial = id.serial(ordinal);
            if tables.claims.contains_key(&serial) {
                continue;
            }
            if stage.cast.opens(ware.merchant, serial, sealed) {
                free += 1;
            } else {
                closed += 1;
            }
        }
    }
    (free, closed)
}

/// Every success of an order id is the same, stored, and of the body that was asked for.
fn answers(stage: &Stage) -> Result<(), String> {
    let calls = stage.history.calls();
    let mut first = BTreeMap::<(usize, &str), &Arc<Fulfillment>>::new();
    for call in &calls.calls {
        let (Some(purse), Some((_, Heard::Delivered { fulfillment, .. }))) =
            (call.purse, &call.heard)
        else {
            continue;
        };
        let (id, body) = match &call.asked {
            Asked::Order { id, body } => (id.as_str(), Some(body)),
            Asked::LookUp { id } => (id.as_str(), None),
            _ => continue,
        };
        let known = first.entry((purse, id)).or_insert(fulfillment);
        if known != &fulfillment {
            return Err(format!("C5: two answers to {id}"));
        }
        if let Some(body) = body {
            let lines = fulfillment.contents.lines.iter();
            let got: Vec<_> = lines.map(|line| (line.sku, line.quantity())).collect();
            if got != body.lines {
                return Err(format!("C6: {id} asked {:?}, got {got:?}", body.lines));
            }
        }
        let tables = stage.db.tables();
        let balance = stage.cast.purses[purse].scope.balance;
        let row = tables.entries.get(&(balance, fulfillment.stamp.version));
        let stored = matches!(
            row,
            Some(engine::testing::EntryRow::Fulfillment(row)) if *row == **fulfillment
        );
        if !stored {
            return Err(format!("C1: {id} was answered and is not stored"));
        }
    }
    Ok(())
}
