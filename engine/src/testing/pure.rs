//! The pure parts of the actors, as far as a bench drives them.

use crate::{
    balances::ledger::Ledger,
    clock::EPOCH,
    ids::ImportId,
    inventory::{
        Position, ShelvedSerial,
        beyond::Beyond,
        messages::Window as Read,
        pool::{Pool, Taken},
    },
    money::Money,
    random::SeededRandom,
    vault::Sealed,
};

/// The window of one shelf.
pub struct Window(Pool);

impl Window {
    /// With so many serials.
    ///
    /// # Panics
    /// If they are none.
    pub fn new(serials: u32) -> Self {
        let import = ImportId::for_import(EPOCH, &SeededRandom::new(1));
        let sealed = Sealed::from_bytes([0; 60]);
        let serial = |ordinal| ShelvedSerial {
            position: Position {
                number: 1,
                serial: import.serial(ordinal),
            },
            sealed: sealed.clone(),
        };
        let serials: Vec<_> = (0..serials).map(serial).collect();
        let end = serials.last().expect("some serials").position;
        let mut pool = Pool::new(serials.len(), serials.len());
        pool.fetched(Read {
            serials,
            end: Some(end),
            closed: 0,
            beyond: Some(Beyond::NOTHING),
        });
        Self(pool)
    }

    /// Takes serials and puts them back; whether there were enough.
    pub fn claim_and_release(&mut self, quantity: usize) -> bool {
        let Taken::Serials(serials) = self.0.claim(quantity) else {
            return false;
        };
        self.0.release(serials);
        true
    }
}

/// The money of one balance.
pub struct Purse(Ledger);

impl Purse {
    pub fn new(posted: Money) -> Self {
        Self(Ledger::new(posted))
    }

    /// Holds a cost, takes it, and adds it again; whether there was enough.
    pub fn hold_capture_credit(&mut self, cost: Money) -> bool {
        if !self.0.hold(cost) {
            return false;
        }
        self.0.capture(cost);
        self.0.credit(cost);
        true
    }
}
