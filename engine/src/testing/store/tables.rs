//! The tables, and what a commit does to them.
//!
//! Keeps the constraints of the migrations: one owner, fence and number per lane; one entry per
//! (balance, version) and per (balance, kind, reference); one claim per serial, for ever; a withdrawal
//! once; no balance below zero. A commit is applied whole or not at all.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::ReservationRow;
use crate::{
    balances::{CreditEntry, EntryKind},
    catalog::{Product, Sku},
    fulfillments::{Fulfillment, Stamp},
    ids::{BalanceId, ImportId, MerchantId, ProductId, RelationshipId, SerialId, WithdrawalId},
    inventory::{Restock, Withdrawal},
    journal::{Batch, Failure, LanePosition, Owner, Rows},
    merchants::Merchant,
    money::Money,
    relationships::Terms,
    vault::Sealed,
};

/// What a lane's row says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LaneRow {
    pub owner: Option<Owner>,
    pub fence: i64,
    pub seq: i64,
}

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryRow {
    Fulfillment(Fulfillment),
    Credit(CreditEntry),
}

impl EntryRow {
    /// The fulfillment, if it is one.
    pub fn into_fulfillment(self) -> Option<Fulfillment> {
        match self {
            Self::Fulfillment(fulfillment) => Some(fulfillment),
            Self::Credit(_) => None,
        }
    }

    /// The credit, if it is one.
    pub fn into_credit(self) -> Option<CreditEntry> {
        match self {
            Self::Credit(entry) => Some(entry),
            Self::Fulfillment(_) => None,
        }
    }

    pub const fn stamp(&self) -> &Stamp {
        match self {
            Self::Fulfillment(row) => &row.stamp,
            Self::Credit(row) => &row.stamp,
        }
    }

    /// What it adds to the balance.
    pub fn amount(&self) -> Money {
        match self {
            Self::Fulfillment(row) => -row.contents.total,
            Self::Credit(row) => row.credit.amount,
        }
    }

    pub fn balance(&self) -> BalanceId {
        match self {
            Self::Fulfillment(row) => row.contents.balance,
            Self::Credit(row) => row.credit.balance,
        }
    }

    pub fn kind(&self) -> EntryKind {
        match self {
            Self::Fulfillment(_) => EntryKind::Fulfillment,
            Self::Credit(row) => row.credit.kind,
        }
    }

    pub fn reference(&self) -> &str {
        match self {
            Self::Fulfillment(row) => row.contents.order_id.as_str(),
            Self::Credit(row) => &row.credit.reference,
        }
    }

    fn key(&self) -> (BalanceId, EntryKind, String) {
        (self.balance(), self.kind(), self.reference().to_owned())
    }
}

/// Who has a serial: an entry of a ledger, a withdrawal, or nobody because it does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimant {
    Entry(BalanceId, i64),
    Quarantine,
    Withdrawal(WithdrawalId),
}

/// A stored import: `number` is none until it goes on sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    pub merchant: MerchantId,
    pub sku: Sku,
    pub number: Option<i64>,
    /// Made for one order of test mode: never on sale.
    pub test: bool,
    pub serials: Vec<Sealed>,
}

/// One commit: under which fence, and which entries it wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRow {
    pub fence: i64,
    pub entries: Vec<(BalanceId, i64)>,
}

/// Everything that is durable.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    pub merchants: BTreeMap<MerchantId, Merchant>,
    pub products: BTreeMap<ProductId, Product>,
    pub terms: BTreeMap<RelationshipId, Terms>,
    pub balances: BTreeMap<BalanceId, RelationshipId>,
    pub lanes: BTreeMap<u16, LaneRow>,
    /// By lane and number.
    pub batches: BTreeMap<(u16, i64), BatchRow>,
    pub entries: BTreeMap<(BalanceId, i64), EntryRow>,
    pub references: BTreeMap<(BalanceId, EntryKind, String), i64>,
    pub claims: BTreeMap<SerialId, Claimant>,
    pub withdrawals: BTreeMap<WithdrawalId, Arc<Withdrawal>>,
    pub reservations: BTreeMap<WithdrawalId, ReservationRow>,
    pub imports: BTreeMap<ImportId, ImportRow>,
    /// Why nobody may take the lanes over.
    pub halted: Option<String>,
    /// Everybody who ever took the lanes over.
    pub owners: Vec<Owner>,
    numbers: i64,
    pub(super) reservations_made: usize,
}

