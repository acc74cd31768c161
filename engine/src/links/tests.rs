//! Tokens count as they were made and in no other form; a visitor is one for an hour; links are made and
//! changed by whom they may be.

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;
use proptest::prelude::*;

use super::{
    Attribution, Changed, Edit, LIVE_MAX, Link, NewLink, Refusal, Status, Target, attributes,
    visitor,
};
use crate::{
    clock::EPOCH,
    ids::{LinkId, ProductId, VariantId},
    random::SeededRandom,
    relationships::{
        Barred, Grant, Mode, ProductScope, Relationship, Status as RelationshipStatus,
        tests::active,
    },
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
    let one = visitor(&vault, link.uuid(), (home, "browser"), EPOCH);
    let minutes = |count| EPOCH + TimeDelta::minutes(count);
    assert_eq!(
        one,
        visitor(&vault, link.uuid(), (home, "browser"), minutes(59))
    );
    assert_ne!(
        one,
        visitor(&vault, link.uuid(), (home, "browser"), minutes(60))
    );
    assert_ne!(one, visitor(&vault, link.uuid(), (away, "browser"), EPOCH));
    assert_ne!(one, visitor(&vault, link.uuid(), (home, "phone"), EPOCH));
    let other = LinkId::generate(EPOCH, &SeededRandom::new(3));
    assert_ne!(one, visitor(&vault, other.uuid(), (home, "browser"), EPOCH));
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

fn product(number: u128) -> ProductId {
    ProductId::from_uuid(uuid::Uuid::from_u128(number))
}

fn seller() -> Relationship {
    Relationship {
        mode: Mode::Affiliate,
        product_scope: ProductScope::Selected,
        access: BTreeMap::from([((product(1), None), Grant::default())]),
        ..active()
    }
}

fn inactive() -> Relationship {
    Relationship {
        status: RelationshipStatus::Suspended,
        status_reason: Some("Spam.".to_owned()),
        ..seller()
    }
}

fn link(seller: &Relationship, target: Target, live: u64) -> Result<Link, Refusal> {
    let new = NewLink {
        id: LinkId::generate(EPOCH, &SeededRandom::new(2)),
        name: "Video".to_owned(),
        code: "max-video".to_owned(),
        target,
    };
    new.of(seller, live, EPOCH)
}

#[test]
fn link_is_made_by_who_may_attribute_and_for_what_is_covered() {
    let spam = Refusal::Barred(Barred::Inactive {
        reason: Some("Spam.".to_owned()),
    });
    let stock = Relationship {
        mode: Mode::Stock,
        ..seller()
    };
    for (seller, target, live, refused) in [
        (seller(), Target::Shop, LIVE_MAX - 1, None),
        (seller(), Target::Product(product(1)), 0, None),
        (seller(), Target::Shop, LIVE_MAX, Some(Refusal::TooMany)),
        (
            seller(),
            Target::Product(product(2)),
            0,
            Some(Refusal::ProductNotAllowed(product(2))),
        ),
        (inactive(), Target::Shop, 0, Some(spam)),
        (stock, Target::Shop, 0, Some(Refusal::Barred(Barred::Mode))),
    ] {
        let made = link(&seller, target.clone(), live);
        assert_eq!(made.as_ref().err(), refused.as_ref(), "{target:?}");
        assert!(made.is_err() || made.unwrap().status == Status::Active);
    }
}

#[test]
fn scope_of_a_variant_covers_its_product_and_no_other_variant() {
    let variant = |number| Some(VariantId::from_uuid(uuid::Uuid::from_u128(number)));
    let of = |access, product_scope| Relationship {
        access: BTreeMap::from([access]),
        product_scope,
        ..seller()
    };
    let one = of(
        ((product(1), variant(1)), Grant::default()),
        ProductScope::Selected,
    );
    assert!(one.covers(product(1), None) && one.covers(product(1), variant(1)));
    assert!(!one.covers(product(1), variant(2)) && !one.covers(product(2), None));
    let whole = of(
        ((product(1), None), Grant::default()),
        ProductScope::Selected,
    );
    assert!(whole.covers(product(1), variant(2)));
    let gone = Grant {
        revoked: true,
        ..Grant::default()
    };
    let revoked = of(((product(1), None), gone), ProductScope::Selected);
    assert!(!revoked.covers(product(1), None) && !revoked.covers(product(1), variant(1)));
    assert!(of(((product(1), None), gone), ProductScope::All).covers(product(2), None));
}

#[test]
fn link_is_changed_as_its_status_and_its_relationship_allow() {
    let made = link(&seller(), Target::Shop, 0).unwrap();
    let to = |status| Edit {
        status: Some(status),
        ..Edit::default()
    };
    let named = Edit {
        name: Some("Poster".to_owned()),
        ..Edit::default()
    };
    let change = |link: &Link, seller: &Relationship, edit: &Edit| {
        let later = EPOCH + TimeDelta::minutes(1);
        let changed = link.clone().changed(seller, edit.clone(), later)?;
        Ok::<_, Refusal>(match changed {
            Changed::To(link) | Changed::Already(link) => (link.status, link.updated_at == later),
        })
    };
    let (active, idle) = (&seller(), &inactive());
    assert_eq!(change(&made, active, &named), Ok((Status::Active, true)));
    assert_eq!(
        change(&made, active, &to(Status::Paused)),
        Ok((Status::Paused, true))
    );
    assert_eq!(
        change(&made, active, &to(Status::Active)),
        Ok((Status::Active, false))
    );
    for status in [Status::Paused, Status::Revoked] {
        assert_eq!(change(&made, idle, &to(status)), Ok((status, true)));
    }
    assert!(matches!(
        change(&made, idle, &named),
        Err(Refusal::Barred(Barred::Inactive { .. }))
    ));
    let revoked = Link {
        status: Status::Revoked,
        ..made.clone()
    };
    assert_eq!(
        change(&revoked, active, &to(Status::Revoked)),
        Ok((Status::Revoked, false))
    );
    assert_eq!(
        change(&revoked, active, &to(Status::Active)),
        Err(Refusal::Revoked)
    );
    let elsewhere = Edit {
        target: Some(Target::Product(product(2))),
        ..Edit::default()
    };
    let refused = Refusal::ProductNotAllowed(product(2));
    assert_eq!(change(&made, active, &elsewhere), Err(refused));
    let own = Link {
        id: seller().id.link(),
        ..made
    };
    assert_eq!(
        change(&own, active, &to(Status::Revoked)),
        Err(Refusal::Own)
    );
    assert_eq!(
        change(&own, active, &to(Status::Paused)),
        Ok((Status::Paused, true))
    );
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
