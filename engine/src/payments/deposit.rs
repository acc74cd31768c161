//! Where an invoice is paid in tokens: an address that no other has.

use crate::{
    chains::{Account, EvmAddress, Token},
    money::{Currency, Money},
};

/// Where a merchant takes tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposits {
    pub account: Account,
    pub token: Token,
}

/// Where tokens for one invoice are to be sent, and for no other, ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposit {
    pub address: EvmAddress,
    pub token: Token,
}

impl Deposit {
    /// The amount as wallets read it from a picture (EIP 681).
    pub fn link(&self, amount: Money, currency: Currency) -> Option<String> {
        let Token {
            contract, chain_id, ..
        } = &self.token;
        let (address, units) = (self.address, self.token.units(amount, currency)?);
        let link =
            format!("ethereum:{contract}@{chain_id}/transfer?address={address}&uint256={units}");
        Some(link)
    }
}
