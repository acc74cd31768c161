//! Pure: the window of unclaimed serials, and what of it is held.
//!
//! Keeps: a serial is in the window or held, never both, and comes back only by release. What is
//! beyond the window is only a number here, which storage has at least ([`Beyond`]). Windows take so many
//! bytes, each and all together: beyond that only what claims wait for is read. What was given away by name
//! is in the window never again, though a reading that began before may have met it. Whoever takes serials
//! leaves as many as are reserved for others, in the window or beyond it: that they are there is counted, and
//! their texts are read when they are redeemed.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    Position, Reach, ShelvedSerial,
    beyond::Beyond,
    messages::Window,
    reservations::{Found, Made, Reservations},
};
use crate::ids::{SerialId, WithdrawalId};

/// Most serials of one reading: what is wanted beyond them is read next.
const READ_MAX: usize = 4096;

/// The serials at the front of a shelf.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Pool {
    window: VecDeque<ShelvedSerial>,
    /// How far storage was read.
    cursor: Option<Position>,
    beyond: Beyond,
    /// Serials beyond the cursor that were given away by name when the last count began, or since, and did not come
    /// back: whether it met them nobody can say. The most there can be: nor whether it met others.
    suspects: usize,
    held: usize,
    /// Given away by name, and undecided.
    withdrawing: BTreeSet<Position>,
    /// Withdrawn beyond the cursor: a reading or a look at storage from before may still name them.
    withdrawn: BTreeSet<Position>,
    reserved: Reservations,
    target: usize,
    target_max: usize,
    /// Of the serials in the window.
    bytes: usize,
    /// Of one serial, in the mean, as they were read last.
    bytes_each: usize,
    bytes_max: usize,
    all: Arc<WindowBytes>,
}

/// What all windows take together.
#[derive(Debug)]
pub(crate) struct WindowBytes {
    taken: AtomicUsize,
    max: usize,
}

impl WindowBytes {
    pub(crate) const fn new(max: usize) -> Self {
        let taken = AtomicUsize::new(0);
        Self { taken, max }
    }
}

/// What those who are parked wait for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// In the window.
    pub(crate) serials: usize,
    /// Wherever they are.
    pub(crate) units: usize,
    /// The same, for those who have not paid.
    pub(crate) shared: usize,
}

/// How much of storage to look at next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// To read, from the cursor on.
    pub(crate) serials: usize,
    /// To count behind those, at most.
    pub(crate) counted: usize,
}

/// What became of a claim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Serials(Vec<ShelvedSerial>),
    /// Storage must be read first.
    Short,
    /// There are not so many.
    Out,
    /// The withdrawal that wants them has them, and is undecided.
    Running,
}

/// What became of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reserving {
    /// None: the id had them already.
    Done(Option<Made>),
    /// Storage must be read first.
    Short,
    /// There are not so many that nobody has.
    Out,
    /// Its id is used already, for something else or by its withdrawal.
    Used,
}

impl Pool {
    pub(crate) fn new(target: usize, target_max: usize) -> Self {
        let (window, cursor) = (VecDeque::new(), None);
        Self {
            window,
            cursor,
            beyond: Beyond::UNKNOWN,
            suspects: 0,
            held: 0,
            withdrawing: BTreeSet::new(),
            withdrawn: BTreeSet::new(),
            reserved: Reservations::default(),
            target,
            target_max,
            bytes: 0,
            bytes_each: 0,
            bytes_max: usize::MAX,
            all: Arc::new(WindowBytes::new(usize::MAX)),
        }
    }

    /// The same within so many bytes, and all windows within theirs.
    pub(crate) fn within(mut self, bytes_max: usize, all: Arc<WindowBytes>) -> Self {
        self.bytes_max = bytes_max;
        self.all = all;
        self
    }

    /// The same with what is reserved already.
    pub(crate) fn reserving(mut self, reserved: Reservations) -> Self {
        self.reserved = reserved;
        self
    }

    pub(crate) const fn reservations(&self) -> &Reservations {
        &self.reserved
    }

    pub(crate) const fn reservations_mut(&mut self) -> &mut Reservations {
        &mut self.reserved
    }

