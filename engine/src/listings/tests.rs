//! Bounds, every step of a listing's life, and what blocks it.

use uuid::Uuid;

use super::{
    Access, Changed, Edit, Facts, Listing, NewListing, Reason, Refusal, State, Status, Variant,
    Wanted, Ware, margin_percent,
};
use crate::{
    catalog::{ProductKind, Status as ProductStatus},
    clock::{EPOCH, Timestamp},
    ids::{ListingId, ProductId, RelationshipId},
    money::{Money, Percent},
    relationships::{Barred, Mode, Prices, Status as RelationshipStatus},
};

fn money(minor: i64) -> Money {
    Money::from_minor(minor).unwrap()
}

/// Costs 8.49; from 8.49 to 20.00.
fn facts() -> Facts {
    Facts {
        enabled: true,
        relationship: RelationshipStatus::Active,
        status_reason: None,
        mode: Mode::AutoFulfilled,
        ware: Ware {
            kind: ProductKind::Serials,
            status: ProductStatus::Active,
            listable: true,
            variant: Variant::Without,
        },
        access: Some(Access {
            listable: true,
            min_resale_price: Some(money(500)),
            max_resale_price: Some(money(2000)),
        }),
        prices: Prices {
            base: money(999),
            discount: Percent::from_hundredths(1500),
            ..Prices::default()
        },
    }
}

fn with(change: impl FnOnce(&mut Facts)) -> Facts {
    let mut facts = facts();
    change(&mut facts);
    facts
}

fn access(change: impl FnOnce(&mut Access)) -> Facts {
    with(|facts| change(facts.access.as_mut().unwrap()))
}

fn listed(price: i64, facts: &Facts) -> Result<Listing, Refusal> {
    let new = NewListing {
        id: ListingId::from_uuid(Uuid::from_u128(1)),
        relationship: RelationshipId::from_uuid(Uuid::from_u128(2)),
        product: ProductId::from_uuid(Uuid::from_u128(3)),
        variant: None,
        price: money(price),
    };
    new.of(facts, EPOCH)
}

fn later() -> Timestamp {
    EPOCH + chrono::TimeDelta::minutes(1)
}

fn out(min: i64, max: Option<i64>) -> Refusal {
    Refusal::OutOfRange {
        min: money(min),
        max: max.map(money),
    }
}

#[test]
fn price_is_within_floor_and_ceiling() {
    let dear = access(|it| it.min_resale_price = Some(money(1000)));
    let open = access(|it| it.max_resale_price = None);
    for (price, facts, refused) in [
        (849, facts(), None),
        (2000, facts(), None),
        (848, facts(), Some(out(849, Some(2000)))),
        (2001, facts(), Some(out(849, Some(2000)))),
        (999, dear.clone(), Some(out(1000, Some(2000)))),
        (1000, dear, None),
        (900_000, open.clone(), None),
        (848, open, Some(out(849, None))),
    ] {
        assert_eq!(listed(price, &facts).err(), refused, "{price}");
    }
    let bounds = facts().bounds().unwrap();
    assert_eq!(bounds.margin(money(1490)), Some(money(641)));
    assert_eq!(margin_percent(money(641), money(1490)), 4302);
    assert_eq!(margin_percent(money(0), money(0)), 0);
    assert_eq!(margin_percent(money(10), money(10)), 10_000);
}

/// A listing at 10.00 under facts that bar it: refused so, blocked for this reason, and back without them.
fn check_barred(facts: &Facts, refusal: Refusal, reason: Reason) {
    assert_eq!(listed(1000, facts).err(), Some(refusal));
    assert_eq!(facts.blocks(money(1000)), Some(reason));
    let listing = listed(1000, &self::facts()).unwrap();
    assert!(!listing.is_offered(facts));
    let reviewed = listing.reviewed(facts, later()).unwrap();
    let paused = false;
    assert_eq!(reviewed.state, State::Blocked { reason, paused });
    assert_eq!(reviewed.reviewed(facts, later()), None);
    assert!(!reviewed.is_offered(facts) && reviewed.is_offered(&self::facts()));
    let back = reviewed.reviewed(&self::facts(), later()).unwrap();
    assert_eq!(back.state, State::Active);
}

#[test]
fn program_relationship_and_mode_bar_a_listing_before_all_else() {
    let off = with(|it| {
        it.enabled = false;
        it.access = None;
    });
    check_barred(&off, Refusal::ProgramDisabled, Reason::Program);
    let idle = with(|it| {
        it.relationship = RelationshipStatus::Suspended;
        it.status_reason = Some("Spam.".to_owned());
    });
    let reason = Some("Spam.".to_owned());
    let inactive = Refusal::Barred(Barred::Inactive { reason });
    check_barred(&idle, inactive, Reason::Relationship);
    let stock = with(|it| it.mode = Mode::Stock);
    check_barred(&stock, Refusal::Barred(Barred::Mode), Reason::Relationship);
}

