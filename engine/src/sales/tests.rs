//! Who is owed what, and that the account is the sum of its commissions and payouts whatever happens.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::{
    CommissionStatus, Earnings, EntryKind, Facts, Movement, Rate, Reason, Reported, Sale, Share,
    Source, Status, Stepped, Unattributed, masked, report,
};
use crate::{
    clock::{EPOCH, Timestamp},
    ids::{CampaignId, LinkId, ListingId, MerchantId, ProductId, RelationshipId, SaleId},
    links::{self, Attribution},
    money::{Money, Percent},
    random::SeededRandom,
    relationships::{Mode, Status as RelationshipStatus},
};

fn money(minor: i64) -> Money {
    Money::from_minor(minor).unwrap()
}

fn percent(hundredths: u16) -> Option<Percent> {
    Percent::from_hundredths(hundredths)
}

fn day(count: i64) -> Timestamp {
    EPOCH + TimeDelta::days(count)
}

fn facts() -> Facts {
    let random = SeededRandom::new(1);
    Facts {
        source: Source::Link(LinkId::generate(EPOCH, &random)),
        source_name: "Video".to_owned(),
        link_status: links::Status::Active,
        relationship: RelationshipId::generate(EPOCH, &random),
        relationship_status: RelationshipStatus::Active,
        mode: Mode::Affiliate,
        email: "max@partner.example".to_owned(),
        enabled: true,
        window_days: 30,
        hold_days: 7,
        allow_self_purchase: false,
        covered: true,
        percents: [None, None, None, percent(1_250)],
        product_title: "Antivirus".to_owned(),
    }
}

fn reported(minor: i64) -> Reported {
    let random = SeededRandom::new(2);
    let link = facts().source.link();
    Reported {
        id: SaleId::generate(EPOCH, &random),
        merchant: MerchantId::generate(EPOCH, &random),
        invoice: "INV-1".to_owned(),
        billed: None,
        product: ProductId::generate(EPOCH, &random),
        variant: None,
        quantity: 2,
        amount: money(minor),
        discount: Money::ZERO,
        tax: Money::ZERO,
        customer: Some("ann@example.com".to_owned()),
        sold_at: day(10),
        clicked: Some(Attribution { link, at: day(1) }),
    }
}

fn sold(minor: i64) -> Sale {
    report(&facts(), reported(minor), day(10)).unwrap().0
}

#[test]
fn sale_earns_its_part_of_what_is_left_after_discount_and_tax() {
    let wire = Reported {
        discount: money(102),
        tax: money(300),
        ..reported(2_400)
    };
    let (sale, movement) = report(&facts(), wire, day(11)).unwrap();
    assert_eq!((sale.paid(), sale.net()), (money(2_298), money(1_998)));
    assert_eq!(sale.commission.amount, money(250));
    assert_eq!(movement, Some(Movement::Earned(money(250))));
    assert_eq!(sale.commission.hold_until, day(17));
    assert_eq!(sale.customer.as_deref(), Some("a***@example.com"));
    assert_eq!(sale.status, Status::Paid);
}

#[test]
fn first_percentage_that_is_set_counts_and_nothing_is_a_value() {
    for (percents, earned) in [
        ([None, None, None, None], 0),
        ([None, None, None, percent(1_000)], 100),
        ([None, None, percent(0), percent(1_000)], 0),
        ([None, percent(500), percent(2_000), None], 50),
        ([percent(10_000), percent(500), None, None], 1_000),
    ] {
        let facts = Facts {
            percents,
            ..facts()
        };
        let (sale, _) = report(&facts, reported(1_000), day(10)).unwrap();
        assert_eq!(sale.commission.amount, money(earned), "{percents:?}");
    }
}

#[test]
fn sale_to_the_reseller_itself_earns_nothing_unless_the_program_says_so() {
    let mut itself = reported(1_000);
    itself.customer = Some("max+1@partner.example".to_owned());
    let (sale, movement) = report(&facts(), itself.clone(), day(10)).unwrap();
    assert_eq!(sale.commission.reason, Some(Reason::SelfPurchase));
    assert_eq!(sale.commission.status, CommissionStatus::Reversed);
    assert_eq!((sale.commission.amount, movement), (Money::ZERO, None));
    let allowed = Facts {
        allow_self_purchase: true,
        ..facts()
    };
    let (sale, _) = report(&allowed, itself, day(10)).unwrap();
    assert_eq!(sale.commission.amount, money(125));
}

