//! Port: where merchants come from.

use futures_util::future::BoxFuture;

use super::Merchant;
use crate::{fault::Fault, ids::MerchantId};

/// Loads merchants from durable storage.
pub trait Source: Send + Sync + 'static {
    /// The merchant with its data key unwrapped, or none.
    fn find(&self, id: MerchantId) -> BoxFuture<'_, Result<Option<Merchant>, Fault>>;
}
