//! Steps from every status, and what a change of product access leaves.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{
    AccessChange, Change, Grant, Mode, ProductScope, Relationship, Status, Step, Stepped,
    Unchanged, Ware, WrongStatus, random_code,
};
use crate::{
    catalog::Edit,
    clock::EPOCH,
    ids::{MerchantId, ProductId, RelationshipId, VariantId},
    money::{Money, Percent},
    random::SeededRandom,
};

const ALL: [Status; 4] = [
    Status::Invited,
    Status::Active,
    Status::Suspended,
    Status::Terminated,
];

fn relationship(status: Status) -> Relationship {
    Relationship {
        id: RelationshipId::from_uuid(Uuid::nil()),
        merchant: MerchantId::from_uuid(Uuid::nil()),
        email: "max@partner.example".to_owned(),
        name: "Max".to_owned(),
        code: "max".to_owned(),
        status,
        status_reason: Some("before".to_owned()),
        mode: Mode::Both,
        commission: None,
        discount: None,
        purchase_limit_daily: None,
        purchase_limit_monthly: None,
        product_scope: ProductScope::All,
        notify_customer: true,
        access: BTreeMap::new(),
        accepted_at: None,
        suspended_at: None,
        terminated_at: None,
        version: 4,
        created_at: EPOCH,
        updated_at: EPOCH,
    }
}

/// An active one, for the tests of what it may do.
pub(crate) fn active() -> Relationship {
    Relationship {
        status_reason: None,
        ..relationship(Status::Active)
    }
}

fn ware(product: u128, variant: Option<u128>) -> Ware {
    (
        ProductId::from_uuid(Uuid::from_u128(product)),
        variant.map(|id| VariantId::from_uuid(Uuid::from_u128(id))),
    )
}

fn priced(minor: i64) -> Grant {
    Grant {
        wholesale_price: Money::from_minor(minor),
        ..Grant::default()
    }
}

fn revoked(grant: Grant) -> Grant {
    Grant {
        revoked: true,
        ..grant
    }
}

#[test]
fn steps_lead_where_the_table_says() {
    let allowed = |from, step| match (from, step) {
        (Status::Active, Step::Suspend)
        | (Status::Active | Status::Suspended, Step::Terminate)
        | (Status::Suspended, Step::Reactivate) => Some(true),
        (Status::Suspended, Step::Suspend)
        | (Status::Active, Step::Reactivate)
        | (Status::Terminated, Step::Terminate) => Some(false),
        (Status::Invited, _) | (Status::Terminated, Step::Suspend | Step::Reactivate) => None,
    };
    for from in ALL {
        for step in [Step::Suspend, Step::Reactivate, Step::Terminate] {
            let stepped = relationship(from).step(step, Some("why".to_owned()), EPOCH);
            match (allowed(from, step), stepped) {
                (Some(true), Ok(Stepped::To(after))) => {
                    assert_eq!((after.status, after.version), (step.end(), 5));
                    assert_eq!(after.status_reason.as_deref(), Some("why"));
                    let dates = [after.suspended_at, after.terminated_at].map(|at| at.is_some());
                    let expected = [step == Step::Suspend, step == Step::Terminate];
                    assert_eq!(dates, expected, "{from:?} {step:?}");
                }
                (Some(false), Ok(Stepped::Already(same))) => {
                    assert_eq!(*same, relationship(from));
                }
                (None, Err(WrongStatus(status))) => assert_eq!(status, from),
                (expected, found) => panic!("{from:?} {step:?}: {expected:?}, {found:?}"),
            }
        }
    }
}

#[test]
fn only_an_invited_relationship_is_accepted_or_given_up() {
    for from in ALL {
        let accepted = relationship(from).accepted(EPOCH);
        let given_up = relationship(from).given_up("declined".to_owned(), EPOCH);
        if from == Status::Invited {
            let accepted = accepted.unwrap();
            assert_eq!(
                (
                    accepted.status,
                    accepted.accepted_at,
                    accepted.status_reason
                ),
                (Status::Active, Some(EPOCH), None)
            );
            let given_up = given_up.unwrap();
            assert_eq!(given_up.status, Status::Terminated);
            assert_eq!(given_up.status_reason.as_deref(), Some("declined"));
        } else {
            assert_eq!(accepted, Err(WrongStatus(from)));
            assert_eq!(given_up, Err(WrongStatus(from)));
        }
    }
}