/// A sale of a listing: three units that cost the reseller this much each.
fn listed(wholesale: i64, minor: i64) -> (Sale, Option<Movement>) {
    listed_short(wholesale, minor, 0)
}

/// The same of which so much did not arrive.
fn listed_short(wholesale: i64, minor: i64, missing: i64) -> (Sale, Option<Movement>) {
    let random = SeededRandom::new(3);
    let share = Share {
        relationship: facts().relationship,
        source: Source::Listing(ListingId::generate(EPOCH, &random)),
        source_name: "Antivirus".to_owned(),
        rate: Rate::Above {
            wholesale: money(wholesale),
        },
        hold_days: 7,
        self_purchase: false,
    };
    let sold = Reported {
        quantity: 3,
        discount: money(missing),
        ..reported(minor)
    };
    super::sold(share, sold, "Antivirus".to_owned(), day(10))
}

#[test]
fn listing_earns_what_is_above_the_wholesale_price() {
    let (sale, movement) = listed(849, 3 * 1_490);
    assert_eq!(sale.commission.amount, money(3 * 641));
    assert_eq!(sale.commission.percent, None);
    assert_eq!(movement, Some(Movement::Earned(money(3 * 641))));
    assert_eq!(sale.source.kind(), "LISTING");
    let half = sale.refund(Some(money(2_235)), day(11)).unwrap();
    assert_eq!(half.movement, Some(Movement::Dropped(money(962))));
    assert_eq!(listed(500, 1_500).1, Some(Movement::Earned(Money::ZERO)));
}

#[test]
fn source_reads_back_from_its_kind_and_its_link() {
    let random = SeededRandom::new(4);
    for source in [
        Source::Link(LinkId::generate(EPOCH, &random)),
        Source::Campaign(CampaignId::generate(EPOCH, &random)),
        Source::Listing(ListingId::generate(EPOCH, &random)),
    ] {
        let link = source.link().uuid();
        assert_eq!(Source::of(source.kind(), link), Some(source));
    }
    assert_eq!(Source::of("REPORTED", uuid::Uuid::nil()), None);
}

#[test]
fn what_a_link_may_not_attribute_is_nobodys() {
    let check = |change: fn(&mut Facts), why| {
        let mut facts = facts();
        change(&mut facts);
        assert_eq!(report(&facts, reported(1_000), day(10)), Err(why));
    };
    check(
        |it| it.link_status = links::Status::Revoked,
        Unattributed::LinkRevoked,
    );
    check(|it| it.window_days = 8, Unattributed::OutsideWindow);
    check(|it| it.enabled = false, Unattributed::ProgramDisabled);
    let suspended = |it: &mut Facts| it.relationship_status = RelationshipStatus::Suspended;
    check(suspended, Unattributed::RelationshipInactive);
    check(|it| it.mode = Mode::Stock, Unattributed::ModeNotAllowed);
    check(|it| it.covered = false, Unattributed::ProductNotAllowed);
    let mut paused = facts();
    paused.link_status = links::Status::Paused;
    assert!(report(&paused, reported(1_000), day(10)).is_ok());
    let nobodys = Reported {
        clicked: None,
        ..reported(1_000)
    };
    let nobodys = report(&facts(), nobodys, day(10));
    assert_eq!(nobodys, Err(Unattributed::UnknownToken));
}

#[test]
fn refunds_take_their_share_back_and_a_whole_one_takes_all() {
    let first = sold(1_000).refund(Some(money(333)), day(11)).unwrap();
    assert_eq!(first.movement, Some(Movement::Dropped(money(42))));
    assert_eq!(first.sale.status, Status::PartiallyRefunded);
    let Stepped::To(approved, movement) = first.sale.approve(day(17)).unwrap() else {
        panic!("it was approved before");
    };
    assert_eq!(movement, Movement::Approved(money(83)));
    assert_eq!(
        approved.clone().refund(Some(money(668)), day(18)),
        Err(super::Excess { rest: money(667) })
    );
    assert!(approved.clone().refund(Some(Money::ZERO), day(18)).is_err());
    let rest = approved.refund(None, day(18)).unwrap();
    assert_eq!(rest.amount, money(667));
    assert_eq!(rest.movement, Some(Movement::ClawedBack(money(83))));
    assert_eq!(rest.sale.commission.status, CommissionStatus::Reversed);
    assert_eq!(rest.sale.status, Status::Refunded);
}

