//! Storage whose every answer is a choice: what a commit, a fence and a look-up come to, and when a
//! process dies or is replaced.
//!
//! Keeps: what is written, and what stops it, is decided by the tables of the memory store. What an
//! engine must never bring about is asserted here, at every statement, not only at the end.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, time::sleep};

use super::choices::Choices;
use crate::{
    journal::{Batch, Failure, Rows},
    testing::MemoryStore,
};

/// How long every call takes: whoever comes meanwhile waits in the lane's queue.
pub(super) const STEP: Duration = Duration::from_millis(1);

/// What a call comes to. The first of a list is that all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Well,
    Conflict,
    Full,
    /// From now on no statement can write the batch's last row.
    LastRefused,
    LastBreaches,
    AnswerLost,
    LandsBeforeFence,
    LandsAfterFence,
    /// No connection.
    Unavailable,
    /// The fence is raised, and nobody hears of it.
    RaisedUnheard,
    DiesBefore,
    DiesAfter,
    /// Another process takes the shard over first.
    Replaced,
}

pub(super) const COMMITS: &[Act] = &[
    Act::Well,
    Act::Conflict,
    Act::Full,
    Act::LastRefused,
    Act::LastBreaches,
    Act::AnswerLost,
    Act::LandsBeforeFence,
    Act::LandsAfterFence,
    Act::DiesBefore,
    Act::DiesAfter,
    Act::Replaced,
];
pub(super) const FENCES: &[Act] = &[
    Act::Well,
    Act::Unavailable,
    Act::RaisedUnheard,
    Act::DiesBefore,
    Act::DiesAfter,
    Act::Replaced,
];
pub(super) const READS: &[Act] = &[Act::Well, Act::AnswerLost, Act::DiesBefore];

/// What may still go wrong on this path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    pub(super) faults: usize,
    pub(super) crashes: usize,
    pub(super) takeovers: usize,
}

impl Budget {
    pub(super) const NONE: Self = Self {
        faults: 0,
        crashes: 0,
        takeovers: 0,
    };

    const fn allows(self, act: Act) -> bool {
        match act {
            Act::Well => true,
            Act::DiesBefore | Act::DiesAfter => self.faults > 0 && self.crashes > 0,
            Act::Replaced => self.faults > 0 && self.takeovers > 0,
            Act::Conflict
            | Act::Full
            | Act::LastRefused
            | Act::LastBreaches
            | Act::AnswerLost
            | Act::LandsBeforeFence
            | Act::LandsAfterFence
            | Act::Unavailable
            | Act::RaisedUnheard => self.faults > 0,
        }
    }

    const fn spend(&mut self, act: Act) {
        match act {
            Act::Well => return,
            Act::DiesBefore | Act::DiesAfter => self.crashes -= 1,
            Act::Replaced => self.takeovers -= 1,
            Act::Conflict
            | Act::Full
            | Act::LastRefused
            | Act::LastBreaches
            | Act::AnswerLost
            | Act::LandsBeforeFence
            | Act::LandsAfterFence
            | Act::Unavailable
            | Act::RaisedUnheard => {}
        }
        self.faults -= 1;
    }
}

/// The database of one path, and what becomes of those who use it.
pub(super) struct Storage {
    pub(super) store: MemoryStore,
    choices: Mutex<Choices>,
    budget: Mutex<Budget>,
    /// Statements of cut connections, and whether they reach the lane's row before the next fence.
    late: Mutex<Vec<(Batch, bool)>>,
    cursed: Mutex<Option<(String, Failure)>>,
    /// How many commits were begun.
    pub(super) begun: watch::Sender<usize>,
    /// How many processes were asked for, and how many have taken the shard over.
    pub(super) wanted: watch::Sender<usize>,
    pub(super) owners: watch::Sender<usize>,
}

impl Storage {
    pub(super) fn new(store: MemoryStore, choices: Choices) -> Arc<Self> {
        Arc::new(Self {
            store,
            choices: Mutex::new(choices),
            budget: Mutex::new(Budget::NONE),
            late: Mutex::default(),
            cursed: Mutex::default(),
            begun: watch::Sender::new(0),
            wanted: watch::Sender::new(1),
            owners: watch::Sender::new(0),
        })
    }

