//! Pure: units of a shelf that are kept for withdrawals which may come.
//!
//! Keeps: a reservation counts from before its row is stored until after the end of that row is, or until
//! its withdrawal is durable; so memory may keep more than the rows say, never less. What is taken by its
//! withdrawal counts again if that is not executed. Those that wait for what is still to come are behind
//! the others, and of each the oldest go first. Those who have not paid have a share between them; what is paid
//! out of it is the last of those that have theirs from the shelf, in the order of paying.

use std::collections::BTreeMap;

use super::{Reach, ReservedUnits};

/// One of so many units is for those who have neither paid nor anybody's yes.
const SHARE: usize = 4;
/// Beside so many units of others, which is what one customer may order, another's order is served whatever
/// the share: shelves are small.
const ORDER_UNITS: usize = 20;
use crate::ids::WithdrawalId;

/// Which making of a reservation is meant: what is known of an earlier one says nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) id: WithdrawalId,
    pub(crate) number: u64,
}

/// The reservations of one shelf.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Reservations {
    /// In their order.
    by_place: BTreeMap<Place, Entry>,
    places: BTreeMap<WithdrawalId, Place>,
    /// Units that count.
    units: usize,
    /// Of those, what is reserved for those who have not paid.
    shared: usize,
    made: u64,
}

/// What decides which goes first: its reach, then when it was made.
type Place = (Reach, u64);

#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
struct Entry {
    id: WithdrawalId,
    quantity: usize,
    /// How often it is asked for right now by somebody who does not know yet whether its row is durable.
    undecided: usize,
    /// Which asking was the last.
    asked: u64,
    row: Row,
    /// Nobody has paid for it or said yes to it.
    shared: bool,
    /// By its withdrawal, which is undecided.
    taken: bool,
}

/// What is known of the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    None,
    /// It is durable, or may be.
    Stored,
    /// Its end is durable.
    Ended,
}

impl Entry {
    const fn counts(&self) -> usize {
        let kept = match self.row {
            Row::None => self.undecided > 0,
            Row::Stored => true,
            Row::Ended => false,
        };
        if kept && !self.taken {
            self.quantity
        } else {
            0
        }
    }

    const fn shares(&self) -> usize {
        if self.shared { self.counts() } else { 0 }
    }

    const fn is_over(&self) -> bool {
        self.is_settled() && !self.taken && !matches!(self.row, Row::Stored)
    }

    /// Whether only its row decides how long it is kept.
    const fn is_settled(&self) -> bool {
        self.undecided == 0
    }
}

impl Reservations {
    /// Those whose rows were found, in their order.
    pub(crate) fn stored(rows: Vec<ReservedUnits>) -> Self {
        let mut stored = Self::default();
        for row in rows {
            let _fresh = stored.enter(row.id, row.quantity as usize, row.reach);
            stored.kept(row.id);
        }
        stored
    }

    /// Units that nobody else may have.
    pub(crate) const fn units(&self) -> usize {
        self.units
    }

    /// Of those, what is reserved for those who have not paid.
    #[cfg(test)]
    pub(crate) const fn shared(&self) -> usize {
        self.shared
    }

    /// How many units there must be before those who have not paid get so many more.
    pub(crate) const fn to_share(&self, quantity: usize) -> usize {
        if self.shared <= ORDER_UNITS {
            self.units + quantity
        } else {
            self.units - self.shared + SHARE * (self.shared + quantity)
        }
    }

    /// Units that the withdrawal of this id must leave: all, or those that go before its own.
    pub(crate) fn ahead_of(&self, id: Option<WithdrawalId>) -> usize {
        let own = id.and_then(|id| self.places.get(&id));
        let Some(own) = own else { return self.units };
        let mut older = self.by_place.range(..own);
        if crate::sabotage::breaks("waiting_out_of_turn") {
            older = self.by_place.range(..(Reach::Beyond, 0).min(*own));
        }
        older.map(|(_, entry)| entry.counts()).sum()
    }

    /// Whether what this id reserves may be still to come.
    pub(crate) fn waits(&self, id: WithdrawalId) -> bool {
        let place = self.places.get(&id);
        place.is_some_and(|(reach, _)| *reach == Reach::Beyond)
    }

    /// Whether this id asks for what it has already: units it reserves, as many.
    pub(crate) fn find(&self, id: WithdrawalId) -> Option<Found> {
        let entry = self.by_place.get(self.places.get(&id)?)?;
        Some(if entry.taken {
            Found::Taken
        } else if entry.row == Row::Ended {
            Found::Ended
        } else {
            Found::Reserved(entry.quantity)
        })
    }

