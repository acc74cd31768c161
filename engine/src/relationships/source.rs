//! Port: where the terms of a relationship come from.

use futures_util::future::BoxFuture;

use super::Terms;
use crate::{fault::Fault, ids::RelationshipId};

/// Loads terms from durable storage.
pub trait Source: Send + Sync + 'static {
    /// The current terms of the relationship, or none.
    fn find(&self, id: RelationshipId) -> BoxFuture<'_, Result<Option<Terms>, Fault>>;
}
