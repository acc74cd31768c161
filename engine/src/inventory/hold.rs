//! Serials that left the shelf, as a value that cannot be forgotten or used twice.

use actix::Addr;

use super::{
    InventoryActor, ShelvedSerial,
    messages::{Confirm, Release, Withdrawn},
};
use crate::actors::{LatchGuard, Poison, ask::tell};

/// Serials claimed for one line, or given away by name.
///
/// Ends in exactly one of `confirm` and a drop, which puts the serials back.
#[must_use = "dropping a hold puts the serials back"]
pub(crate) struct StockHold {
    actor: Addr<InventoryActor>,
    serials: Vec<ShelvedSerial>,
    taken: Taken,
    _guard: LatchGuard,
}

/// How serials left the shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    FromTheFront,
    ByName,
}

impl StockHold {
    pub(crate) const fn new(
        actor: Addr<InventoryActor>,
        serials: Vec<ShelvedSerial>,
        guard: LatchGuard,
    ) -> Self {
        Self {
            actor,
            serials,
            taken: Taken::FromTheFront,
            _guard: guard,
        }
    }

    pub(crate) const fn by_name(
        actor: Addr<InventoryActor>,
        serials: Vec<ShelvedSerial>,
        guard: LatchGuard,
    ) -> Self {
        Self {
            actor,
            serials,
            taken: Taken::ByName,
            _guard: guard,
        }
    }

    pub(crate) fn serials(&self) -> &[ShelvedSerial] {
        &self.serials
    }

    /// The claims are durable: the serials are sold or withdrawn.
    pub(crate) fn confirm(mut self) {
        let serials = std::mem::take(&mut self.serials);
        match self.taken {
            Taken::FromTheFront => {
                let quantity = serials.len();
                tell(&self.actor, Confirm { quantity });
            }
            Taken::ByName => tell(&self.actor, Withdrawn { serials }),
        }
    }

    /// Ends the actor whose serials these are: storage says that they are not.
    pub(crate) fn poison(&self) {
        tell(&self.actor, Poison);
    }

    /// The memory that this hold belongs to is being discarded: there is nothing to give back to.
    pub(crate) fn forget(mut self) {
        self.serials.clear();
    }
}

impl Drop for StockHold {
    fn drop(&mut self) {
        if !self.serials.is_empty() && !crate::sabotage::breaks("drop_does_not_release") {
            tell(
                &self.actor,
                Release {
                    serials: std::mem::take(&mut self.serials),
                },
            );
        }
    }
}
