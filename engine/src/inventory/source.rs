//! Port: where the window of unclaimed serials comes from.

use futures_util::future::BoxFuture;

use crate::{
    catalog::Sku,
    fault::Fault,
    ids::{ImportId, MerchantId, SerialId},
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

    /// Takes a serial that does not open out of sale, for ever.
    fn quarantine(&self, serial: SerialId) -> BoxFuture<'_, Result<(), Fault>>;

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
