//! Campaigns show themselves to their own tokens, and are made, changed and stopped by whom they may be.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use uuid::Uuid;

use super::{Campaign, Changed, Edit, LIVE_MAX, NewCampaign, Refusal, Scope, Standing, shows};
use crate::{
    clock::EPOCH,
    embeds::{Subject, Token},
    ids::{CampaignId, ProductId, VariantId},
    links::Status,
    random::SeededRandom,
    relationships::{
        Barred, Grant, Mode, ProductScope, Relationship, Status as RelationshipStatus,
        tests::active,
    },
};

fn id(seed: u64) -> CampaignId {
    CampaignId::generate(EPOCH, &SeededRandom::new(seed))
}

fn token() -> Token {
    Token {
        subject: Subject::Campaign(id(2)),
        version: 3,
        at: EPOCH + TimeDelta::seconds(1_700_000_000),
    }
}

fn product(number: u128) -> ProductId {
    ProductId::from_uuid(Uuid::from_u128(number))
}

fn variant(number: u128) -> VariantId {
    VariantId::from_uuid(Uuid::from_u128(number))
}

fn seller() -> Relationship {
    Relationship {
        mode: Mode::Affiliate,
        product_scope: ProductScope::Selected,
        access: BTreeMap::from([
            ((product(1), None), Grant::default()),
            ((product(2), Some(variant(21))), Grant::default()),
        ]),
        ..active()
    }
}

fn idle() -> Relationship {
    Relationship {
        status: RelationshipStatus::Suspended,
        status_reason: Some("Spam.".to_owned()),
        ..seller()
    }
}

fn scope(products: &[u128], variants: &[(u128, u128)]) -> Scope {
    let of = |(id, of): &(u128, u128)| (variant(*id), product(*of));
    Scope {
        products: products.iter().copied().map(product).collect(),
        variants: variants.iter().map(of).collect(),
    }
}

fn campaign(seller: &Relationship, scope: Scope, live: u64) -> Result<Campaign, Refusal> {
    let new = NewCampaign {
        id: id(2),
        name: "Blog".to_owned(),
        scope,
        origins: Vec::new(),
    };
    new.of(seller, live, EPOCH)
}

#[test]
fn campaign_shows_itself_to_its_own_version_while_everything_is_on() {
    let standing = Standing {
        campaign: id(2),
        status: Status::Active,
        token_version: 3,
        relationship: RelationshipStatus::Active,
        mode: Mode::Both,
        enabled: true,
    };
    assert!(shows(&standing, &token()));
    let off: [fn(&mut Standing); 8] = [
        |it| it.campaign = id(4),
        |it| it.token_version = 4,
        |it| it.status = Status::Paused,
        |it| it.status = Status::Revoked,
        |it| it.relationship = RelationshipStatus::Suspended,
        |it| it.relationship = RelationshipStatus::Terminated,
        |it| it.mode = Mode::Stock,
        |it| it.enabled = false,
    ];
    for switch in off {
        let mut changed = standing;
        switch(&mut changed);
        assert!(!shows(&changed, &token()), "{changed:?}");
    }
}

#[test]
fn campaign_is_made_by_who_may_attribute_and_for_what_is_covered() {
    let stock = Relationship {
        mode: Mode::Stock,
        ..seller()
    };
    let spam = Refusal::Barred(Barred::Inactive {
        reason: Some("Spam.".to_owned()),
    });
    let foreign = |ware| Some(Refusal::ProductNotAllowed(ware));
    for (seller, scope, live, refused) in [
        (seller(), scope(&[], &[]), LIVE_MAX - 1, None),
        (seller(), scope(&[1], &[(11, 1), (21, 2)]), 0, None),
        (seller(), scope(&[], &[]), LIVE_MAX, Some(Refusal::TooMany)),
        (
            seller(),
            scope(&[1, 3], &[]),
            0,
            foreign((product(3), None)),
        ),
        (
            seller(),
            scope(&[], &[(22, 2)]),
            0,
            foreign((product(2), Some(variant(22)))),
        ),
        (idle(), scope(&[], &[]), 0, Some(spam)),
        (
            stock,
            scope(&[], &[]),
            0,
            Some(Refusal::Barred(Barred::Mode)),
        ),
    ] {
        let made = campaign(&seller, scope.clone(), live);
        assert_eq!(made.as_ref().err(), refused.as_ref(), "{scope:?}");
        assert!(made.is_err() || made.unwrap().token_version == 1);
    }
}

#[test]
fn campaign_is_changed_as_its_status_and_its_relationship_allow() {
    let made = campaign(&seller(), scope(&[1], &[]), 0).unwrap();
    let to = |status| Edit {
        status: Some(status),
        ..Edit::default()
    };
    let named = Edit {
        name: Some("Forum".to_owned()),
        ..Edit::default()
    };
    let later = EPOCH + TimeDelta::minutes(1);
    let change = |campaign: &Campaign, seller: &Relationship, edit: &Edit| match campaign
        .clone()
        .changed(seller, edit.clone(), later)?
    {
        Changed::To(campaign) => Ok::<_, Refusal>(Some(campaign.status)),
        Changed::Already(_) => Ok(None),
    };
    assert_eq!(change(&made, &seller(), &named), Ok(Some(Status::Active)));
    assert_eq!(change(&made, &seller(), &to(Status::Active)), Ok(None));
    for status in [Status::Paused, Status::Revoked] {
        assert_eq!(change(&made, &idle(), &to(status)), Ok(Some(status)));
    }
    assert!(matches!(
        change(&made, &idle(), &named),
        Err(Refusal::Barred(Barred::Inactive { .. }))
    ));
    let wider = Edit {
        scope: Some(scope(&[3], &[])),
        ..Edit::default()
    };
    let refused = Refusal::ProductNotAllowed((product(3), None));
    assert_eq!(change(&made, &seller(), &wider), Err(refused));
    let revoked = Campaign {
        status: Status::Revoked,
        ..made.clone()
    };
    assert_eq!(change(&revoked, &seller(), &to(Status::Revoked)), Ok(None));
    assert_eq!(
        change(&revoked, &seller(), &to(Status::Active)),
        Err(Refusal::Revoked)
    );
    assert_eq!(revoked.rotated(later), Err(Refusal::Revoked));
    let rotated = made.rotated(later).unwrap();
    assert_eq!((rotated.token_version, rotated.updated_at), (2, later));
}
