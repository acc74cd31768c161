//! Which mails a reseller gets besides those that it must get, and who gets a copy.
//!
//! Keeps: what protects a reseller is always mailed: that it may not sell any more, keys, payouts.

use std::collections::BTreeSet;

use crate::fulfillments::Email;

/// Addresses that get a copy.
pub const RECIPIENTS_MAX: usize = 5;

/// What mails are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Invoices that top a balance up.
    TopUp,
    /// A balance that is low.
    Balance,
    /// Suspended, reactivated, ended; in debt.
    Status,
    Payout,
    Key,
}

impl Group {
    pub const ALL: [Self; 5] = [
        Self::TopUp,
        Self::Balance,
        Self::Status,
        Self::Payout,
        Self::Key,
    ];

    /// The word for it in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TopUp => "TOP_UP",
            Self::Balance => "BALANCE",
            Self::Status => "STATUS",
            Self::Payout => "PAYOUT",
            Self::Key => "KEY",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.name() == name)
    }

    /// Whether it cannot be switched off.
    pub const fn required(self) -> bool {
        match self {
            Self::TopUp | Self::Balance => false,
            Self::Status | Self::Payout | Self::Key => true,
        }
    }
}

/// What a reseller set; at first, everything is mailed to itself alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    off: BTreeSet<Group>,
    recipients: Vec<Email>,
}

/// Why it is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("cannot be switched off")]
    Required(Group),
    #[error("must be at most five addresses, each once")]
    Recipients,
}

impl Settings {
    pub fn new(off: BTreeSet<Group>, recipients: Vec<Email>) -> Result<Self, Refusal> {
        if let Some(group) = off.iter().find(|group| group.required()) {
            return Err(Refusal::Required(*group));
        }
        let known: BTreeSet<_> = recipients.iter().map(Email::as_str).collect();
        if known.len() != recipients.len() || recipients.len() > RECIPIENTS_MAX {
            return Err(Refusal::Recipients);
        }
        Ok(Self { off, recipients })
    }

    /// Whether mails about this are sent.
    pub fn wants(&self, group: Group) -> bool {
        !self.off.contains(&group)
    }

    pub fn off(&self) -> impl Iterator<Item = Group> {
        self.off.iter().copied()
    }

    /// Who gets a copy of what could be switched off.
    pub fn recipients(&self) -> &[Email] {
        &self.recipients
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emails(count: usize) -> Vec<Email> {
        let one = |each| Email::parse(&format!("{each}@example.com")).unwrap();
        (0..count).map(one).collect()
    }

    #[test]
    fn only_what_protects_nobody_is_switched_off() {
        for group in Group::ALL {
            let set = Settings::new([group].into(), Vec::new());
            let expected = group.required().then_some(Refusal::Required(group));
            assert_eq!(set.as_ref().err().copied(), expected);
            assert!(set.is_err() || !set.unwrap().wants(group));
            assert_eq!(Group::parse(group.name()), Some(group));
        }
    }

    #[test]
    fn copies_go_to_five_addresses_each_once() {
        let set = |recipients| Settings::new(BTreeSet::new(), recipients);
        assert!(set(emails(RECIPIENTS_MAX)).is_ok());
        assert_eq!(set(emails(RECIPIENTS_MAX + 1)), Err(Refusal::Recipients));
        let twice = [emails(1), emails(1)].concat();
        assert_eq!(set(twice), Err(Refusal::Recipients));
    }
}
