//! Pure: whether a transaction on a chain paid a payout.
//!
//! Keeps: what is called verified went to the payout's own address, in the token that is meant, is no less
//! than was asked for, and can be dropped no more.

use super::Payout;
use crate::{
    chains::{EvmAddress, Token},
    money::{Currency, Money},
};

/// A transaction as its chain has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    pub succeeded: bool,
    /// In how many blocks it is, its own among them.
    pub depth: u64,
    pub sent: Vec<Sent>,
}

/// What it sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    pub contract: EvmAddress,
    pub to: EvmAddress,
    /// None beyond all that there is of any token.
    pub units: Option<u128>,
}

/// Why it did not pay, in the order in which it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unpaid {
    /// The chain has no such.
    Missing,
    Failed,
    /// Nothing of the token was sent.
    OtherToken,
    OtherRecipient,
    /// So much was sent.
    Less(Money),
    /// It is in so many blocks of so many.
    NotFinal {
        depth: u64,
        confirmations: u16,
    },
}

/// What the payout's address got by a transaction, or why that did not pay it.
pub fn paid(
    payout: &Payout,
    (token, currency): (&Token, Currency),
    transaction: Option<&Transaction>,
) -> Result<Money, Unpaid> {
    let transaction = transaction.ok_or(Unpaid::Missing)?;
    if !transaction.succeeded {
        return Err(Unpaid::Failed);
    }
    let of_token = |sent: &&Sent| sent.contract == token.contract;
    let mut sent = transaction.sent.iter().filter(of_token).peekable();
    sent.peek().ok_or(Unpaid::OtherToken)?;
    let recipient = EvmAddress::parse(&payout.address);
    let mut to_recipient = sent.filter(|sent| Some(sent.to) == recipient).peekable();
    to_recipient.peek().ok_or(Unpaid::OtherRecipient)?;
    let units = to_recipient.try_fold(0_u128, |sum, sent| sum.checked_add(sent.units?));
    let worth = units.and_then(|units| token.worth(units, currency));
    let worth = worth.unwrap_or(Money::MAX);
    if worth < payout.amount {
        return Err(Unpaid::Less(worth));
    }
    if transaction.depth < u64::from(token.confirmations) {
        return Err(Unpaid::NotFinal {
            depth: transaction.depth,
            confirmations: token.confirmations,
        });
    }
    Ok(worth)
}
