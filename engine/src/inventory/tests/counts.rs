//! What is counted beyond a window while serials are given away by name: pure, and exhaustively in the small.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use super::{
    reservations::{claims, id, looked, row, taken},
    shelf::serials,
};
use crate::inventory::{
    Position, Reach, ShelvedSerial,
    beyond::Beyond,
    messages::Window,
    pool::{Pool, Reserving, Taken, Waiting, Wanted},
    reservations::Reservations,
};

fn reserved(units: u32) -> Pool {
    Pool::new(4, 16).reserving(Reservations::stored(vec![row(1, units)]))
}

fn units(units: usize) -> Waiting {
    Waiting {
        units,
        ..Waiting::default()
    }
}

#[test]
fn claims_are_served_while_removals_overlap() {
    let mut pool = reserved(4);
    looked(&mut pool, 0..4, (60, false));
    drop(taken(pool.claim(4)));
    // Each begins while somebody counts, and before the one before it has ended.
    let mut running = pool.withdraw(serials(10_000..10_020));
    let (mut end, mut served, mut removed) = (4, 0, 20);
    for number in 1..=10 {
        let wanted = pool.wanted(claims(50), false).expect("a look");
        let names = 10_000 + 20 * number;
        let next = pool.withdraw(serials(names..names + 20));
        removed += next.len();
        pool.withdrawn(&std::mem::replace(&mut running, next));
        let read = serials(end..end + u32::try_from(wanted.serials).expect("few"));
        end += 50;
        pool.fetched(Window {
            beyond: (wanted.counted > 0).then(|| Beyond::counted(wanted.counted, false)),
            ..super::shelf::read(read, true)
        });
        if let Taken::Serials(serials) = pool.claim(50) {
            served += serials.len();
        }
    }
    assert!(served >= 250 && removed >= 100, "{served} {removed}");
}

#[test]
fn count_is_less_by_what_was_given_away_and_says_nothing_of_what_else_there_is() {
    let mut pool = reserved(4);
    looked(&mut pool, 0..4, (4, false));
    let wanted = pool.wanted(units(5), false).expect("a count");
    assert_eq!((wanted.serials, wanted.counted), (0, 22));
    let gone = pool.withdraw(serials(4..6));
    pool.withdrawn(&gone);
    let back = pool.withdraw(serials(6..7));
    pool.release(back);
    looked(&mut pool, 4..4, (6, true));
    assert_eq!(pool.beyond(), Beyond::counted(4, false));
    let wanted = pool.wanted(units(5), false).expect("another");
    assert_eq!(wanted.counted, 24, "and as many as it was less by");
    looked(&mut pool, 4..4, (4, true));
    assert_eq!(pool.beyond(), Beyond::counted(4, true));
    assert_eq!(pool.claim(5), Taken::Out);
}

#[test]
fn nothing_is_counted_for_nobody_while_a_removal_runs() {
    let mut pool = reserved(4);
    looked(&mut pool, 0..4, (4, false));
    let held = pool.withdraw(serials(4..7));
    assert_eq!(pool.wanted(Waiting::default(), false), None);
    assert!(pool.wanted(claims(1), false).is_some(), "for a claim it is");
    pool.withdrawn(&held);
    assert!(pool.wanted(Waiting::default(), false).is_some());
}

#[test]
fn count_under_way_is_not_believed_where_others_may_be_gone() {
    let mut pool = reserved(4);
    looked(&mut pool, 0..4, (4, false));
    assert!(pool.wanted(units(5), false).is_some());
    pool.uncounted();
    looked(&mut pool, 4..4, (8, true));
    assert_eq!(pool.beyond(), Beyond::UNKNOWN);
    assert!(pool.wanted(units(5), false).is_some());
    looked(&mut pool, 4..4, (8, true));
    assert_eq!(pool.beyond(), Beyond::counted(8, true));
}

/// A look at storage that is under way.
#[derive(Debug, Clone)]
struct Look {
    wanted: Wanted,
    read: Option<Vec<ShelvedSerial>>,
    counted: Option<Beyond>,
}

/// A removal by name: storage has it before the shelf hears of it.
#[derive(Debug, Clone)]
enum Removal {
    Named(std::ops::Range<u32>),
    Held(Vec<ShelvedSerial>),
    Committed(Vec<ShelvedSerial>),
    Over,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    /// Somebody waits for so much, or nobody, and storage is looked at.
    Look(Waiting),
    /// The look reads, then counts, then arrives.
    Advance,
    Begin(usize),
    Commit(usize),
    /// The shelf hears that it is durable, or that it is not.
    End(usize),
    Claim,
    Reserve,
    /// One more is put on the shelf, then the shelf hears of it.
    Import,
    Restocked,
}

