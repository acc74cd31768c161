//! The tenant: a seller of digital goods, with exactly one reseller program in one currency.

mod settings;
mod source;

pub use settings::{Change, NAME_CHARS_MAX, Settings};
pub use source::Source;

use crate::{ids::MerchantId, money::Currency, vault::MerchantKey};

/// What the hot path knows of a merchant.
#[derive(Debug, Clone)]
pub struct Merchant {
    pub id: MerchantId,
    pub name: String,
    pub storefront_url: Option<String>,
    /// Set once, for every price, balance and limit of the program.
    pub currency: Currency,
    /// Seals and opens this merchant's serials and customers' addresses.
    pub key: MerchantKey,
    /// By how much the operator raised this merchant's rate limits; 1 is the documented limit.
    pub rate_limit_factor: u32,
}
