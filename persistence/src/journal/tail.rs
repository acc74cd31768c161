//! What a lane has just committed, for who works behind it.
//!
//! Keeps: nothing waits for this, and nothing depends on it. A batch is put here after its commit, under the
//! number that its row has; what found no room, or was committed by somebody else, is read from the rows.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use engine::{
    ids::BalanceId,
    journal::{Batch, Rows},
    vault::Sealed,
};

/// Entries of one lane that wait for who takes them; beyond that the oldest batches are dropped.
const ENTRIES_MAX: usize = 65_536;

/// A batch that is durable.
#[derive(Debug)]
pub(crate) struct Committed {
    pub(crate) seq: i64,
    pub(crate) entries: Vec<Entry>,
}

impl Committed {
    /// Of how many entries it takes the room.
    fn size(&self) -> usize {
        self.entries.len().max(1)
    }
}

/// One entry of it, as far as it matters behind the lanes.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) balance: BalanceId,
    pub(crate) version: i64,
    /// Where an order went to, if its customer was named.
    pub(crate) email: Option<Sealed>,
}

/// The ends of all lanes, one for each who takes from them; cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Tails {
    pub(crate) events: Arc<Tail>,
    pub(crate) customers: Arc<Tail>,
}

impl Tails {
    /// Puts a batch that has just become durable behind those of its lane.
    pub(super) fn put(&self, batch: &Batch) {
        let committed = Arc::new(Committed {
            seq: batch.seq,
            entries: entries(&batch.rows),
        });
        self.events.put(batch.lane, Arc::clone(&committed));
        self.customers.put(batch.lane, committed);
    }
}

fn entries(rows: &Rows) -> Vec<Entry> {
    match rows {
        Rows::Fulfillments(rows) => {
            let entry = |row: &engine::fulfillments::Fulfillment| Entry {
                balance: row.contents.balance,
                version: row.stamp.version,
                email: row.contents.email.clone(),
            };
            rows.iter().map(entry).collect()
        }
        Rows::Credits(rows) => {
            let entry = |row: &engine::balances::CreditEntry| Entry {
                balance: row.credit.balance,
                version: row.stamp.version,
                email: None,
            };
            rows.iter().map(entry).collect()
        }
        Rows::Restocks(_) | Rows::Withdrawals(_) => Vec::new(),
    }
}

/// The ends of all lanes, for one who takes from them.
#[derive(Debug, Default)]
pub(crate) struct Tail(Mutex<HashMap<u16, Waiting>>);

/// Batches of one lane in their order, and the sum of their sizes.
#[derive(Debug, Default)]
struct Waiting {
    batches: VecDeque<Arc<Committed>>,
    size: usize,
    /// The number of the last that was taken.
    taken: Option<i64>,
}

/// Batches of one lane that follow one another.
#[derive(Debug)]
pub(crate) struct Stretch {
    pub(crate) lane: i16,
    /// The number before the first.
    pub(crate) from: i64,
    pub(crate) batches: Vec<Arc<Committed>>,
}

impl Stretch {
    /// Entries whose customers were named.
    pub(crate) fn sent(&self) -> impl Iterator<Item = &Entry> {
        let entries = self.batches.iter().flat_map(|batch| &batch.entries);
        entries.filter(|entry| entry.email.is_some())
    }

    pub(crate) fn through(&self) -> i64 {
        self.batches.last().map_or(self.from, |batch| batch.seq)
    }
}

impl Tail {
    fn put(&self, lane: u16, committed: Arc<Committed>) {
        let mut lanes = self.lanes();
        let waiting = lanes.entry(lane).or_default();
        waiting.size += committed.size();
        waiting.batches.push_back(committed);
        while waiting.size > ENTRIES_MAX {
            waiting.pop();
        }
    }

    /// Takes the batches that follow number `from`, up to `through`; none if the next of them is not here.
    pub(crate) fn take(&self, lane: i16, from: i64, through: i64) -> Vec<Arc<Committed>> {
        let mut lanes = self.lanes();
        let waiting = lanes.get_mut(&lane.unsigned_abs());
        waiting.map_or_else(Vec::new, |waiting| waiting.take(from, through))
    }

    /// Of each lane that waits, the batches behind those that were taken last, at most so many. None if nothing
    /// waits, or of some lane something else than what follows: then only the rows say what is next.
    pub(crate) fn follow(&self, batches: u32) -> Option<Vec<Stretch>> {
        let mut lanes = self.lanes();
        let mut waiting = lanes.values().filter(|waiting| !waiting.batches.is_empty());
        if !waiting.all(Waiting::follows) {
            return None;
        }
        let stretch = |(&lane, waiting): (&u16, &mut Waiting)| {
            let from = waiting.taken?;
            let batches = waiting.take(from, from + i64::from(batches));
            let lane = i16::try_from(lane).ok()?;
            (!batches.is_empty()).then_some(Stretch {
                lane,
                from,
                batches,
            })
        };
        let stretches: Vec<_> = lanes.iter_mut().filter_map(stretch).collect();
        (!stretches.is_empty()).then_some(stretches)
    }

