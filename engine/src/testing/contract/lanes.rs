//! Lanes as a contract's test drives them: takes them, makes rows, commits, looks up.

use std::sync::Arc;

use chrono::Utc;

use super::Subject;
use crate::{
    balances::{Credit, CreditEntry, EntryKind},
    clock::Timestamp,
    fulfillments::{
        Channel, ClaimedSerial, Contents, Fingerprint, FulfilledLine, Fulfillment, OrderId, Stamp,
    },
    ids::{BalanceId, EntryId, KeyId},
    inventory::ShelvedSerial,
    journal::{Batch, Failure, LanePosition, Lease, Owner, Rows, Session},
    money::Money,
    random::{Random, SeededRandom},
    testing,
};

/// Lanes as one owner has them.
pub(super) struct Lanes<'a> {
    pub(super) subject: &'a Subject,
    pub(super) owner: Owner,
    random: SeededRandom,
    pub(super) lease: Box<dyn Lease>,
}

/// A lane with its session.
pub(super) struct Lane {
    owner: Owner,
    pub(super) session: Session,
}

impl<'a> Lanes<'a> {
    pub(super) async fn take(subject: &'a Subject, seed: u64) -> Self {
        let random = SeededRandom::new(seed);
        let mut owner = [0; 16];
        random.fill(&mut owner);
        let owner = Owner(uuid::Uuid::from_bytes(owner));
        let lease = subject.journal.take_over(owner, 2).await;
        let lease = lease.expect("nobody else has the shard");
        Self {
            subject,
            owner,
            random,
            lease,
        }
    }

    pub(super) async fn fence(&self, lane: u16) -> Lane {
        let session = self.subject.journal.fence(self.owner, lane).await;
        Lane {
            owner: self.owner,
            session: session.expect("the lane is ours"),
        }
    }

    fn stamp(&self, version: i64, after: i64) -> Stamp {
        Stamp {
            id: EntryId::for_version(at(0), &self.random, version),
            version,
            balance_after: money(after),
            created_at: at(version),
        }
    }

    /// A credit of 10.00.
    pub(super) fn credit(
        &self,
        balance: BalanceId,
        version: i64,
        after: i64,
        reference: &str,
    ) -> CreditEntry {
        let credit = testing::credit(balance, reference, money(1000));
        CreditEntry {
            stamp: self.stamp(version, after),
            credit: Arc::new(credit),
        }
    }

    /// An order of these serials at 2.50 each.
    pub(super) fn order(
        &self,
        balance: BalanceId,
        (version, after): (i64, i64),
        order_id: &str,
        serials: &[ShelvedSerial],
    ) -> Fulfillment {
        let claimed = |serial: &ShelvedSerial| ClaimedSerial {
            id: serial.position.serial,
            sealed: serial.sealed.clone(),
        };
        let line = FulfilledLine {
            sku: self.subject.sku,
            unit_price: money(250),
            price_version: 3,
            serials: serials.iter().map(claimed).collect(),
        };
        let contents = Contents {
            balance,
            order_id: OrderId::from_stored(order_id),
            fingerprint: Fingerprint::from_bytes([9; 16]),
            channel: Channel::Bulk,
            key: KeyId::generate(at(0), &SeededRandom::new(5)),
            total: line.total(),
            lines: vec![line],
            email: None,
            details: None,
        };
        Fulfillment {
            stamp: self.stamp(version, after),
            contents: Arc::new(contents),
            refunded: Money::ZERO,
            revealed: std::collections::BTreeMap::new(),
            replaced: Vec::new(),
            refunded_items: std::collections::BTreeSet::new(),
        }
    }

    /// Puts an import on sale and reads what of it is not claimed.
    pub(super) async fn shelf(&self, lane: &mut Lane, import: usize) -> Vec<ShelvedSerial> {
        let restock = self.subject.imports[import];
        lane.commit(Rows::Restocks(vec![restock]))
            .await
            .expect("numbered");
        let inventory = &self.subject.inventory_source;
        let fetched = inventory.fetch(self.subject.sku, None, 100).await;
        let of_import = |serial: &ShelvedSerial| serial.position.serial.import() == restock.import;
        fetched
            .expect("readable")
            .into_iter()
            .filter(of_import)
            .collect()
    }

    pub(super) async fn release(self) {
        self.lease.release().await;
    }
}

impl Lane {
    pub(super) const fn position(&self) -> LanePosition {
        self.session.position
    }

    /// The lane's next batch.
    pub(super) const fn batch(&self, rows: Rows) -> Batch {
        let position = self.position();
        Batch {
            lane: position.lane,
            owner: self.owner,
            fence: position.fence,
            seq: position.seq + 1,
            rows,
        }
    }

    pub(super) async fn send(&mut self, batch: &Batch) -> Result<(), Failure> {
        self.session.writer.commit(batch).await
    }

    pub(super) async fn commit(&mut self, rows: Rows) -> Result<(), Failure> {
        let batch = self.batch(rows);
        self.send(&batch).await?;
        self.session.position.seq += 1;
        Ok(())
    }

    pub(super) async fn find(&self, balance: BalanceId, order_id: &str) -> Option<Fulfillment> {
        let id = OrderId::from_stored(order_id);
        self.session
            .reader
            .fulfillment(balance, &id)
            .await
            .expect("readable")
    }

    pub(super) async fn find_credit(
        &self,
        balance: BalanceId,
        reference: &str,
    ) -> Option<CreditEntry> {
        let found = self
            .session
            .reader
            .credit(balance, EntryKind::Credit, reference);
        found.await.expect("readable")
    }
}

pub(super) fn money(minor: i64) -> Money {
    Money::from_minor(minor).expect("a small amount")
}

/// A second of one day, in the middle of a month.
pub(super) fn at(second: i64) -> Timestamp {
    const NOON: i64 = 1_770_984_000;
    chrono::DateTime::<Utc>::from_timestamp(NOON + second, 0).expect("a time")
}

pub(super) fn other_kind(entry: &CreditEntry) -> CreditEntry {
    let credit = Credit {
        kind: EntryKind::TopUp,
        ..(*entry.credit).clone()
    };
    CreditEntry {
        credit: Arc::new(credit),
        ..entry.clone()
    }
}
