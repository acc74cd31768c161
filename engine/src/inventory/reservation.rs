//! Units kept for a withdrawal that may come, as a value that cannot be forgotten or used twice.
//!
//! Keeps: the units are kept in memory before the row that says so is stored. Until then no successor of
//! the actor is loaded; from then on whoever loads it waits for that row's transaction.

use actix::Addr;

use super::{
    InventoryActor,
    messages::{GivenBack, Kept, WithoutRows},
    reservations::Made,
};
use crate::{
    actors::{LatchGuard, ask::tell},
    catalog::Sku,
    ids::{MerchantId, WithdrawalId},
    journal::Owner,
};

/// Units of whose shelf, and under which id they will be withdrawn. The SKU must be the merchant's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReserveCall {
    pub id: WithdrawalId,
    pub merchant: MerchantId,
    pub sku: Sku,
    pub quantity: u32,
}

/// Which serials a reservation may count on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Those that nobody had when it was made.
    Shelf,
    /// Of those a share: who asks has neither paid nor anybody's yes. So what costs nothing to hold leaves
    /// most of the shelf to those who buy.
    Share,
    /// Those that come later, too: it was paid, and waits for them. Whatever comes is for those that wait,
    /// the oldest first.
    Beyond,
}

/// A reservation as its row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReservedUnits {
    pub id: WithdrawalId,
    pub quantity: u32,
    pub reach: Reach,
}

/// What became of a [`ReserveCall`].
#[derive(Debug)]
pub enum Reserved {
    Held(Reservation),
    /// There are not so many that nobody has.
    OutOfStock,
}

/// What became of several [`ReserveCall`]s of somebody who has paid.
#[derive(Debug)]
pub enum ReservedAll {
    /// Those that were not withdrawn before.
    Held(Vec<Reservation>),
    Waits(Waiting),
}

/// Somebody who has paid waits for one shelf, the first of all that has too few. Nothing of a shelf behind it is kept
/// for whoever waits: so among all who wait nobody waits for what another keeps who waits for something else in turn,
/// because those at the last of their shelves wait for serials only.
#[derive(Debug)]
pub struct Waiting {
    /// Of the shelves before it, and what is still to come of it: the last.
    pub kept: Vec<Reservation>,
    /// Which one it waits for.
    pub at: ReserveCall,
    /// Of the shelves behind it. What has a row is to be given up: it ends with the transaction that stores what is
    /// kept.
    pub given_up: Vec<ReserveCall>,
}

/// How the row of a reservation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// What it was made for was not paid in time.
    Expired,
    Cancelled,
    /// Its withdrawal is durable: this only says so.
    Redeemed,
}

impl Ending {
    /// The word for it in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "EXPIRED",
            Self::Cancelled => "CANCELLED",
            Self::Redeemed => "REDEEMED",
        }
    }
}

/// Units that nobody else gets. Dropped, it is given back: it has no row, and never will have one.
#[must_use = "dropping a reservation gives the units back"]
#[derive(Debug)]
pub struct Reservation {
    call: ReserveCall,
    reach: Reach,
    owner: Owner,
    shelf: Option<Shelf>,
}

#[derive(Debug)]
struct Shelf {
    actor: Addr<InventoryActor>,
    made: Option<Made>,
    _guard: LatchGuard,
}

/// A reservation whose row is part of a transaction: kept as long as the row has no end, and until a
/// comparison with the rows if there never is one.
#[derive(Debug)]
pub struct Stored {
    /// None: there may be an earlier row, which only a comparison can tell.
    made: Option<(Addr<InventoryActor>, Made)>,
}

impl Reservation {
    pub(crate) fn new(
        call: ReserveCall,
        reach: Reach,
        owner: Owner,
        (actor, guard, made): (Addr<InventoryActor>, LatchGuard, Option<Made>),
    ) -> Self {
        let shelf = Shelf {
            actor,
            made,
            _guard: guard,
        };
        Self {
            call,
            reach,
            owner,
            shelf: Some(shelf),
        }
    }

    /// One of no shelf, for tests of what is stored.
    #[cfg(any(test, feature = "testing"))]
    pub const fn of_no_shelf(call: ReserveCall, reach: Reach, owner: Owner) -> Self {
        Self {
            call,
            reach,
            owner,
            shelf: None,
        }
    }

    pub const fn call(&self) -> &ReserveCall {
        &self.call
    }

    pub const fn reach(&self) -> Reach {
        self.reach
    }

    /// Who must own the shard still when the row is stored.
    pub const fn owner(&self) -> Owner {
        self.owner
    }

    /// The row is written, in a transaction that whoever loads the shelf waits for.
    pub fn stored(mut self) -> Stored {
        let made = self.shelf.take().and_then(|shelf| {
            tell(&shelf.actor, Kept { id: self.call.id });
            shelf.made.map(|made| (shelf.actor, made))
        });
        Stored { made }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(shelf) = self.shelf.take() {
            tell(&shelf.actor, GivenBack { id: self.call.id });
        }
    }
}

impl Stored {
    /// The transaction did not happen, for certain: the units are free at once.
    pub fn aborted(self) {
        if let Some((actor, made)) = self.made {
            tell(&actor, WithoutRows { gone: vec![made] });
        }
    }
}