const ONE: Waiting = Waiting {
    serials: 1,
    units: 0,
    shared: 0,
};
const UNITS: Waiting = Waiting {
    serials: 0,
    units: 2,
    shared: 0,
};
const NOBODY: Waiting = Waiting {
    serials: 0,
    units: 0,
    shared: 0,
};
const EVENTS: [Event; 14] = [
    Event::Look(NOBODY),
    Event::Look(ONE),
    Event::Look(UNITS),
    Event::Advance,
    Event::Begin(0),
    Event::Commit(0),
    Event::End(0),
    Event::Begin(1),
    Event::Commit(1),
    Event::End(1),
    Event::Claim,
    Event::Reserve,
    Event::Import,
    Event::Restocked,
];
/// Serials that are on the shelf before all else.
const FIRST: u32 = 4;

/// A shelf in storage and in memory, and what of it is whose.
#[derive(Debug, Clone)]
struct Shelf {
    pool: Pool,
    look: Option<Look>,
    removals: [Removal; 2],
    stored: u32,
    /// That the shelf has heard of, and had when the look began.
    told: u32,
    told_before: u32,
    gone: BTreeSet<Position>,
    reserved: usize,
}

impl Shelf {
    fn new(reserved: u32) -> Self {
        let rows = (reserved > 0).then(|| row(1, reserved));
        let book = Reservations::stored(rows.into_iter().collect());
        Self {
            pool: Pool::new(2, 2).reserving(book),
            look: None,
            removals: [1..3, 2..4].map(Removal::Named),
            stored: FIRST,
            told: FIRST,
            told_before: FIRST,
            gone: BTreeSet::new(),
            reserved: reserved as usize,
        }
    }

    /// What storage has unclaimed after a position.
    fn unclaimed(&self, after: Option<Position>) -> Vec<ShelvedSerial> {
        let mut free = serials(0..self.stored);
        free.retain(|one| Some(one.position) > after && !self.gone.contains(&one.position));
        free
    }

    /// What nobody has, of that.
    fn free(&self, after: Option<Position>) -> usize {
        let mut free = self.unclaimed(after);
        for removal in &self.removals {
            if let Removal::Held(held) = removal {
                free.retain(|one| !held.contains(one));
            }
        }
        free.len()
    }

    /// The same without what nobody has told the shelf of.
    fn heard_of(&self, after: Option<Position>) -> usize {
        let mut all = self.clone();
        all.stored = all.told;
        all.free(after)
    }

    /// False: it cannot happen now.
    fn happens(&mut self, event: Event) -> bool {
        match event {
            Event::Look(waiting) => self.look(waiting),
            Event::Advance => self.advance(),
            Event::Begin(number) => self.begin(number),
            Event::Commit(number) => self.commit(number),
            Event::End(number) => self.end(number),
            Event::Claim => self.claim() != Taken::Short,
            Event::Reserve if self.reserved == 0 => {
                let reserving = self.pool.reserve(id(1), 2, Reach::Shelf);
                match reserving {
                    Reserving::Done(_) => self.reserved = 2,
                    Reserving::Short => return false,
                    other => assert!(self.heard_of(None) < 2, "{other:?}"),
                }
                true
            }
            Event::Reserve => false,
            Event::Import => {
                let first = self.stored == FIRST;
                self.stored = FIRST + 1;
                first
            }
            Event::Restocked => {
                let heard = self.told < self.stored;
                self.told = self.stored;
                if heard {
                    self.pool.restocked();
                }
                heard
            }
        }
    }

    fn look(&mut self, waiting: Waiting) -> bool {
        if self.look.is_some() {
            return false;
        }
        let wanted = self.pool.wanted(waiting, false);
        self.look = wanted.map(|wanted| Look {
            wanted,
            read: None,
            counted: None,
        });
        self.told_before = self.told;
        wanted.is_some()
    }

    /// As `fetch.rs` does it.
    fn advance(&mut self) -> bool {
        let Some(mut look) = self.look.take() else {
            return false;
        };
        let cursor = self.pool.cursor();
        let (limit, most) = (look.wanted.serials, look.wanted.counted);
        let Some(read) = look.read else {
            let mut read = self.unclaimed(cursor);
            read.truncate(limit);
            look.read = Some(read);
            self.look = Some(look);
            return true;
        };
        let end = read.last().map(|serial| serial.position);
        let more = read.len() == limit;
        if more && most > 0 && look.counted.is_none() {
            let counted = self.unclaimed(end.or(cursor)).len().min(most);
            look.counted = Some(Beyond::counted(counted, counted < most));
            look.read = Some(read);
            self.look = Some(look);
            return true;
        }
        let mut beyond = if more {
            look.counted
        } else {
            Some(Beyond::NOTHING)
        };
        if let Some(beyond) = &mut beyond
            && self.told_before < self.told
        {
            beyond.restocked();
        }
        self.pool.fetched(Window {
            serials: read,
            end,
            closed: 0,
            beyond,
        });
        true
    }

