//! Which mails a side wants, and who gets a copy.
//!
//! Keeps: what protects somebody cannot be switched off.

use std::collections::BTreeSet;

use super::Group;
use crate::fulfillments::Email;

/// Addresses that get a copy.
pub const RECIPIENTS_MAX: usize = 5;

/// What a reseller or a merchant set; at first, everything is mailed, and nobody gets a copy.
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

    /// Who is mailed about this, if these are whom it is for.
    pub fn sent_to(&self, group: Group, mut to: Vec<String>) -> Vec<String> {
        if !self.wants(group) {
            return Vec::new();
        }
        if !group.required() {
            let copies = self.recipients.iter().map(Email::as_str);
            let new: Vec<_> = copies
                .filter(|copy| !to.iter().any(|known| known == copy))
                .map(str::to_owned)
                .collect();
            to.extend(new);
        }
        to
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
    fn copies_go_where_a_mail_could_be_switched_off() {
        let set = Settings::new([Group::Stock].into(), emails(2)).unwrap();
        let owner = || vec!["1@example.com".to_owned()];
        for (group, expected) in [
            (Group::Request, vec!["1@example.com", "0@example.com"]),
            (Group::Key, vec!["1@example.com"]),
            (Group::Stock, vec![]),
        ] {
            assert_eq!(set.sent_to(group, owner()), expected, "{group:?}");
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
