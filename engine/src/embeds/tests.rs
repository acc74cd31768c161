//! Tokens name what they were made for, and in no other form anything at all.

use std::sync::Arc;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::{Subject, Token};
use crate::{
    clock::EPOCH,
    ids::{CampaignId, ListingId},
    random::SeededRandom,
    vault::{RootKey, Vault},
};

fn vault(seed: u8) -> Vault {
    Vault::new(&RootKey::new([seed; 32]), Arc::new(SeededRandom::new(1)))
}

fn token() -> Token {
    Token {
        subject: Subject::Campaign(CampaignId::generate(EPOCH, &SeededRandom::new(2))),
        version: 3,
        at: EPOCH + TimeDelta::seconds(1_700_000_000),
    }
}

#[test]
fn token_reads_back_under_its_own_key_only() {
    let text = token().text(&vault(1));
    assert!(text.starts_with("ce1.1.cmp_"), "{text}");
    assert_eq!(Token::read(&text, &vault(1)), Some(token()));
    assert_eq!(Token::read(&text, &vault(2)), None);
    // What attributes a click shows nothing.
    let click = text.replace("ce1.1", "ca1.1");
    assert_eq!(Token::read(&click, &vault(1)), None);
}

#[test]
fn subject_is_what_its_prefix_says() {
    let random = SeededRandom::new(3);
    let listing = Subject::Listing(ListingId::generate(EPOCH, &random));
    let campaign = Subject::Campaign(CampaignId::generate(EPOCH, &random));
    for subject in [listing, campaign] {
        assert_eq!(Subject::parse(&subject.to_string()), Some(subject));
    }
    assert_eq!(Subject::parse("rel_00000000000000000000000000"), None);
}

proptest! {
    #[test]
    fn token_that_was_changed_anywhere_shows_nothing(at in 0..130_usize, to in "[ -~]") {
        let text = token().text(&vault(1));
        let at = at % text.len();
        let changed = format!("{}{to}{}", &text[..at], &text[at + 1..]);
        let read = Token::read(&changed, &vault(1));
        prop_assert_eq!(read.is_some(), changed == text);
        prop_assert_eq!(Token::read(&text[..at], &vault(1)), None);
    }

    #[test]
    fn any_text_is_no_token(text in ".{0,200}|ce1\\.1\\.[a-z0-9_.]{0,120}") {
        prop_assert_eq!(Token::read(&text, &vault(1)), None);
    }
}
