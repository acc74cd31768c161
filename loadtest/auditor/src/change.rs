//! What a merchant changed, as far as orders are judged by it.

use serde::{Deserialize, Serialize};

use crate::{Id, Sku};

/// A cold change. It counts from the moment it was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    KeyRevoked {
        key: Id,
    },
    /// A relationship is active, or suspended, terminated, not yet accepted.
    Relationship {
        relationship: Id,
        active: bool,
    },
    /// A whole program.
    Program {
        merchant: Id,
        enabled: bool,
    },
    /// Access of one relationship to one SKU.
    Access {
        relationship: Id,
        sku: Sku,
        allowed: bool,
    },
    /// A SKU for everybody.
    Offered {
        sku: Sku,
        on: bool,
    },
    /// What a unit of a SKU costs, the same for everybody who may buy it.
    Price {
        sku: Sku,
        unit_price: i64,
    },
    /// Purchase limits, both as they are now.
    PurchaseLimits {
        relationship: Id,
        daily: Option<i64>,
        monthly: Option<i64>,
    },
    /// The cap of a key per day, as it is now.
    KeyCap {
        key: Id,
        daily: Option<i64>,
    },
}
