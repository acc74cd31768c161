//! What a merchant wants to know with each order of a product, and what it accepts.
//!
//! Keeps: a pattern is bounded in size when the product is saved, so that matching is linear and small.

use regex::{Regex, RegexBuilder};

/// Largest compiled form of a merchant's pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 64 * 1024;

/// A field that the merchant wants to know with each order of a product.
#[derive(Debug, Clone)]
pub struct CustomField {
    pub name: String,
    pub kind: FieldKind,
    pub required: bool,
    pub placeholder: Option<String>,
    /// Bounded in size when the product is saved, so matching is linear and small.
    pub pattern: Option<Regex>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    Text,
    Number,
    Email,
}

impl FieldKind {
    /// The word for it, the same for storage and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::Number => "NUMBER",
            Self::Email => "EMAIL",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::Text, Self::Number, Self::Email];
        all.into_iter().find(|kind| kind.name() == name)
    }
}

impl CustomField {
    /// A pattern that values must match; none if it is none, or needs too much room.
    pub fn pattern(text: &str) -> Option<Regex> {
        let mut builder = RegexBuilder::new(text);
        builder.size_limit(PATTERN_BYTES_MAX).build().ok()
    }

    /// Whether this value is one that the merchant wants.
    pub fn accepts(&self, value: &str) -> bool {
        let kind = match self.kind {
            FieldKind::Text => true,
            FieldKind::Number => value.parse::<rust_decimal::Decimal>().is_ok(),
            FieldKind::Email => crate::fulfillments::Email::parse(value).is_some(),
        };
        kind && self
            .pattern
            .as_ref()
            .is_none_or(|pattern| pattern.is_match(value))
    }
}