    /// What was taken did not get where it should: what is next, only the rows say.
    pub(crate) fn lost(&self) {
        for waiting in self.lanes().values_mut() {
            waiting.taken = None;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lanes()
            .values()
            .all(|waiting| waiting.batches.is_empty())
    }

    pub(crate) fn clear(&self) {
        self.lanes().clear();
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<u16, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn follows(&self) -> bool {
        let next = self.batches.front().map(|batch| batch.seq - 1);
        next.is_some() && next == self.taken
    }

    fn take(&mut self, from: i64, through: i64) -> Vec<Arc<Committed>> {
        let mut taken = Vec::new();
        let mut last = from;
        while let Some(seq) = self.batches.front().map(|batch| batch.seq)
            && seq <= last + 1
            && seq <= through
        {
            let batch = self.pop();
            if seq > last {
                last = seq;
                taken.extend(batch);
            }
        }
        self.taken = Some(last);
        taken
    }

    fn pop(&mut self) -> Option<Arc<Committed>> {
        let batch = self.batches.pop_front()?;
        self.size -= batch.size();
        Some(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Tail {
        fn put_all(&self, seqs: impl IntoIterator<Item = i64>) {
            for seq in seqs {
                self.put_with(seq, 1);
            }
        }

        fn put_with(&self, seq: i64, entries: usize) {
            let entry = |version| Entry {
                balance: BalanceId(1),
                version,
                email: None,
            };
            let entries = (1..).take(entries).map(entry).collect();
            self.put(0, Arc::new(Committed { seq, entries }));
        }

        fn seqs(&self, from: i64, through: i64) -> Vec<i64> {
            let taken = self.take(0, from, through);
            taken.iter().map(|batch| batch.seq).collect()
        }
    }

    #[test]
    fn batches_are_taken_once_and_in_their_order() {
        let tail = Tail::default();
        tail.put_all(4..8);
        assert_eq!(tail.seqs(3, 5), [4, 5]);
        assert_eq!(tail.seqs(5, 99), [6, 7]);
        assert!(tail.seqs(7, 99).is_empty());
        assert!(tail.take(1, 0, 99).is_empty());
    }

    #[test]
    fn what_others_stored_already_is_passed_over() {
        let tail = Tail::default();
        tail.put_all(4..8);
        assert_eq!(tail.seqs(5, 99), [6, 7]);
    }

    #[test]
    fn nothing_is_taken_behind_a_gap() {
        let tail = Tail::default();
        tail.put_all([4, 6]);
        assert!(tail.seqs(2, 99).is_empty());
        assert_eq!(tail.seqs(3, 99), [4]);
        assert!(tail.seqs(4, 99).is_empty());
        assert_eq!(tail.seqs(5, 99), [6]);
    }

    #[test]
    fn who_took_the_last_goes_on_without_asking() {
        let tail = Tail::default();
        tail.put_all(4..8);
        assert!(tail.follow(9).is_none(), "nobody took anything yet");
        assert_eq!(tail.seqs(3, 5), [4, 5]);
        let next = tail.follow(1).unwrap();
        assert_eq!((next[0].lane, next[0].from), (0, 5));
        assert_eq!(next[0].batches[0].seq, 6);
        assert_eq!(tail.follow(9).unwrap()[0].from, 6);
        assert!(tail.follow(9).is_none(), "nothing waits");
        tail.put_all([8, 10]);
        tail.lost();
        assert!(tail.follow(9).is_none(), "it is not known what is next");
        assert_eq!(tail.seqs(7, 8), [8]);
        assert!(tail.follow(9).is_none(), "there is a gap");
    }

    #[test]
    fn nobody_goes_on_while_a_lane_does_not_follow() {
        let tail = Tail::default();
        tail.put_all([4]);
        assert_eq!(tail.seqs(3, 4), [4]);
        tail.put_all([5]);
        let other = Committed {
            seq: 9,
            entries: Vec::new(),
        };
        tail.put(1, Arc::new(other));
        assert!(tail.follow(9).is_none());
        assert_eq!(tail.take(1, 8, 9).len(), 1);
        assert_eq!(tail.follow(9).unwrap()[0].from, 4);
    }

    #[test]
    fn the_oldest_go_when_there_is_no_room() {
        let tail = Tail::default();
        tail.put_with(1, ENTRIES_MAX);
        tail.put_with(2, 1);
        assert!(tail.seqs(0, 99).is_empty());
        assert_eq!(tail.seqs(1, 99), [2]);
    }
}