#[test]
fn commission_is_reversed_once_and_approved_only_before() {
    let Stepped::To(reversed, movement) = sold(1_000).reverse("Fraud".to_owned(), day(11)).unwrap()
    else {
        panic!("it was reversed before");
    };
    assert_eq!(movement, Movement::Dropped(money(125)));
    assert!(reversed.clone().approve(day(12)).is_err());
    assert!(!reversed.is_due(day(30)));
    let again = reversed
        .clone()
        .reverse("Again".to_owned(), day(12))
        .unwrap();
    assert_eq!(again, Stepped::Already(reversed.clone()));
    // What is given back later has nothing left to take.
    assert_eq!(reversed.refund(None, day(13)).unwrap().movement, None);
    let refunded = sold(1_000).refund(None, day(11)).unwrap().sale;
    assert!(refunded.reverse("Fraud".to_owned(), day(12)).is_err());
}

#[test]
fn hold_is_over_at_its_moment() {
    let sale = sold(1_000);
    assert!(!sale.is_due(day(17) - TimeDelta::microseconds(1)));
    assert!(sale.is_due(day(17)));
}

#[test]
fn what_is_disputed_waits_and_earns_again_or_nothing() {
    let Stepped::To(approved, _) = sold(1_000).approve(day(17)).unwrap() else {
        panic!("it was approved before");
    };
    let (disputed, held) = approved.dispute(day(18)).unwrap();
    assert_eq!(held, Some(Movement::Held(money(125))));
    assert_eq!(disputed.status, Status::Disputed);
    assert!(!disputed.is_due(day(30)) && disputed.clone().approve(day(30)).is_err());
    assert_eq!(disputed.clone().dispute(day(19)), None);
    let kept = disputed.clone().keep(day(20)).unwrap();
    assert_eq!(kept.status, Status::Paid);
    assert!(kept.is_due(day(20)) && kept.keep(day(20)).is_none());
    let lost = disputed.lose(day(20)).unwrap();
    assert_eq!(lost.movement, Some(Movement::Dropped(money(125))));
    assert_eq!(
        (lost.amount, lost.sale.status),
        (money(1_000), Status::Refunded)
    );
    assert_eq!(lost.sale.commission.reason, Some(Reason::Dispute));
    assert_eq!(lost.sale.dispute(day(21)), None);
    // A part that went back before stays so.
    let part = sold(1_000).refund(Some(money(400)), day(11)).unwrap().sale;
    let (disputed, held) = part.dispute(day(12)).unwrap();
    assert_eq!(held, None);
    let kept = disputed.clone().keep(day(13)).unwrap();
    assert_eq!(kept.status, Status::PartiallyRefunded);
    assert_eq!(disputed.lose(day(13)).unwrap().amount, money(600));
}

#[test]
fn addresses_are_masked_but_for_their_first_letter_and_domain() {
    assert_eq!(masked("ann@example.com"), "a***@example.com");
    assert_eq!(masked("é@example.com"), "é***@example.com");
}

#[test]
fn every_word_reads_back() {
    for status in Status::ALL {
        assert_eq!(Status::parse(status.name()), Some(status));
    }
    for status in CommissionStatus::ALL {
        assert_eq!(CommissionStatus::parse(status.name()), Some(status));
    }
    for reason in Reason::ALL {
        assert_eq!(Reason::parse(reason.name()), Some(reason));
    }
    for kind in EntryKind::ALL {
        assert_eq!(EntryKind::parse(kind.name()), Some(kind));
    }
}

#[test]
fn sums_beyond_the_bound_of_amounts_are_refused_when_they_are_earned() {
    let most = money(999_999_999_999);
    let full = Earnings::default().moved(Movement::Earned(most)).unwrap();
    let approved = full.moved(Movement::Approved(most)).unwrap();
    assert_eq!(approved.moved(Movement::Earned(money(1))), None);
    // What was taken back is told up to the bound, and stops nothing.
    let mut again = approved;
    for _ in 0..3 {
        again = again.moved(Movement::ClawedBack(most)).unwrap();
        assert_eq!((again.reversed, again.available()), (most, Money::ZERO));
        again = again.moved(Movement::Earned(most)).unwrap();
        again = again.moved(Movement::Approved(most)).unwrap();
    }
    assert_eq!(approved.available(), most);
}

