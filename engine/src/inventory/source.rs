//! Port: where the window of unclaimed serials comes from.

use futures_util::future::BoxFuture;

use super::{Kept, ReservedUnits, Withdrawal, import::Import};
use crate::{
    catalog::Sku,
    fault::Fault,
    ids::{ImportId, MerchantId, SerialId, WithdrawalId},
    vault::Sealed,
};

/// How far the window has read: the number of the import and its last serial that was read.
///
/// Numbers become visible in the order in which imports commit, so nothing ever appears behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub number: i64,
    pub serial: SerialId,
}

/// An unclaimed serial as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShelvedSerial {
    pub position: Position,
    pub sealed: Sealed,
}

/// Where a serial stands in storage, as seen from one shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Unclaimed and on sale.
    Free(ShelvedSerial),
    /// Its import has no number yet.
    NotOnSale,
    Claimed,
    OtherProduct,
    Unknown,
}

impl Standing {
    /// Why such a serial was not withdrawn.
    pub const fn kept(&self) -> Kept {
        match self {
            Self::Free(_) | Self::NotOnSale => Kept::Held,
            Self::Claimed => Kept::Claimed,
            Self::OtherProduct => Kept::OtherProduct,
            Self::Unknown => Kept::Unknown,
        }
    }
}

/// Loads unclaimed serials, in import order.
pub trait Source: Send + Sync + 'static {
    /// Up to `limit` unclaimed serials after `after`, or from the first one. Fewer than `limit` means
    /// that there are no more. Also moves the stored low-water mark, before which all is claimed.
    fn fetch(
        &self,
        sku: Sku,
        after: Option<Position>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<ShelvedSerial>, Fault>>;

    /// How many unclaimed serials there are after `after`.
    fn count(&self, sku: Sku, after: Option<Position>) -> BoxFuture<'_, Result<u64, Fault>>;

    /// The same, up to `most`: whoever waits for a shelf waits for no more of a count than is asked about.
    fn count_to(
        &self,
        sku: Sku,
        after: Option<Position>,
        most: usize,
    ) -> BoxFuture<'_, Result<usize, Fault>>;

    /// Takes a serial that does not open out of sale, for ever.
    fn quarantine(&self, serial: SerialId) -> BoxFuture<'_, Result<(), Fault>>;

    /// Stores serials that are made for one order of test mode. They are never on sale.
    fn rehearse(&self, import: Import) -> BoxFuture<'_, Result<(), Fault>>;

    /// Where these serials stand, in the order asked. Those of other merchants are unknown.
    fn standing(
        &self,
        merchant: MerchantId,
        sku: Sku,
        serials: Vec<SerialId>,
    ) -> BoxFuture<'_, Result<Vec<Standing>, Fault>>;

    /// The withdrawal with this id, once it is durable.
    fn withdrawal(&self, id: WithdrawalId) -> BoxFuture<'_, Result<Option<Withdrawal>, Fault>>;

    /// What is reserved of a shelf: reservations without an end whose withdrawal is not durable, in the
    /// order of their reach, and then in which they were made. One whose row is being stored right now is waited for, whoever
    /// stores it; none is stored later but by the owner of the shard.
    fn reserved(&self, sku: Sku) -> BoxFuture<'_, Result<Vec<ReservedUnits>, Fault>>;

    /// Imports that were stored but not yet numbered, because the process ended in between.
    fn unnumbered(&self) -> BoxFuture<'_, Result<Vec<Restock>, Fault>>;
}

/// An import that is stored and waits for its number, from which on it is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restock {
    pub merchant: MerchantId,
    pub sku: Sku,
    pub import: ImportId,
}