    #[cfg(test)]
    pub(crate) const fn beyond(&self) -> Beyond {
        self.beyond
    }

    pub(crate) const fn cursor(&self) -> Option<Position> {
        self.cursor
    }

    pub(crate) fn in_window(&self) -> usize {
        self.window.len()
    }

    pub(crate) fn held(&self) -> usize {
        self.held + self.withdrawing.len()
    }

    /// Of what is held, the serials that storage still has beyond the cursor.
    pub(crate) fn held_beyond(&self) -> usize {
        let beyond = |position: &&Position| Some(**position) > self.cursor;
        self.withdrawing.iter().rev().take_while(beyond).count()
    }

    /// Up to `limit` serials of the window, behind the first `skip`; past its end it begins anew.
    pub(crate) fn offered(&self, skip: usize, limit: usize) -> Vec<SerialId> {
        let skip = skip.checked_rem(self.window.len()).unwrap_or_default();
        let part = self.window.iter().skip(skip).take(limit);
        part.map(|shelved| shelved.position.serial).collect()
    }

    /// Whether any of these is in the window.
    pub(crate) fn offers_any(&self, serials: &[SerialId]) -> bool {
        let mut window = self.window.iter();
        window.any(|shelved| serials.contains(&shelved.position.serial))
    }

    /// Takes the oldest serials, all that were asked for or none, and none that are reserved.
    pub(crate) fn claim(&mut self, quantity: usize) -> Taken {
        let reserved = if crate::sabotage::breaks("reservation_ignored") {
            0
        } else {
            self.reserved.units()
        };
        self.take_beside(reserved, quantity)
    }

    /// The same for a withdrawal, which has what is reserved under its id.
    pub(crate) fn redeem(&mut self, id: WithdrawalId, quantity: usize) -> Taken {
        if self.reserved.find(id) == Some(Found::Taken) {
            return Taken::Running;
        }
        let taken = self.take_beside(self.reserved.ahead_of(Some(id)), quantity);
        if matches!(taken, Taken::Serials(_)) {
            self.reserved.taken(id);
        }
        taken
    }

    fn take_beside(&mut self, reserved: usize, quantity: usize) -> Taken {
        let beyond = self.beyond.least();
        if self.window.len() >= quantity + reserved.saturating_sub(beyond) {
            return Taken::Serials(self.take(quantity));
        }
        if crate::sabotage::breaks("partial_quantity")
            && self.beyond.is_nothing()
            && !self.window.is_empty()
        {
            return Taken::Serials(self.take(self.window.len()));
        }
        if self.beyond.is_all() && self.window.len() + beyond < quantity + reserved {
            return Taken::Out;
        }
        Taken::Short
    }

    /// Keeps units of what is there and not reserved yet, or of what is still to come. Asked for again, an id
    /// keeps what it has; what waits for serials is then told whether they are there.
    pub(crate) fn reserve(&mut self, id: WithdrawalId, quantity: usize, reach: Reach) -> Reserving {
        match self.reserved.find(id) {
            Some(Found::Reserved(known)) if known == quantity => {
                let waits = reach != Reach::Beyond && self.reserved.waits(id);
                let wanted = self.reserved.ahead_of(Some(id)) + quantity;
                if waits && self.at_least() < wanted {
                    return self.short();
                }
            }
            Some(Found::Reserved(_) | Found::Taken | Found::Ended) => return Reserving::Used,
            None if reach == Reach::Beyond => {}
            None if self.at_least() >= self.to_reserve(quantity, reach) => {}
            None => return self.short(),
        }
        Reserving::Done(self.reserved.enter(id, quantity, reach))
    }

    /// There are not so many, or storage must be read first.
    const fn short(&self) -> Reserving {
        if self.beyond.is_all() {
            Reserving::Out
        } else {
            Reserving::Short
        }
    }

    /// How many serials that nobody has there must be for a reservation.
    const fn to_reserve(&self, quantity: usize, reach: Reach) -> usize {
        match reach {
            Reach::Share => self.reserved.to_share(quantity),
            Reach::Shelf | Reach::Beyond => self.reserved.units() + quantity,
        }
    }

