//! Under which names the orders of a connection are bound: each under its own, so that two shops that both
//! count from one never mean each other's orders.
//!
//! Keeps: of an own namespace, two orders of one shop, or two lines of one order, are never one id; a shared one
//! joins the words as they stand. A namespace is chosen when the connection is made and stays: under another one each
//! order that was delivered would be a new one.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{Connection, Kind, Unreadable};
use crate::fulfillments::OrderId;

/// Whose order ids a connection's are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Namespace {
    /// Nobody else's.
    Own,
    /// Those of all connections of its kind that say so; of [`Kind::Custom`] those of the reseller's keys too.
    Shared,
}

impl Namespace {
    pub const ALL: [Self; 2] = [Self::Own, Self::Shared];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "OWN",
            Self::Shared => "SHARED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// The order id of what a shop names by these words.
pub(super) fn order_id(connection: &Connection, words: &[String]) -> Result<OrderId, Unreadable> {
    match connection.namespace {
        Namespace::Own => {
            let words: Vec<_> = words.iter().map(|word| escaped(word)).collect();
            Ok(within(&connection.id.to_string(), &words.join(":")))
        }
        Namespace::Shared => shared(connection.kind, &words.join(":")),
    }
}

fn shared(kind: Kind, words: &str) -> Result<OrderId, Unreadable> {
    let shop = match kind {
        Kind::Shoppex => "shoppex",
        Kind::SellAuth => "sellauth",
        Kind::Sellix => "sellix",
        Kind::SellApp => "sellapp",
        Kind::Custom => {
            let parsed = OrderId::parse(words);
            return parsed.map_err(|message| Unreadable::new("order_id", message));
        }
    };
    Ok(within(shop, words))
}

/// A word with nothing in it that could be the end of it.
fn escaped(word: &str) -> String {
    word.replace('%', "%25").replace(':', "%3A")
}

/// What is no id as it stands is one by its digest.
fn within(space: &str, words: &str) -> OrderId {
    let text = format!("{space}:{words}");
    OrderId::parse(&text).unwrap_or_else(|_| {
        let mut id = format!("{space}:");
        for byte in Sha256::digest(&text) {
            let _written = write!(id, "{byte:02x}");
        }
        OrderId::from_stored(&id)
    })
}
