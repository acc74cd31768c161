//! Every no of the domain, in the documented order of precedence.

use crate::{clock::Timestamp, ids::ProductId, money::Money, relationships::DynamicUrlPolicy};

/// Why a request is not executed. True for ever for that attempt; nothing was changed by it.
///
/// The order of the variants is the order in which a request with several faults is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The key was revoked while the request was on its way.
    #[error("the key was revoked")]
    KeyRevoked,
    /// The order id is bound to, or running with, another request. Says which fields differ.
    #[error("the order id is bound to another request")]
    OrderMismatch { fields: Vec<&'static str> },
    /// More callers wait for this order id than may.
    #[error("the order id is running")]
    OrderInProgress,
    #[error("the program is switched off")]
    ProgramDisabled,
    /// The program does not allow this form of address.
    #[error("the dynamic URL is not allowed in this form")]
    DynamicUrlNotAllowed { policy: DynamicUrlPolicy },
    /// Not active, with the reason that the reseller is shown.
    #[error("the relationship is not active")]
    RelationshipInactive { reason: Option<String> },
    #[error("the mode does not allow this")]
    ModeNotAllowed,
    #[error("no such product")]
    ProductNotFound { product: ProductId },
    /// The request does not fit the product: variant or custom fields.
    #[error("{field} {message}")]
    Invalid {
        field: String,
        message: &'static str,
    },
    #[error("no access to this product")]
    ProductNotAllowed { product: ProductId },
    #[error("not a serial product")]
    ProductNotEligible { product: ProductId },
    #[error("the quantity must be {min} to {max}")]
    QuantityOutOfRange {
        product: ProductId,
        min: u32,
        max: u32,
    },
    /// Above the caller's maximum; says what it costs now.
    #[error("the price is above the maximum")]
    PriceChanged {
        product: Option<ProductId>,
        current: Money,
    },
    #[error("the purchase limit is reached")]
    PurchaseLimitExceeded {
        limit: Money,
        used: Money,
        resets_at: Timestamp,
    },
    #[error("the key's daily cap is reached")]
    SpendCapExceeded {
        limit: Money,
        used: Money,
        resets_at: Timestamp,
    },
    #[error("the balance is below the cost")]
    InsufficientBalance { required: Money, available: Money },
    #[error("not enough free serials")]
    OutOfStock { product: ProductId },
}
