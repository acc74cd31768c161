//! Order ids that are running, and those lately settled: join, replay or mismatch.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use chrono::NaiveDate;
use tokio::sync::oneshot;

use crate::{
    fulfillments::{Fulfillment, OrderId, Outcome, Request},
    money::Money,
};

/// An order id under way.
pub(crate) struct Running {
    pub(crate) request: Arc<Request>,
    /// What is held for it; nothing once it was voided.
    pub(crate) cost: Money,
    /// Something was recorded about it already: it is not kept for replays.
    pub(crate) stale: bool,
    /// The day on whose purchase limits it counts.
    pub(crate) day: NaiveDate,
    /// Callers with the same request, who get the outcome of the first.
    pub(crate) joined: Vec<oneshot::Sender<Outcome>>,
}

/// How many settled fulfillments all balances keep together, and how many bytes of them.
#[derive(Debug)]
pub(crate) struct SettledBudget {
    kept: AtomicUsize,
    bytes: AtomicUsize,
    max: usize,
    bytes_max: usize,
}

impl SettledBudget {
    pub(crate) const fn new(max: usize, bytes_max: usize) -> Self {
        Self {
            kept: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            max,
            bytes_max,
        }
    }

    fn is_exceeded(&self) -> bool {
        self.kept.load(Ordering::Relaxed) > self.max
            || self.bytes.load(Ordering::Relaxed) > self.bytes_max
    }

    fn keep(&self, fulfillment: &Fulfillment) {
        self.kept.fetch_add(1, Ordering::Relaxed);
        let bytes = fulfillment.contents.bytes();
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn forget(&self, fulfillment: &Fulfillment) {
        self.kept.fetch_sub(1, Ordering::Relaxed);
        let bytes = fulfillment.contents.bytes();
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The order ids of one balance.
pub(crate) struct OrderIds {
    running: HashMap<OrderId, Running>,
    settled: HashMap<OrderId, Arc<Fulfillment>>,
    oldest: VecDeque<OrderId>,
    budget: Arc<SettledBudget>,
}

impl OrderIds {
    pub(crate) fn new(budget: Arc<SettledBudget>) -> Self {
        Self {
            running: HashMap::new(),
            settled: HashMap::new(),
            oldest: VecDeque::new(),
            budget,
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    pub(crate) fn running(&mut self, id: &OrderId) -> Option<&mut Running> {
        self.running.get_mut(id)
    }

    pub(crate) fn settled(&self, id: &OrderId) -> Option<&Arc<Fulfillment>> {
        self.settled.get(id)
    }

    pub(crate) fn begin(&mut self, id: OrderId, running: Running) {
        let before = self.running.insert(id, running);
        assert!(before.is_none(), "an order id runs once at a time");
    }

    pub(crate) fn end(&mut self, id: &OrderId) -> Running {
        self.running
            .remove(id)
            .expect("who ends an order id began it")
    }

    /// Lets replays of an order id be answered from storage again, whether it is settled or about to be.
    pub(crate) fn forget(&mut self, id: &OrderId) {
        if let Some(running) = self.running.get_mut(id) {
            running.stale = true;
        }
        if let Some(settled) = self.settled.remove(id) {
            self.oldest.retain(|settled| settled != id);
            self.budget.forget(&settled);
        }
    }

    /// Remembers a fulfillment for replays, and forgets the oldest beyond the common budget.
    pub(crate) fn settle(&mut self, fulfillment: Arc<Fulfillment>) {
        let id = fulfillment.contents.order_id.clone();
        self.budget.keep(&fulfillment);
        match self.settled.insert(id.clone(), fulfillment) {
            Some(before) => self.budget.forget(&before),
            None => self.oldest.push_back(id),
        }
        while self.budget.is_exceeded() {
            let Some(oldest) = self.oldest.pop_front() else {
                return;
            };
            if let Some(forgotten) = self.settled.remove(&oldest) {
                self.budget.forget(&forgotten);
            }
        }
    }
}

impl Drop for OrderIds {
    fn drop(&mut self) {
        for fulfillment in self.settled.values() {
            self.budget.forget(fulfillment);
        }
    }
}