    /// Reserves units, whose row is still to be stored. What an id has it keeps: none, because an earlier
    /// asking may have stored a row.
    pub(crate) fn enter(
        &mut self,
        id: WithdrawalId,
        quantity: usize,
        reach: Reach,
    ) -> Option<Made> {
        self.made += 1;
        let asked = self.made;
        let fresh = !self.places.contains_key(&id);
        let place = *self.places.entry(id).or_insert((reach, asked));
        let entry = self.by_place.entry(place).or_insert_with(|| {
            let shared = reach == Reach::Share;
            self.units += quantity;
            self.shared += if shared { quantity } else { 0 };
            Entry {
                id,
                quantity,
                undecided: 0,
                asked,
                row: Row::None,
                shared,
                taken: false,
            }
        });
        entry.undecided += 1;
        entry.asked = asked;
        fresh.then_some(Made { id, number: asked })
    }

    /// Its row is durable, or may be.
    pub(crate) fn kept(&mut self, id: WithdrawalId) {
        self.change(id, |entry| {
            entry.undecided = entry.undecided.saturating_sub(1);
            if entry.row == Row::None {
                entry.row = Row::Stored;
            }
        });
    }

    /// It was not stored, for certain.
    pub(crate) fn given_back(&mut self, id: WithdrawalId) {
        self.change(id, |entry| {
            entry.undecided = entry.undecided.saturating_sub(1);
        });
    }

    /// Its row says that somebody has paid, or said yes: it leaves the share, and is the last of those that have
    /// theirs from the shelf. What was read of an earlier making says nothing of this one.
    pub(crate) fn paid(&mut self, made: Made) {
        let Some(place) = self.places.get(&made.id).copied() else {
            return;
        };
        let meant = |entry: &Entry| entry.shared && entry.asked == made.number;
        if !self.by_place.get(&place).is_some_and(meant) {
            return;
        }
        self.change(made.id, |entry| entry.shared = false);
        let entry = self.by_place.remove(&place);
        self.made += 1;
        let place = (Reach::Shelf, self.made);
        self.places.insert(made.id, place);
        self.by_place.extend(entry.map(|entry| (place, entry)));
    }

    /// Its withdrawal took the units.
    pub(crate) fn taken(&mut self, id: WithdrawalId) {
        self.change(id, |entry| entry.taken = true);
    }

    /// Its withdrawal was not executed: the units are back.
    pub(crate) fn put_back(&mut self, id: WithdrawalId) {
        self.change(id, |entry| entry.taken = false);
    }

    /// Its withdrawal is durable.
    pub(crate) fn redeemed(&mut self, id: WithdrawalId) {
        self.change(id, |entry| {
            entry.taken = false;
            entry.row = Row::Ended;
        });
    }

    /// Those whose rows tell whether they are still to be kept, also while their withdrawals have them.
    pub(crate) fn settled(&self) -> Vec<Made> {
        let settled = self.by_place.values().filter(|entry| entry.is_settled());
        let made = settled.map(|entry| Made {
            id: entry.id,
            number: entry.asked,
        });
        made.collect()
    }

    /// There is no row any more, or there never was.
    pub(crate) fn without_rows(&mut self, gone: &[Made]) {
        for made in gone {
            let place = self.places.get(&made.id);
            let entry = place.and_then(|place| self.by_place.get(place));
            if entry.is_some_and(|entry| entry.is_settled() && entry.asked == made.number) {
                self.change(made.id, |entry| entry.row = Row::Ended);
            }
        }
    }

    fn change(&mut self, id: WithdrawalId, change: impl FnOnce(&mut Entry)) {
        let Some(place) = self.places.get(&id) else {
            return;
        };
        let entry = self
            .by_place
            .get_mut(place)
            .expect("every id has its entry");
        let before = (entry.counts(), entry.shares());
        change(entry);
        self.units = self.units - before.0 + entry.counts();
        self.shared = self.shared - before.1 + entry.shares();
        if entry.is_over() {
            self.by_place.remove(place);
            self.places.remove(&id);
        }
    }
}

/// What an id has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Reserved(usize),
    /// Its withdrawal is undecided.
    Taken,
    /// It ended while somebody who made it had not heard of its row.
    Ended,
}
