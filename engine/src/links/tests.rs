//! Tokens count as they were made and in no other form; a visitor is one for an hour.

use std::sync::Arc;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::{Attribution, Status, attributes, visitor};
use crate::{
    clock::EPOCH,
    ids::LinkId,
    random::SeededRandom,
    relationships::{Mode, Status as RelationshipStatus},
    vault::{RootKey, Vault},
};

fn vault(seed: u8) -> Vault {
    Vault::new(&RootKey::new([seed; 32]), Arc::new(SeededRandom::new(1)))
}

fn clicked(seconds: i64) -> Attribution {
    Attribution {
        link: LinkId::generate(EPOCH, &SeededRandom::new(2)),
        at: EPOCH + TimeDelta::seconds(seconds),
    }
}

#[test]
fn token_reads_back_under_its_own_key_only() {
    let clicked = clicked(1_700_000_000);
    let token = clicked.token(&vault(1));
    assert_eq!(Attribution::read(&token, &vault(1)), Some(clicked));
    assert_eq!(Attribution::read(&token, &vault(2)), None);
}

#[test]
fn click_reaches_sales_within_the_window_only() {
    let clicked = clicked(0);
    for (hours, reached) in [(-1, false), (0, true), (24, true), (25, false)] {
        let sold_at = EPOCH + TimeDelta::hours(hours);
        assert_eq!(clicked.reaches(sold_at, 1), reached, "{hours}");
    }
    assert!(clicked.reaches(EPOCH - TimeDelta::minutes(4), 1));
}

#[test]
fn visitor_is_another_one_in_another_hour_at_another_link_or_address() {
    let (vault, link) = (vault(1), clicked(0).link);
    let home = "192.0.2.1".parse().unwrap();
    let away = "192.0.2.2".parse().unwrap();
    let one = visitor(&vault, link, (home, "browser"), EPOCH);
    let minutes = |count| EPOCH + TimeDelta::minutes(count);
    assert_eq!(one, visitor(&vault, link, (home, "browser"), minutes(59)));
    assert_ne!(one, visitor(&vault, link, (home, "browser"), minutes(60)));
    assert_ne!(one, visitor(&vault, link, (away, "browser"), EPOCH));
    assert_ne!(one, visitor(&vault, link, (home, "phone"), EPOCH));
    let other = LinkId::generate(EPOCH, &SeededRandom::new(3));
    assert_ne!(one, visitor(&vault, other, (home, "browser"), EPOCH));
}

#[test]
fn link_attributes_only_while_everything_is_on() {
    let active = (RelationshipStatus::Active, Mode::Both);
    assert!(attributes(Status::Active, active, true));
    assert!(!attributes(Status::Active, active, false));
    assert!(!attributes(Status::Paused, active, true));
    assert!(!attributes(Status::Revoked, active, true));
    let suspended = (RelationshipStatus::Suspended, Mode::Both);
    assert!(!attributes(Status::Active, suspended, true));
    let stock = (RelationshipStatus::Active, Mode::Stock);
    assert!(!attributes(Status::Active, stock, true));
}

#[test]
fn every_status_reads_back() {
    for status in Status::ALL {
        assert_eq!(Status::parse(status.name()), Some(status));
    }
}

proptest! {
    #[test]
    fn token_that_was_changed_anywhere_counts_for_nothing(at in 0..80_usize, to in "[ -~]") {
        let token = clicked(1_700_000_000).token(&vault(1));
        let at = at % token.len();
        let changed = format!("{}{to}{}", &token[..at], &token[at + 1..]);
        let read = Attribution::read(&changed, &vault(1));
        prop_assert_eq!(read.is_some(), changed == token);
        prop_assert_eq!(Attribution::read(&token[..at], &vault(1)), None);
    }

    #[test]
    fn any_text_is_no_token(text in ".{0,120}|ca1\\.1\\.[a-z0-9_.]{0,80}") {
        prop_assert_eq!(Attribution::read(&text, &vault(1)), None);
    }
}
