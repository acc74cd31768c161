//! One reseller in one merchant's program: status, mode, terms, product access, keys.
//!
//! [`Terms`] is a snapshot with a version. Whatever could allow or forbid an order is in it, the
//! state of the keys included, so a change is in force once the balance's actor has taken it over.

mod change;
mod committed;
mod life;
mod prices;
mod relationship;
mod source;
mod terms;
#[cfg(test)]
pub(crate) mod tests;

pub use change::{AccessChange, Change, Unchanged, Ware};
pub use committed::Committed;
pub use life::{Step, Stepped, WrongStatus};
pub use prices::Prices;
pub use relationship::{Barred, Grant, ProductScope, Relationship, random_code};
pub use source::Source;
pub use terms::{Access, DynamicUrlPolicy, KeyTerms, Mode, Status, Terms};

use crate::ids::{BalanceId, MerchantId, RelationshipId};

/// Whose data a call may touch: one relationship of one merchant, live or test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelationshipScope {
    pub merchant: MerchantId,
    pub relationship: RelationshipId,
    pub balance: BalanceId,
    pub test: bool,
}