#[test]
fn what_is_not_named_stays_and_the_version_rises() {
    let change = Change {
        mode: Some(Mode::Stock),
        discount: Edit::Set(Percent::from_hundredths(1500).unwrap()),
        ..Change::default()
    };
    let known = Relationship {
        access: BTreeMap::from([(ware(1, None), priced(5))]),
        ..relationship(Status::Active)
    };
    let expected = Relationship {
        mode: Mode::Stock,
        discount: Percent::from_hundredths(1500),
        version: 5,
        ..known.clone()
    };
    assert_eq!(known.changed(change, EPOCH), Ok(expected));
    let over = relationship(Status::Terminated).changed(Change::default(), EPOCH);
    assert_eq!(over, Err(Unchanged::Terminated));
}

/// The access after a change of what is known.
fn check(
    known: &[(Ware, Grant)],
    products: Option<&[u128]>,
    grants: Option<&[(Ware, Grant)]>,
    expected: &[(Ware, Grant)],
) {
    let known = Relationship {
        access: known.iter().copied().collect(),
        ..relationship(Status::Active)
    };
    let ids = |ids: &[u128]| {
        ids.iter()
            .map(|id| ware(*id, None).0)
            .collect::<BTreeSet<_>>()
    };
    let access = AccessChange {
        products: products.map(ids),
        grants: grants.map(|grants| grants.iter().copied().collect()),
    };
    let change = Change {
        access,
        ..Change::default()
    };
    let changed = known.changed(change, EPOCH).unwrap();
    assert_eq!(changed.access, expected.iter().copied().collect());
}

#[test]
fn set_is_replaced_and_products_keep_their_overrides() {
    let [one, two, three] = [1, 2, 3].map(|id| ware(id, None));
    let known = [
        (one, priced(5)),
        (two, priced(6)),
        (three, revoked(priced(7))),
    ];
    check(&known, None, None, &known);
    let all_revoked = [
        (one, revoked(priced(5))),
        (two, revoked(priced(6))),
        (three, revoked(priced(7))),
    ];
    check(&known, Some(&[]), None, &all_revoked);
    check(
        &known,
        Some(&[1, 3, 4]),
        None,
        &[
            (one, priced(5)),
            (two, revoked(priced(6))),
            (three, priced(7)),
            (ware(4, None), Grant::default()),
        ],
    );
    check(
        &known,
        Some(&[1, 2]),
        Some(&[(two, priced(9))]),
        &[
            (one, priced(5)),
            (two, priced(9)),
            (three, revoked(priced(7))),
        ],
    );
}

#[test]
fn product_that_is_kept_keeps_the_access_to_its_variants() {
    let (own, variant) = (ware(1, None), ware(1, Some(9)));
    let known = [(own, revoked(priced(5))), (variant, priced(6))];
    check(&known, Some(&[1]), None, &known);
    let both = [(own, revoked(priced(5))), (variant, revoked(priced(6)))];
    check(&known, Some(&[]), None, &both);
    let back = [(own, priced(5)), (variant, revoked(priced(6)))];
    check(&both, Some(&[1]), None, &back);
}

#[test]
fn smallest_above_largest_is_refused() {
    let wrong: [fn(&mut Grant); 3] = [
        |grant| (grant.min_quantity, grant.max_quantity) = (Some(3), Some(2)),
        |grant| (grant.stock_min_quantity, grant.stock_max_quantity) = (Some(3), Some(2)),
        |grant| {
            grant.min_resale_price = Money::from_minor(3);
            grant.max_resale_price = Money::from_minor(2);
        },
    ];
    for wrong in wrong {
        let mut grant = Grant::default();
        wrong(&mut grant);
        let grants = Some(BTreeMap::from([(ware(1, None), grant)]));
        let access = AccessChange {
            products: None,
            grants,
        };
        let change = Change {
            access,
            ..Change::default()
        };
        let refused = relationship(Status::Active).changed(change, EPOCH);
        assert_eq!(refused, Err(Unchanged::Bounds(ware(1, None))));
    }
}

#[test]
fn codes_are_eight_letters_that_cannot_be_mistaken() {
    let random = SeededRandom::new(3);
    let codes: BTreeSet<_> = (0..100).map(|_| random_code(&random)).collect();
    assert_eq!(codes.len(), 100);
    let plain = |code: &String| {
        code.len() == 8
            && code
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    assert!(codes.iter().all(plain));
    assert!(!codes.iter().any(|code| code.contains(['i', 'l', 'o', '1'])));
}
