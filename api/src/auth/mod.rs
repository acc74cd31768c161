//! Callers as types: a handler that takes [`ResellerKey<FulfillmentsWrite>`](ResellerKey) cannot run
//! for anybody else, and cannot forget to ask.
//!
//! Unknown, wrong, expired, revoked and test keys get the same 401 after the same work.

mod exposed;
pub(crate) mod key_cache;
mod merchant_key;
mod reseller_key;
pub(crate) mod scope;
pub(crate) mod verify;

pub(crate) use merchant_key::MerchantKey;
pub(crate) use reseller_key::ResellerKey;
