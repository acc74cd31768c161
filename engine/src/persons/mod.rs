//! People who sign in: what a password must be, when an account locks, how long a session lasts.
//!
//! Keeps: these rules are pure. Nothing here knows a secret beyond the call that checks it.

mod attempts;
mod password;
mod session;
pub mod team;
#[cfg(test)]
mod tests;

pub use attempts::Attempts;
pub use password::{PasswordRefusal, check_password};
pub use session::{AGE_MAX_HOURS, IDLE_MINUTES_MAX, STEP_UP_MINUTES, SessionTimes};

use crate::api_keys::{Scope, Scopes};

/// What a member may do for a merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Owner,
    Manager,
    /// Reads only.
    Viewer,
}

impl Role {
    const NAMES: [(Self, &str); 3] = [
        (Self::Owner, "OWNER"),
        (Self::Manager, "MANAGER"),
        (Self::Viewer, "VIEWER"),
    ];

    pub fn parse(text: &str) -> Option<Self> {
        let found = Self::NAMES.iter().find(|(_, name)| *name == text);
        found.map(|(role, _)| *role)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "OWNER",
            Self::Manager => "MANAGER",
            Self::Viewer => "VIEWER",
        }
    }

    /// What a member in this role may do, in the words of a merchant's keys. What only an owner may do
    /// no key can.
    pub fn scopes(self) -> Scopes {
        match self {
            Self::Owner | Self::Manager => [Scope::All].into_iter().collect(),
            Self::Viewer => Scope::of_merchants().filter(|one| one.reads()).collect(),
        }
    }
}
