//! The external order id: the shop's own name for an order, bound for ever once it was delivered.

use std::{fmt, sync::Arc};

use crate::ids::StockRequestId;

const CHARACTERS_MAX: usize = 128;
/// Ids that Consign gives itself begin so; a shop may not use them.
const RESERVED: &str = "consign:";

/// 1 to 128 characters, compared byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(Arc<str>);

impl OrderId {
    /// Reads an id as a shop sends it; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() || text.chars().count() > CHARACTERS_MAX {
            return Err("must have 1 to 128 characters");
        }
        if text.chars().any(char::is_control) {
            return Err("must not contain control characters");
        }
        if text.trim() != text {
            return Err("must not begin or end with white space");
        }
        if text.starts_with(RESERVED) {
            return Err("must not begin with \"consign:\"");
        }
        Ok(Self(text.into()))
    }

    /// The id under which a wholesale purchase is delivered: once, for ever.
    pub fn of_stock_request(id: StockRequestId) -> Self {
        Self(format!("{RESERVED}{id}").into())
    }

    /// The purchase that is delivered under it.
    pub fn stock_request(&self) -> Option<StockRequestId> {
        StockRequestId::parse(self.0.strip_prefix(RESERVED)?)
    }

    /// An id as it was stored.
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_that_every_system_keeps_unchanged_are_read() {
        let (longest, longer) = ("é".repeat(128), "é".repeat(129));
        for (text, valid) in [
            ("WOO-10231", true),
            ("a b", true),
            (longest.as_str(), true),
            (longer.as_str(), false),
            ("", false),
            (" a", false),
            ("a\u{a0}", false),
            ("a\tb", false),
            ("a\u{0}b", false),
            ("consign:1", false),
            ("Consign:1", true),
        ] {
            assert_eq!(OrderId::parse(text).is_ok(), valid, "{text:?}");
        }
    }
}