    fn begin(&mut self, number: usize) -> bool {
        let Removal::Named(names) = &self.removals[number] else {
            return false;
        };
        let named = serials(names.clone());
        if self.pool.must_read_for(&named) {
            return false;
        }
        // Whoever names them looks at storage first.
        let free = self.unclaimed(None);
        let named = named.into_iter().filter(|one| free.contains(one)).collect();
        self.removals[number] = Removal::Held(self.pool.withdraw(named));
        true
    }

    fn commit(&mut self, number: usize) -> bool {
        let Removal::Held(held) = &self.removals[number] else {
            return false;
        };
        self.gone.extend(held.iter().map(|one| one.position));
        self.removals[number] = Removal::Committed(held.clone());
        true
    }

    fn end(&mut self, number: usize) -> bool {
        match std::mem::replace(&mut self.removals[number], Removal::Over) {
            Removal::Held(held) => self.pool.release(held),
            Removal::Committed(done) => self.pool.withdrawn(&done),
            other => {
                self.removals[number] = other;
                return false;
            }
        }
        true
    }

    fn claim(&mut self) -> Taken {
        let claimed = self.pool.claim(1);
        match &claimed {
            Taken::Serials(serials) => {
                self.gone.extend(serials.iter().map(|one| one.position));
                self.pool.confirm(serials.len());
            }
            Taken::Short => {}
            other => assert!(self.heard_of(None) < 1 + self.reserved, "{other:?}"),
        }
        claimed
    }

    /// What is asked for again after each look, until it is answered or looks do not help.
    fn answered(&mut self, waiting: Waiting, ask: impl Fn(&mut Self) -> Taken) -> Taken {
        while self.advance() {}
        for _ in 0..FIRST {
            let answer = ask(self);
            if answer != Taken::Short {
                return answer;
            }
            assert!(self.look(waiting), "it waits for nothing");
            while self.advance() {}
        }
        ask(self)
    }

    fn check(&self) {
        let (cursor, beyond) = (self.pool.cursor(), self.pool.beyond());
        assert!(beyond.least() <= self.free(cursor), "more than there is");
        let others = beyond.is_all() && beyond.least() < self.heard_of(cursor);
        assert!(!others, "there are others");
        assert!(self.free(None) >= self.reserved, "it was reserved");

        // While removals stay as they are, only what they may have is an excuse.
        let mut it = self.clone();
        let doubted = self.pool.held_beyond();
        if it.answered(ONE, Self::claim) == Taken::Short {
            let sure = it.pool.in_window() + it.unclaimed(it.pool.cursor()).len();
            assert!(sure < 1 + self.reserved + doubted, "it waits for ever");
        }
        if self.reserved > 0 {
            let redeem = |it: &mut Self| it.pool.redeem(id(1), self.reserved);
            let waiting = claims(self.reserved);
            taken(self.clone().answered(waiting, redeem));
        }

        let mut it = self.clone();
        let _ended = [0, 1].map(|number| it.end(number));
        it.happens(Event::Restocked);
        let enough = it.free(None) > it.reserved;
        let answer = it.answered(ONE, Self::claim);
        assert_eq!(matches!(answer, Taken::Serials(_)), enough, "{answer:?}");
        assert_ne!(answer, Taken::Short, "it waits for ever");
    }

    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        format!("{self:?}").hash(&mut hasher);
        hasher.finish()
    }
}

/// Every state that a shelf comes to by looks at storage, two removals by name, claims and a reservation, in
/// whatever order: what is counted is there, what is reserved is there and redeemed, nobody waits for nothing, nobody is
/// refused what is free, and a removal that runs keeps from a claim only what it may have.
#[test]
fn counts_are_true_in_every_order_of_looks_and_removals() {
    for reserved in [0, 2] {
        let first = Shelf::new(reserved);
        let (mut seen, mut next) = (BTreeSet::from([first.digest()]), vec![first]);
        while let Some(shelf) = next.pop() {
            shelf.check();
            for event in EVENTS {
                let mut then = shelf.clone();
                if then.happens(event) && seen.insert(then.digest()) {
                    next.push(then);
                }
            }
        }
        assert!(seen.len() > 5000, "{} states", seen.len());
    }
}