impl Tables {
    /// The lanes now belong to this owner, under a higher fence.
    pub fn take_over(&mut self, owner: Owner, lanes: u16) -> Vec<LanePosition> {
        for lane in 0..lanes {
            self.lanes.entry(lane).or_default();
        }
        let take = |(&lane, row): (&u16, &mut LaneRow)| {
            row.owner = Some(owner);
            row.fence += 1;
            position(lane, row)
        };
        self.owners.push(owner);
        self.lanes.iter_mut().map(take).collect()
    }

    /// Raises a lane's fence; none if another owner has it.
    pub fn fence(&mut self, owner: Owner, lane: u16) -> Option<LanePosition> {
        let row = self.lanes.get_mut(&lane)?;
        if row.owner != Some(owner) && !crate::sabotage::breaks("fence_without_owner") {
            return None;
        }
        row.fence += 1;
        Some(position(lane, row))
    }

    /// What would become of a batch if it were applied now; changes nothing.
    pub fn judge(&self, batch: &Batch) -> Result<(), Failure> {
        let row = self.lanes.get(&batch.lane).copied().unwrap_or_default();
        let fenced = row.fence != batch.fence && !crate::sabotage::breaks("no_fence_check");
        let ours = row.owner == Some(batch.owner) && !fenced;
        if !ours || row.seq != batch.seq - 1 {
            return Err(Failure::Fenced);
        }
        if let Rows::Withdrawals(rows) = &batch.rows {
            self.check_withdrawals(rows)?;
        }
        self.check(&entries(&batch.rows))
    }

    /// Applies a batch, or says why not and changes nothing.
    pub fn commit(&mut self, batch: &Batch) -> Result<(), Failure> {
        self.judge(batch)?;
        let entries = entries(&batch.rows);
        if let Rows::Restocks(rows) = &batch.rows {
            self.number(rows);
        }
        if let Rows::Withdrawals(rows) = &batch.rows {
            self.withdraw(rows);
        }
        let place = |row: &EntryRow| (row.balance(), row.stamp().version);
        let written = BatchRow {
            fence: batch.fence,
            entries: entries.iter().map(place).collect(),
        };
        for row in entries {
            self.enter(row);
        }
        let before = self.batches.insert((batch.lane, batch.seq), written);
        assert!(before.is_none(), "a lane's number is used once");
        self.lanes.entry(batch.lane).or_default().seq = batch.seq;
        Ok(())
    }

    fn check(&self, entries: &[EntryRow]) -> Result<(), Failure> {
        let breach = |constraint| Err(Failure::Breach { constraint });
        let (mut serials, mut versions, mut keys) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for row in entries {
            let EntryRow::Fulfillment(fulfillment) = row else {
                continue;
            };
            for serial in fulfillment.contents.serials() {
                if self.claims.contains_key(&serial.id) || !serials.insert(serial.id) {
                    return breach("serial_claims_pkey");
                }
            }
        }
        for row in entries {
            if row.stamp().version < 1 {
                return breach("ledger_entries_version_check");
            }
            if row.stamp().balance_after.is_negative() {
                return breach("ledger_entries_balance_after_check");
            }
            let place = (row.balance(), row.stamp().version);
            if self.entries.contains_key(&place) || !versions.insert(place) {
                return breach("ledger_entries_pkey");
            }
            let key = row.key();
            if self.references.contains_key(&key) || !keys.insert(key) {
                return Err(Failure::Duplicate);
            }
        }
        Ok(())
    }

