//! Port: where products come from.

use futures_util::future::BoxFuture;

use super::Product;
use crate::{fault::Fault, ids::ProductId};

/// Loads products from durable storage.
pub trait Source: Send + Sync + 'static {
    /// The product with its variants, or none. Whose it is, the caller checks.
    fn find(&self, id: ProductId) -> BoxFuture<'_, Result<Option<Product>, Fault>>;
}