#[test]
fn product_that_may_not_be_listed_bars_it() {
    let none = with(|it| it.access = None);
    check_barred(&none, Refusal::NotAllowed, Reason::AccessRevoked);
    for unsold in [
        with(|it| it.ware.status = ProductStatus::Disabled),
        with(|it| it.ware.variant = Variant::Unnamed),
        with(|it| it.ware.variant = Variant::Named(ProductStatus::Disabled)),
        with(|it| it.prices.discount = None),
    ] {
        check_barred(&unsold, Refusal::NotAllowed, Reason::NotEligible);
    }
    for unlisted in [
        with(|it| it.ware.kind = ProductKind::Service),
        with(|it| it.ware.listable = false),
        access(|it| it.listable = false),
    ] {
        check_barred(&unlisted, Refusal::NotEligible, Reason::NotEligible);
    }
    assert_eq!(facts().blocks(money(848)), Some(Reason::BelowFloor));
    assert_eq!(facts().blocks(money(2001)), Some(Reason::AboveMaximum));
}

const ACTIVE: Option<Wanted> = Some(Wanted::Active);
const PAUSED: Option<Wanted> = Some(Wanted::Paused);
const ARCHIVED: Option<Wanted> = Some(Wanted::Archived);

const fn blocked(paused: bool) -> State {
    State::Blocked {
        reason: Reason::BelowFloor,
        paused,
    }
}

/// What becomes of a listing at 10.00; nothing if it was so before.
fn changed(
    state: State,
    (price, wanted): (Option<i64>, Option<Wanted>),
    facts: &Facts,
) -> Result<Option<State>, Refusal> {
    let listing = Listing {
        state,
        ..listed(1000, &self::facts()).unwrap()
    };
    let price = price.map(money);
    match listing.changed(facts, Edit { price, wanted }, later())? {
        Changed::To(listing) => Ok(Some(listing.state)),
        Changed::Already(_) => Ok(None),
    }
}

#[test]
fn listing_within_its_bounds_does_as_it_is_told() {
    let to = |state| Ok(Some(state));
    for (state, edit, end) in [
        (State::Active, (None, PAUSED), to(State::Paused)),
        (State::Paused, (None, ACTIVE), to(State::Active)),
        (State::Active, (None, ACTIVE), Ok(None)),
        (State::Active, (Some(1100), None), to(State::Active)),
        (State::Paused, (Some(1100), None), to(State::Paused)),
        (State::Active, (Some(1000), None), Ok(None)),
        (blocked(false), (None, ACTIVE), to(State::Active)),
        (State::Archived, (None, ARCHIVED), Ok(None)),
        (State::Archived, (None, ACTIVE), Err(Refusal::Archived)),
        (State::Archived, (Some(1100), None), Err(Refusal::Archived)),
    ] {
        assert_eq!(changed(state, edit, &facts()), end, "{state:?} {edit:?}");
    }
}

#[test]
fn listing_below_its_floor_can_be_stopped_and_comes_back_with_another_price() {
    let low = with(|it| it.prices.base = money(1500));
    let below = || Err(out(1275, Some(2000)));
    let to = |state| Ok(Some(state));
    for (state, edit, end) in [
        (State::Active, (Some(1100), None), below()),
        (State::Paused, (None, ACTIVE), below()),
        (blocked(false), (None, ACTIVE), below()),
        // Stopping needs nothing.
        (State::Active, (None, PAUSED), to(State::Paused)),
        (State::Active, (None, ARCHIVED), to(State::Archived)),
        (blocked(false), (None, ARCHIVED), to(State::Archived)),
        (blocked(false), (None, PAUSED), to(blocked(true))),
        // A new price within the bounds brings back what was before.
        (blocked(false), (Some(1300), None), to(State::Active)),
        (blocked(true), (Some(1300), None), to(State::Paused)),
        (blocked(true), (Some(1300), ACTIVE), to(State::Active)),
    ] {
        assert_eq!(changed(state, edit, &low), end, "{state:?} {edit:?}");
    }
}

#[test]
fn what_is_paused_or_over_is_offered_to_nobody() {
    let listing = listed(1000, &facts()).unwrap();
    assert!(listing.is_offered(&facts()));
    for state in [State::Paused, State::Archived, blocked(true)] {
        let stopped = Listing {
            state,
            ..listing.clone()
        };
        assert!(!stopped.is_offered(&facts()), "{state:?}");
    }
}

#[test]
fn what_the_merchant_archived_stays_so_with_the_first_reason() {
    let listing = listed(1000, &facts()).unwrap();
    let Changed::To(over) = listing.archived("Old.".to_owned(), later()) else {
        panic!("it was not archived");
    };
    assert_eq!(over.state, State::Archived);
    assert_eq!(over.note.as_deref(), Some("Old."));
    let low = with(|it| it.prices.base = money(1500));
    assert_eq!(over.reviewed(&low, later()), None);
    let again = over.archived("Older.".to_owned(), later());
    assert!(matches!(again, Changed::Already(_)));
}

#[test]
fn every_word_reads_back() {
    for status in Status::ALL {
        assert_eq!(Status::parse(status.name()), Some(status));
    }
    for reason in Reason::ALL {
        assert_eq!(Reason::parse(reason.name()), Some(reason));
    }
    assert_eq!(Wanted::parse("BLOCKED"), None);
}
