//! What a merchant says of itself, and how that changes.

use crate::{catalog::Edit, money::Currency};

/// Longest name of a merchant.
pub const NAME_CHARS_MAX: usize = 100;

/// What resellers and customers see of a merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub name: String,
    pub storefront_url: Option<String>,
    /// Where resellers ask.
    pub support_email: Option<String>,
    /// Set once.
    pub currency: Currency,
}

/// What is to be different.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    pub name: Option<String>,
    pub storefront_url: Edit<String>,
    pub support_email: Edit<String>,
}

impl Settings {
    /// The settings after a change.
    #[must_use]
    pub fn changed(mut self, change: Change) -> Self {
        self.name = change.name.unwrap_or(self.name);
        change.storefront_url.apply(&mut self.storefront_url);
        change.support_email.apply(&mut self.support_email);
        self
    }
}
