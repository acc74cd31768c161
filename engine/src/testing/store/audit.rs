//! Judges what is stored, whatever happened to it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Claimant, EntryRow, MemoryStore};
use crate::{
    ids::{BalanceId, SerialId},
    money::Money,
};

impl MemoryStore {
    /// What is left must be what the promises say, whatever happened: every ledger adds up from zero
    /// without a gap, is never below zero, and every delivered serial has exactly one claim.
    ///
    /// # Panics
    /// If it is not.
    pub fn audit(&self) {
        let tables = self.tables();
        let mut ends = BTreeMap::<BalanceId, (i64, Money)>::new();
        let mut delivered = BTreeSet::<SerialId>::new();
        for (&(balance, version), row) in &tables.entries {
            let end = ends.entry(balance).or_insert((0, Money::ZERO));
            let after = end.1.checked_add(row.amount()).expect("a bounded sum");
            assert_eq!(version, end.0 + 1, "versions have no gap");
            assert_eq!(row.stamp().balance_after, after, "a ledger adds up");
            assert!(!after.is_negative(), "a balance is never below zero");
            *end = (version, after);
            if let EntryRow::Fulfillment(fulfillment) = row {
                for serial in fulfillment.contents.serials() {
                    assert!(delivered.insert(serial.id), "a serial is delivered once");
                    let claim = tables.claims.get(&serial.id);
                    assert_eq!(claim, Some(&Claimant::Entry(balance, version)));
                }
            }
        }
        let entries = |claimant: &&Claimant| matches!(claimant, Claimant::Entry(..));
        assert_eq!(
            tables.claims.values().filter(entries).count(),
            delivered.len()
        );
        for (&lane, row) in &tables.lanes {
            let numbers = tables.batches.range((lane, 0)..=(lane, i64::MAX));
            let numbers: Vec<_> = numbers.map(|((_, seq), _)| *seq).collect();
            let all: Vec<_> = (1..=row.seq).collect();
            assert_eq!(numbers, all, "batches of lane {lane} have no gap");
        }
    }
}
