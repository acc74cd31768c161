//! Serials that left the shelf, as a value that cannot be forgotten or used twice.

use actix::Addr;

use super::{
    InventoryActor, ShelvedSerial,
    messages::{Confirm, Release, Withdrawn},
};
use crate::{
    actors::{LatchGuard, Poison, ask::tell},
    ids::WithdrawalId,
};

/// Serials claimed for one line, or given away by name.
///
/// Ends in exactly one of `confirm` and a drop, which puts the serials back.
#[must_use = "dropping a hold puts the serials back"]
pub(crate) struct StockHold {
    /// None: serials of test mode, which come from no shelf and go back to none.
    shelf: Option<Shelf>,
    serials: Vec<ShelvedSerial>,
}

struct Shelf {
    actor: Addr<InventoryActor>,
    taken: Taken,
    _guard: LatchGuard,
}

/// How serials left the shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// By an order, or by this withdrawal.
    FromTheFront(Option<WithdrawalId>),
    ByName,
}

impl Taken {
    const fn withdrawal(self) -> Option<WithdrawalId> {
        match self {
            Self::FromTheFront(withdrawal) => withdrawal,
            Self::ByName => None,
        }
    }
}

impl StockHold {
    pub(crate) const fn new(
        actor: Addr<InventoryActor>,
        serials: Vec<ShelvedSerial>,
        withdrawal: Option<WithdrawalId>,
        guard: LatchGuard,
    ) -> Self {
        Self {
            shelf: Some(Shelf {
                actor,
                taken: Taken::FromTheFront(withdrawal),
                _guard: guard,
            }),
            serials,
        }
    }

    pub(crate) const fn by_name(
        actor: Addr<InventoryActor>,
        serials: Vec<ShelvedSerial>,
        guard: LatchGuard,
    ) -> Self {
        Self {
            shelf: Some(Shelf {
                actor,
                taken: Taken::ByName,
                _guard: guard,
            }),
            serials,
        }
    }

    /// Serials that were made for this one order.
    pub(crate) const fn made(serials: Vec<ShelvedSerial>) -> Self {
        Self {
            shelf: None,
            serials,
        }
    }

    pub(crate) fn serials(&self) -> &[ShelvedSerial] {
        &self.serials
    }

    /// The claims are durable: the serials are sold or withdrawn.
    pub(crate) fn confirm(mut self) {
        let serials = std::mem::take(&mut self.serials);
        let Some(shelf) = &self.shelf else { return };
        match shelf.taken {
            Taken::FromTheFront(withdrawal) => {
                let confirm = Confirm {
                    quantity: serials.len(),
                    withdrawal,
                };
                tell(&shelf.actor, confirm);
            }
            Taken::ByName => tell(&shelf.actor, Withdrawn { serials }),
        }
    }

    /// Ends the actor whose serials these are: storage says that they are not.
    pub(crate) fn poison(&self) {
        if let Some(shelf) = &self.shelf {
            tell(&shelf.actor, Poison);
        }
    }

    /// The memory that this hold belongs to is being discarded: there is nothing to give back to.
    pub(crate) fn forget(mut self) {
        self.serials.clear();
    }
}

impl Drop for StockHold {
    fn drop(&mut self) {
        let Some(shelf) = &self.shelf else { return };
        if !self.serials.is_empty() && !crate::sabotage::breaks("drop_does_not_release") {
            let release = Release {
                serials: std::mem::take(&mut self.serials),
                withdrawal: shelf.taken.withdrawal(),
            };
            tell(&shelf.actor, release);
        }
    }
}