    pub(super) fn choices(&self) -> MutexGuard<'_, Choices> {
        lock(&self.choices)
    }

    /// From now on so much goes wrong; what was refused for ever is allowed again.
    pub(super) fn allow(&self, budget: Budget) {
        *lock(&self.budget) = budget;
        lock(&self.cursed).take();
    }

    /// What becomes of a call: a choice, as far as anything may still go wrong.
    pub(super) fn act(&self, acts: &[Act]) -> Act {
        let mut budget = lock(&self.budget);
        let allowed: Vec<_> = acts.iter().filter(|act| budget.allows(**act)).collect();
        let act = match allowed.as_slice() {
            [only] => **only,
            several => *several[self.choices().choose(several.len())],
        };
        budget.spend(act);
        act
    }

    /// The batch's last row cannot be written from now on.
    pub(super) fn curse(&self, batch: &Batch, failure: Failure) {
        if let Some(reference) = references(&batch.rows).pop() {
            *lock(&self.cursed) = Some((reference, failure));
        }
    }

    /// A statement runs to its end.
    pub(super) fn write(&self, batch: &Batch) -> Result<(), Failure> {
        if let Some((reference, failure)) = &*lock(&self.cursed)
            && references(&batch.rows).contains(reference)
        {
            return Err(*failure);
        }
        let done = self.store.tables().commit(batch);
        let breached = matches!(done, Err(Failure::Breach { .. }));
        assert!(!breached, "R1, R2: {done:?} of {batch:?}");
        done
    }

    /// A statement goes on without its client.
    pub(super) fn cut(&self, batch: &Batch, before: bool) {
        lock(&self.late).push((batch.clone(), before));
    }

    /// Late statements reach their lane's row: those before a fence is raised, or those behind it.
    pub(super) fn land(&self, before: bool) {
        let lands = |cut: &mut (Batch, bool)| cut.1 == before;
        let landing: Vec<_> = lock(&self.late).extract_if(.., lands).collect();
        for (batch, _) in landing {
            if before {
                let _unheard = self.write(&batch);
            } else {
                let done = self.store.tables().commit(&batch);
                assert_eq!(done, Err(Failure::Fenced), "R3: behind a fence");
            }
        }
    }

    /// Waits until a process that is asked for now has taken the shard over.
    pub(super) async fn replaced(&self) {
        let mut owners = self.owners.subscribe();
        let now = *owners.borrow_and_update();
        self.wanted.send_modify(|wanted| *wanted += 1);
        drop(owners.wait_for(|owners| *owners > now).await);
    }
}

/// One process as storage sees it.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) storage: Arc<Storage>,
    alive: Arc<AtomicBool>,
}

impl Line {
    pub(super) fn new(storage: &Arc<Storage>) -> Self {
        Self {
            storage: Arc::clone(storage),
            alive: Arc::new(AtomicBool::new(true)),
        }
    }

    pub(super) fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Relaxed)
    }

    /// From now on nothing this process does has an effect, and another one is started.
    pub(super) fn die(&self) {
        if self.alive.swap(false, Ordering::Relaxed) {
            self.storage.wanted.send_modify(|wanted| *wanted += 1);
        }
    }

    pub(super) async fn commit(&self, batch: &Batch) -> Result<(), Failure> {
        let storage = &self.storage;
        storage.begun.send_modify(|begun| *begun += 1);
        sleep(STEP).await;
        if !self.is_alive() {
            return Err(Failure::Unknown);
        }
        match storage.act(COMMITS) {
            Act::Well => return storage.write(batch),
            Act::Conflict => return Err(Failure::Retry),
            Act::Full => return Err(Failure::Full),
            Act::LastRefused => {
                storage.curse(batch, Failure::Item);
                return storage.write(batch);
            }
            Act::LastBreaches => {
                let constraint = "ledger_entries_pkey";
                storage.curse(batch, Failure::Breach { constraint });
                return storage.write(batch);
            }
            Act::Replaced => {
                storage.replaced().await;
                return storage.write(batch);
            }
            Act::LandsBeforeFence => storage.cut(batch, true),
            Act::LandsAfterFence => storage.cut(batch, false),
            Act::AnswerLost | Act::Unavailable | Act::RaisedUnheard => {
                let _unheard = storage.write(batch);
            }
            Act::DiesBefore => self.die(),
            Act::DiesAfter => {
                let _unheard = storage.write(batch);
                self.die();
            }
        }
        Err(Failure::Unknown)
    }
}

/// What binds the rows of a batch.
fn references(rows: &Rows) -> Vec<String> {
    match rows {
        Rows::Fulfillments(rows) => {
            let reference =
                |row: &crate::fulfillments::Fulfillment| row.contents.order_id.as_str().to_owned();
            rows.iter().map(reference).collect()
        }
        Rows::Credits(rows) => {
            let reference = |row: &crate::balances::CreditEntry| row.credit.reference.clone();
            rows.iter().map(reference).collect()
        }
        Rows::Restocks(_) | Rows::Withdrawals(_) => Vec::new(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