    /// So many serials nobody has, if not more.
    fn at_least(&self) -> usize {
        self.window.len() + self.beyond.least()
    }

    fn take(&mut self, quantity: usize) -> Vec<ShelvedSerial> {
        self.held += quantity;
        let taken: Vec<_> = self.window.drain(..quantity).collect();
        self.weigh_less(taken.iter().map(bytes).sum());
        taken
    }

    fn weigh_more(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.all.taken.fetch_add(bytes, Ordering::Relaxed);
    }

    fn weigh_less(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.all.taken.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Puts held serials back to the front, in their order.
    pub(crate) fn release(&mut self, serials: Vec<ShelvedSerial>) {
        for serial in serials.into_iter().rev() {
            if self.withdrawing.remove(&serial.position) {
                // Beyond the cursor nobody has met it: a reading will.
                if Some(serial.position) > self.cursor {
                    self.beyond.back();
                    self.suspects = self.suspects.saturating_sub(1);
                    continue;
                }
            } else {
                self.confirm(1);
            }
            if crate::sabotage::breaks("released_serial_lost") {
                continue;
            }
            self.weigh_more(bytes(&serial));
            self.window.push_front(serial);
        }
    }

    /// Forgets held serials: they are sold.
    pub(crate) fn confirm(&mut self, quantity: usize) {
        self.held = self
            .held
            .checked_sub(quantity)
            .expect("only what was held is settled");
    }

    /// Whether storage must be looked at before these are given away by name: what is known to be there may be
    /// reserved.
    pub(crate) fn must_read_for(&self, named: &[ShelvedSerial]) -> bool {
        let reserved = self.reserved.units();
        if self.beyond.is_all() || reserved == 0 || named.is_empty() {
            return false;
        }
        let beyond = named
            .iter()
            .filter(|serial| Some(serial.position) > self.cursor);
        let beyond = beyond.count();
        let left = self.beyond.least().saturating_sub(beyond);
        self.window.len() + left < named.len() - beyond + reserved
    }

    /// Gives serials away by name: those that are in the window, and those that are beyond it. What is
    /// neither is with somebody else, and stays there; and so many stay as are reserved.
    pub(crate) fn withdraw(&mut self, named: Vec<ShelvedSerial>) -> Vec<ShelvedSerial> {
        let (beyond, within): (Vec<_>, Vec<_>) = named
            .into_iter()
            .partition(|serial| Some(serial.position) > self.cursor);
        let reserved = self.reserved.units();
        let spare = self.at_least().saturating_sub(reserved);
        let within = within.iter().map(|serial| serial.position).collect();
        let mut taken = self.take_named(within, spare);
        for serial in beyond {
            let left = self.window.len() + self.beyond.least().saturating_sub(1);
            let known = self.withdrawn.contains(&serial.position);
            if left >= reserved && !known && self.withdrawing.insert(serial.position) {
                self.beyond.less(1);
                self.suspects = self.suspects.saturating_add(1);
                taken.push(serial);
            }
        }
        if crate::sabotage::breaks("withdraw_without_tombstone") {
            let cursor = self.cursor;
            self.withdrawing
                .retain(|position| Some(*position) <= cursor);
        }
        taken
    }

    fn take_named(&mut self, mut named: BTreeSet<Position>, most: usize) -> Vec<ShelvedSerial> {
        if named.is_empty() {
            return Vec::new();
        }
        let mut taken = Vec::with_capacity(named.len());
        let window = std::mem::take(&mut self.window);
        for serial in window {
            if taken.len() < most && named.remove(&serial.position) {
                self.withdrawing.insert(serial.position);
                taken.push(serial);
            } else {
                self.window.push_back(serial);
            }
        }
        self.weigh_less(taken.iter().map(bytes).sum());
        taken
    }

    /// Serials that were given away by name are withdrawn. Beyond the cursor that is remembered until it
    /// has passed them: who looked at storage before may come later.
    pub(crate) fn withdrawn(&mut self, serials: &[ShelvedSerial]) {
        for serial in serials {
            self.withdrawing.remove(&serial.position);
            if Some(serial.position) > self.cursor {
                self.withdrawn.insert(serial.position);
            }
        }
    }

    /// How much to look at next; none while that is enough or all. A window that is read again `soon` becomes
    /// twice as long, so that a shelf in demand reads rarely.
    pub(crate) fn wanted(&mut self, waiting: Waiting, soon: bool) -> Option<Wanted> {
        let target = self.target.min(self.affordable());
        let front = (target / 2).max(waiting.serials);
        let counted = self.to_count(front, waiting);
        let mut serials = 0;
        if self.window.len() < front && !self.beyond.is_nothing() {
            if soon {
                self.target = (self.target * 2).min(self.target_max);
            }
            let target = self.target.min(self.affordable());
            serials = (target.max(waiting.serials) - self.window.len()).min(READ_MAX);
        }
        if counted > 0 {
            self.suspects = self.held_beyond();
        }
        (serials + counted > 0).then_some(Wanted { serials, counted })
    }

    /// How many to count beyond the window: none where nothing is reserved, or where it is proved already that
    /// the front of the window is not; none for those who may come while a removal will soon be over. One count in
    /// all its length is enough for as many sales, and in so many more as it may be less.
    fn to_count(&self, front: usize, waiting: Waiting) -> usize {
        let mut kept = self.reserved.units() + waiting.units;
        if waiting.shared > 0 {
            kept = (kept + waiting.shared).max(self.reserved.to_share(waiting.shared));
        }
        if kept == 0 || self.beyond.is_all() || self.at_least() >= kept + front {
            return 0;
        }
        let held = self.held_beyond();
        if held > 0 && waiting == Waiting::default() {
            return 0;
        }
        2 * kept + front.max(self.target) + held.max(self.suspects.min(READ_MAX))
    }

    /// How many serials the window may have by their size.
    fn affordable(&self) -> usize {
        let all = self.all.taken.load(Ordering::Relaxed);
        let others = all.saturating_sub(self.bytes);
        let room = self.all.max.saturating_sub(others).min(self.bytes_max);
        room.checked_div(self.bytes_each).unwrap_or(usize::MAX)
    }

    /// Appends what was read, and learns how much there is beyond it.
    pub(crate) fn fetched(&mut self, window: Window) {
        let read = self.without_withdrawn(window.serials);
        self.beyond.less(window.closed + read.len());
        let read_bytes = read.iter().map(bytes).sum();
        if let Some(each) = usize::checked_div(read_bytes, read.len()) {
            self.bytes_each = each;
        }
        self.weigh_more(read_bytes);
        for serial in read {
            assert!(
                Some(serial.position) > self.cursor,
                "storage is read onwards"
            );
            self.window.push_back(serial);
        }
        self.cursor = window.end.or(self.cursor);
        let cursor = self.cursor;
        self.withdrawn.retain(|position| Some(*position) > cursor);
        match window.beyond {
            Some(Beyond::NOTHING) => self.beyond = Beyond::NOTHING,
            Some(counted) => self.beyond.learn(counted.less_doubted(self.suspects)),
            None => {}
        }
    }

    /// What was read but for what was given away by name, before or since the reading began.
    fn without_withdrawn(&self, mut read: Vec<ShelvedSerial>) -> Vec<ShelvedSerial> {
        if !(self.withdrawing.is_empty() && self.withdrawn.is_empty()) {
            read.retain(|ShelvedSerial { position, .. }| {
                !self.withdrawing.contains(position) && !self.withdrawn.contains(position)
            });
        }
        read
    }

    /// Some that were counted may be there no more: what is beyond is counted again, and of a count that is under
    /// way nothing is believed.
    pub(crate) const fn uncounted(&mut self) {
        self.beyond = Beyond::UNKNOWN;
        self.suspects = usize::MAX;
    }

    /// Serials were put on the shelf, beyond the cursor.
    pub(crate) const fn restocked(&mut self) {
        self.beyond.restocked();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.weigh_less(self.bytes);
    }
}

fn bytes(serial: &ShelvedSerial) -> usize {
    serial.sealed.as_bytes().len()
}
