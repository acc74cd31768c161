//! What a new password must be: long, and not one that is tried first.
//!
//! The list is the long and the most frequent short entries of the password list of zxcvbn (MIT, Dan
//! Wheeler and Dropbox); a short one is refused as the stem of a long one.

use std::{collections::BTreeSet, sync::OnceLock};

const LENGTH_MIN: usize = 12;
const LENGTH_MAX: usize = 128;
/// Fewer different characters than this are a pattern.
const DIFFERENT_MIN: usize = 5;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordRefusal {
    Length,
    Known,
}

/// Checks a new password of the person with this e-mail address. Characters are counted, not bytes.
pub fn check_password(password: &str, email: &str) -> Result<(), PasswordRefusal> {
    if !(LENGTH_MIN..=LENGTH_MAX).contains(&password.chars().count()) {
        return Err(PasswordRefusal::Length);
    }
    let lower = password.to_lowercase();
    let letter = |c: char| c.is_alphabetic();
    let stem = lower.trim_matches(|c| !letter(c));
    let different: BTreeSet<char> = lower.chars().collect();
    let known = [lower.as_str(), stem]
        .into_iter()
        .any(|text| is_known(text) || repeats(text))
        || different.len() < DIFFERENT_MIN
        || stem.is_empty()
        || lower == email.to_lowercase();
    if known {
        Err(PasswordRefusal::Known)
    } else {
        Ok(())
    }
}

/// Whether a text is one known or very short piece over and over.
fn repeats(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=bytes.len() / 2)
        .filter(|length| bytes.len().is_multiple_of(*length))
        .any(|length| {
            let piece = &bytes[..length];
            let same = bytes.chunks(length).all(|chunk| chunk == piece);
            same && (length <= 4 || std::str::from_utf8(piece).is_ok_and(is_known))
        })
}

fn is_known(text: &str) -> bool {
    static KNOWN: OnceLock<BTreeSet<&str>> = OnceLock::new();
    let read = || include_str!("known_passwords.txt").lines().collect();
    KNOWN.get_or_init(read).contains(text)
}