/// One step of a random life: which sale, what, how much.
#[derive(Debug, Clone)]
enum Step {
    Sell(i64),
    /// At a wholesale price, above it, with as much missing.
    SellListed(i64, i64, i64),
    Approve(usize),
    Reverse(usize),
    Refund(usize, i64),
    RefundRest(usize),
    Dispute(usize),
    Keep(usize),
    Lose(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..100_000_i64).prop_map(Step::Sell),
        (0..50_000_i64, 0..50_000_i64, 0..50_000_i64)
            .prop_map(|(cost, above, missing)| Step::SellListed(cost, above, missing)),
        any::<usize>().prop_map(Step::Approve),
        any::<usize>().prop_map(Step::Reverse),
        (any::<usize>(), 1..50_000_i64).prop_map(|(which, minor)| Step::Refund(which, minor)),
        any::<usize>().prop_map(Step::RefundRest),
        any::<usize>().prop_map(Step::Dispute),
        any::<usize>().prop_map(Step::Keep),
        any::<usize>().prop_map(Step::Lose),
    ]
}

/// What a step makes of a sale, and what it moves.
fn taken(sale: &Sale, step: &Step) -> Option<(Sale, Option<Movement>)> {
    let stepped = |stepped| match stepped {
        Ok(Stepped::To(sale, movement)) => Some((*sale, Some(movement))),
        Ok(Stepped::Already(_)) | Err(_) => None,
    };
    let refunded = |amount| {
        let refunded = sale.clone().refund(amount, day(20)).ok()?;
        Some((refunded.sale, refunded.movement))
    };
    match step {
        Step::Sell(_) | Step::SellListed(..) => None,
        Step::Approve(_) => stepped(sale.clone().approve(day(20))),
        Step::Reverse(_) => stepped(sale.clone().reverse("Fraud".to_owned(), day(20))),
        Step::Refund(_, minor) => refunded(Some(money(*minor))),
        Step::RefundRest(_) => refunded(None),
        Step::Dispute(_) => sale.clone().dispute(day(20)),
        Step::Keep(_) => Some((sale.clone().keep(day(20))?, None)),
        Step::Lose(_) => {
            let lost = sale.clone().lose(day(20))?;
            Some((lost.sale, lost.movement))
        }
    }
}

proptest! {
    #[test]
    fn account_is_the_sum_of_its_commissions_after_any_steps(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let (mut sales, mut earnings, mut entries) = (Vec::new(), Earnings::default(), 0_i64);
        for step in steps {
            let movement = match &step {
                Step::Sell(minor) => {
                    let (sale, movement) = report(&facts(), reported(*minor), day(10)).unwrap();
                    sales.push(sale);
                    movement
                }
                Step::SellListed(cost, above, missing) => {
                    let price = 3 * (cost + above);
                    let missing = *missing.min(&price);
                    let (sale, movement) = listed_short(*cost, price, missing);
                    let margin = (3 * above - missing).max(0);
                    prop_assert_eq!(sale.commission.amount.minor(), margin);
                    sales.push(sale);
                    movement
                }
                Step::Approve(at) | Step::Reverse(at) | Step::Refund(at, _) | Step::RefundRest(at)
                | Step::Dispute(at) | Step::Keep(at) | Step::Lose(at) => {
                    if sales.is_empty() {
                        continue;
                    }
                    let at = at % sales.len();
                    let Some((sale, movement)) = taken(&sales[at], &step) else { continue };
                    sales[at] = sale;
                    movement
                }
            };
            if let Some(movement) = movement {
                earnings = earnings.moved(movement).unwrap();
                entries += movement.entry().map_or(0, |(_, amount)| amount.minor());
            }
            let sum = |status| -> i64 {
                let of = sales.iter().filter(|sale| sale.commission.status == status);
                of.map(|sale| sale.commission.rest().minor()).sum()
            };
            prop_assert_eq!(earnings.pending.minor(), sum(CommissionStatus::Pending));
            prop_assert_eq!(earnings.approved.minor(), sum(CommissionStatus::Approved));
            prop_assert_eq!(sum(CommissionStatus::Reversed), 0);
            let reversed: i64 = sales.iter().map(|sale| sale.commission.reversed.minor()).sum();
            prop_assert_eq!(earnings.reversed.minor(), reversed);
            prop_assert_eq!(earnings.total().minor(), entries);
            for sale in &sales {
                let payable = sale.commission.status == CommissionStatus::Approved;
                prop_assert!(sale.status != Status::Disputed || !payable);
                prop_assert!(sale.refunded <= sale.paid());
                prop_assert_eq!(sale.status == Status::Refunded, sale.refunded == sale.paid() && sale.refunded > Money::ZERO);
            }
        }
    }
}
