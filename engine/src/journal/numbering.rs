//! Makes rows out of what waits: gives each entry its place in its ledger.

use std::{collections::HashMap, sync::Arc};

use super::{
    Rows,
    queue::{Kind, Pending},
};
use crate::{
    balances::{Account, CreditEntry},
    clock::Timestamp,
    fulfillments::{Fulfillment, Stamp},
    ids::{BalanceId, EntryId},
    money::Money,
    random::Random,
};

/// Rows of one kind and, for each, its stamp. Numbering again gives other stamps: whatever is sent
/// twice is sent with the rows it had.
pub(super) struct Numbered {
    pub(super) rows: Rows,
    pub(super) stamps: Vec<Stamp>,
}

/// Numbers a batch from where its ledgers end; they end there until the batch is decided.
pub(super) fn number(batch: &[Pending], now: Timestamp, random: &dyn Random) -> Numbered {
    let mut ends = HashMap::new();
    let mut stamps = Vec::with_capacity(batch.len());
    let mut stamp = |account: &Account, amount: Money| {
        let stamp = next(&mut ends, account, amount, now, random);
        stamps.push(stamp);
        stamp
    };
    let kind = batch.first().map_or(Kind::Restock, Pending::kind);
    let mut fulfillments = Vec::new();
    let mut credits = Vec::new();
    let mut restocks = Vec::new();
    let mut withdrawals = Vec::new();
    for pending in batch {
        match pending {
            Pending::Fulfillment(intent, _) => fulfillments.push(Fulfillment {
                stamp: stamp(intent.account(), -intent.contents.total),
                contents: intent.contents.clone(),
                refunded: Money::ZERO,
                revealed: std::collections::BTreeMap::new(),
                replaced: Vec::new(),
                refunded_items: std::collections::BTreeSet::new(),
            }),
            Pending::Credit(intent, _) => credits.push(CreditEntry {
                stamp: stamp(intent.account(), intent.credit.amount),
                credit: intent.credit.clone(),
            }),
            Pending::Restock(intent, _) => restocks.push(intent.restock),
            Pending::Withdrawal(intent, _) => withdrawals.push(Arc::clone(&intent.withdrawal)),
        }
    }
    let rows = match kind {
        Kind::Fulfillment => Rows::Fulfillments(fulfillments),
        Kind::Credit => Rows::Credits(credits),
        Kind::Restock => Rows::Restocks(restocks),
        Kind::Withdrawal => Rows::Withdrawals(withdrawals),
    };
    assert_eq!(rows.len(), batch.len(), "a batch is of one kind");
    Numbered { rows, stamps }
}

/// Takes out the credits that would lift their balance beyond the largest amount.
pub(super) fn take_excess(batch: &mut Vec<Pending>) -> Vec<Pending> {
    let mut ends = HashMap::new();
    let exceeds = |pending: &mut Pending| {
        let Pending::Credit(intent, _) = pending else {
            return false;
        };
        let account = intent.account();
        let end = ends
            .entry(account.id)
            .or_insert_with(|| account.end.get().1);
        let sum = end.checked_add(intent.credit.amount);
        *end = sum.unwrap_or(*end);
        sum.is_none()
    };
    batch.extract_if(.., exceeds).collect()
}

fn next(
    ends: &mut HashMap<BalanceId, (i64, Money)>,
    account: &Account,
    amount: Money,
    now: Timestamp,
    random: &dyn Random,
) -> Stamp {
    let end = ends.entry(account.id).or_insert_with(|| account.end.get());
    let version = end.0 + 1;
    let balance_after = end
        .1
        .checked_add(amount)
        .expect("what exceeds the bound was taken out");
    assert!(
        !balance_after.is_negative(),
        "every debit in a lane is held"
    );
    *end = (version, balance_after);
    Stamp {
        id: EntryId::for_version(now, random, version),
        version,
        balance_after,
        created_at: now,
    }
}
