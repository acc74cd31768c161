//! Callers as types: a handler that takes [`ResellerKey<FulfillmentsWrite>`](ResellerKey) cannot run
//! for anybody else, and cannot forget to ask.
//!
//! Unknown, wrong, expired and revoked keys get the same 401 after the same work.

pub(crate) mod codes;
pub(crate) mod cookie;
pub(crate) mod exposed;
pub(crate) mod key_cache;
pub(crate) mod member;
mod merchant_key;
pub(crate) mod origin;
pub(crate) mod passwords;
mod reseller_key;
pub(crate) mod scope;
pub(crate) mod screen;
mod session;
pub(crate) mod session_limits;
pub(crate) mod verify;

pub(crate) use cookie::Token;
pub(crate) use merchant_key::MerchantKey;
pub(crate) use reseller_key::ResellerKey;
pub(crate) use session::{FromOurPages, Session, SteppedUp, Visitor};
