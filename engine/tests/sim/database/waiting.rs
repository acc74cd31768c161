//! Paid invoices that wait for stock, judged when one of them is served: the oldest goes first.
//!
//! Keeps: whoever is served leaves on the shelf what those are to have that waited before it began to. A
//! reservation is older only if it was stored before the other was asked for: which of two at once goes first, the
//! engine decides.

use engine::{
    catalog::Sku,
    ids::WithdrawalId,
    inventory::{Purpose, Reach, Withdrawal},
    testing::{ReservationRow, Tables},
};

use super::{Database, lock};
use crate::tally::{Kind, Sometimes};

/// When an invoice began to wait, and since when its row says so, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    began: u64,
    stored: Option<u64>,
}

impl Database {
    /// A paid invoice was refused, and asks to wait.
    pub(crate) fn begins_to_wait(&self, id: WithdrawalId) {
        let began = self.weather.micros();
        let wait = Wait {
            began,
            stored: None,
        };
        lock(&self.waits).insert(id, wait);
    }

    /// Its row is stored.
    pub(super) fn waits_from_now(&self, id: WithdrawalId) {
        if let Some(wait) = lock(&self.waits).get_mut(&id) {
            wait.stored = Some(self.weather.micros());
        }
    }

    /// A withdrawal was committed.
    pub(super) fn served(&self, row: &Withdrawal) {
        // Of serials that are gone for another reason nobody can leave enough.
        let tally = &self.weather.tally;
        let excused = tally.strikes(Kind::SealBroken) + tally.strikes(Kind::Restored) > 0;
        if row.purpose != Purpose::Sale || excused {
            return;
        }
        let tables = self.tables();
        let own = tables.reservations.get(&row.id).filter(|own| !own.ended);
        if own.is_some_and(|own| own.reach != Reach::Beyond) {
            return;
        }
        let Some(own) = lock(&self.waits).get(&row.id).copied() else {
            return;
        };
        let older = older(&tables, row.sku, |id| {
            let wait = lock(&self.waits).get(&id).copied();
            let stored = wait.and_then(|wait| wait.stored);
            stored.is_some_and(|stored| stored < own.began)
        });
        if older == 0 {
            return;
        }
        self.weather.reached(Sometimes::ServedBesideOlder);
        if unclaimed(&tables, row.sku) < older {
            self.breached("N21: a paid invoice was served before one that waited longer");
        }
    }
}

/// Units of those that wait and are older, and have neither an end nor theirs.
fn older(tables: &Tables, sku: Sku, is_older: impl Fn(WithdrawalId) -> bool) -> u32 {
    let waits = |row: &&ReservationRow| row.sku == sku && row.reach == Reach::Beyond && !row.ended;
    let waiting = tables.reservations.iter().filter(|(_, row)| waits(row));
    let waiting = waiting.filter(|(id, _)| !tables.withdrawals.contains_key(id));
    let older = waiting.filter(|(id, _)| is_older(**id));
    older.map(|(_, row)| row.quantity).sum()
}

fn unclaimed(tables: &Tables, sku: Sku) -> u32 {
    let on_sale = |row: &&engine::testing::ImportRow| row.sku == sku && row.number.is_some();
    let serials = tables.imports.iter().filter(|(_, row)| on_sale(row));
    let serials = serials.flat_map(|(id, row)| (0..).zip(&row.serials).map(|(n, _)| id.serial(n)));
    let free = serials.filter(|serial| !tables.claims.contains_key(serial));
    u32::try_from(free.count()).expect("few serials")
}
