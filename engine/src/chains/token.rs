//! Tokens on a chain, and what they are worth.
//!
//! Keeps: a token is worth one unit of the merchant's currency, so nobody's price is asked; and what is less
//! than the smallest amount of that currency is no money.

use super::EvmAddress;
use crate::money::{Currency, Money};

/// Blocks that may have to follow a payment: as many are looked at again and again.
pub const CONFIRMATIONS_MAX: u16 = 256;
/// Decimals of a token: one with more has units that no number here could hold.
pub const DECIMALS_MAX: u8 = 36;

/// A token of one network, and when a payment in it is final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// As the operator of this installation named it.
    pub network: String,
    pub chain_id: u64,
    pub contract: EvmAddress,
    pub decimals: u8,
    /// In so many blocks, the payment's own among them.
    pub confirmations: u16,
}

impl Token {
    /// What so many of its smallest units are worth, down to the currency's own; none beyond the largest
    /// amount.
    pub fn worth(&self, units: u128, currency: Currency) -> Option<Money> {
        let (fine, coarse) = (u32::from(self.decimals), u32::from(currency.decimals()));
        let minor = if fine >= coarse {
            units / 10_u128.checked_pow(fine - coarse)?
        } else {
            units.checked_mul(10_u128.pow(coarse - fine))?
        };
        Money::from_minor(i64::try_from(minor).ok()?)
    }

    /// The units that an amount asks for, so that they are worth no less.
    pub fn units(&self, amount: Money, currency: Currency) -> Option<u128> {
        let minor = u128::try_from(amount.minor()).ok()?;
        let (fine, coarse) = (u32::from(self.decimals), u32::from(currency.decimals()));
        if fine >= coarse {
            minor.checked_mul(10_u128.checked_pow(fine - coarse)?)
        } else {
            Some(minor.div_ceil(10_u128.pow(coarse - fine)))
        }
    }
}
