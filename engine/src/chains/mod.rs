//! Addresses, where they come from, and tokens, as chains have them: digests, letters, keys.
//!
//! Keeps: no key that could spend is read here. An address is derived from a public key alone, and the same
//! account and index give the same address for ever.

mod account;
pub(crate) mod base58;
mod evm;
mod keccak;
#[cfg(test)]
mod tests;
mod token;

pub use account::{Account, INDEX_MAX};
pub use evm::EvmAddress;
pub use token::{CONFIRMATIONS_MAX, DECIMALS_MAX, Token};