    fn check_withdrawals(&self, rows: &[Arc<Withdrawal>]) -> Result<(), Failure> {
        let (mut ids, mut serials) = (BTreeSet::new(), BTreeSet::new());
        for row in rows {
            if self.withdrawals.contains_key(&row.id) || !ids.insert(row.id) {
                return Err(Failure::Duplicate);
            }
        }
        for serial in rows.iter().flat_map(|row| &row.serials) {
            if self.claims.contains_key(serial) || !serials.insert(*serial) {
                return Err(Failure::Breach {
                    constraint: "serial_claims_pkey",
                });
            }
        }
        Ok(())
    }

    fn withdraw(&mut self, rows: &[Arc<Withdrawal>]) {
        for row in rows {
            let claimed = row.serials.iter();
            let claims = claimed.map(|serial| (*serial, Claimant::Withdrawal(row.id)));
            self.claims.extend(claims);
            self.withdrawals.insert(row.id, Arc::clone(row));
        }
    }

    fn enter(&mut self, row: EntryRow) {
        let place = (row.balance(), row.stamp().version);
        if let EntryRow::Fulfillment(fulfillment) = &row {
            for serial in fulfillment.contents.serials() {
                self.claims
                    .insert(serial.id, Claimant::Entry(place.0, place.1));
            }
        }
        self.references.insert(row.key(), place.1);
        self.entries.insert(place, row);
    }

    /// Puts imports on sale that are not.
    pub fn number(&mut self, restocks: &[Restock]) {
        for restock in restocks {
            let import = self.imports.get_mut(&restock.import);
            if let Some(import) = import.filter(|import| import.number.is_none()) {
                self.numbers += 1;
                import.number = Some(self.numbers);
            }
        }
    }

    /// Which of these rows are there already, as a lane asks before it sends them again.
    pub fn existing(&self, rows: &Rows) -> Vec<bool> {
        match rows {
            Rows::Fulfillments(rows) => {
                let rows = rows.iter().cloned().map(EntryRow::Fulfillment);
                rows.map(|row| self.references.contains_key(&row.key()))
                    .collect()
            }
            Rows::Credits(rows) => {
                let rows = rows.iter().cloned().map(EntryRow::Credit);
                rows.map(|row| self.references.contains_key(&row.key()))
                    .collect()
            }
            Rows::Restocks(rows) => {
                let import = |row: &Restock| self.imports.get(&row.import);
                let numbered = |row| import(row).is_some_and(|import| import.number.is_some());
                rows.iter().map(numbered).collect()
            }
            Rows::Withdrawals(rows) => {
                let there = |row: &Arc<Withdrawal>| self.withdrawals.contains_key(&row.id);
                rows.iter().map(there).collect()
            }
        }
    }

    pub fn find(&self, balance: BalanceId, kind: EntryKind, reference: &str) -> Option<&EntryRow> {
        let version = self
            .references
            .get(&(balance, kind, reference.to_owned()))?;
        self.entries.get(&(balance, *version))
    }

    /// The ledger of a balance, oldest entry first.
    pub fn ledger(&self, balance: BalanceId) -> impl DoubleEndedIterator<Item = &EntryRow> {
        let rows = self.entries.range((balance, 0)..=(balance, i64::MAX));
        rows.map(|(_, row)| row)
    }
}

/// The rows of the ledger that a batch writes.
fn entries(rows: &Rows) -> Vec<EntryRow> {
    match rows {
        Rows::Fulfillments(rows) => rows.iter().cloned().map(EntryRow::Fulfillment).collect(),
        Rows::Credits(rows) => rows.iter().cloned().map(EntryRow::Credit).collect(),
        Rows::Restocks(_) | Rows::Withdrawals(_) => Vec::new(),
    }
}

const fn position(lane: u16, row: &LaneRow) -> LanePosition {
    LanePosition {
        lane,
        fence: row.fence,
        seq: row.seq,
    }
}
