//! A customer's e-mail address, trimmed and in lower case.

use std::fmt;

const ADDRESS_MAX: usize = 254;
const LOCAL_MAX: usize = 64;
const LABEL_MAX: usize = 63;

/// An address in the form in which it is compared, sealed and mailed. It has no `Debug` text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

impl Email {
    /// Reads an address as RFC 5321 allows it without quoting: a dot-atom, `@`, a host name with a dot.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@')?;
        let fits = text.len() <= ADDRESS_MAX && local.len() <= LOCAL_MAX;
        let local_ok = local
            .split('.')
            .all(|atom| !atom.is_empty() && atom.chars().all(in_atom));
        let labels = domain.split('.');
        let domain_ok = labels.clone().count() >= 2 && labels.clone().all(is_label);
        (fits && local_ok && domain_ok).then(|| Self(text.to_lowercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email")
    }
}

fn in_atom(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(c)
        || (!c.is_ascii() && c.is_alphanumeric())
}

fn is_label(label: &str) -> bool {
    let inner =
        |c: char| c.is_ascii_alphanumeric() || c == '-' || (!c.is_ascii() && c.is_alphanumeric());
    (1..=LABEL_MAX).contains(&label.len())
        && label.chars().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_trimmed_and_lowered() {
        for (text, read) in [
            ("ann@example.com", "ann@example.com"),
            ("  Ann+K@Example.COM ", "ann+k@example.com"),
            ("o'hara.x@sub.example.co.uk", "o'hara.x@sub.example.co.uk"),
            ("jürgen@bücher.example", "jürgen@bücher.example"),
        ] {
            assert_eq!(Email::parse(text).expect("an address").as_str(), read);
        }
    }

    #[test]
    fn what_is_no_address_is_none() {
        let long = format!("{}@example.com", "a".repeat(65));
        for text in [
            "",
            "@",
            "ann",
            "ann@",
            "@example.com",
            "ann@example",
            "ann@@example.com",
            "a b@example.com",
            "ann@exa mple.com",
            ".ann@example.com",
            "ann.@example.com",
            "a..b@example.com",
            "ann@-example.com",
            "ann@example-.com",
            "ann@.com",
            "ann@example..com",
            "ann\n@example.com",
            "ann@example.com\u{0}",
            "<ann@example.com>",
            &long,
        ] {
            assert!(Email::parse(text).is_none(), "{text:?}");
        }
    }
}
