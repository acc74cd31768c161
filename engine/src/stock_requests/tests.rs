//! Where each event leads, which limits leave room, and what a purchase is quoted at.

use chrono::TimeDelta;

use super::{
    BALANCE, Bill, Committed, Counts, Event, ItemStatus, RequestedBy, Status, Stepped,
    StockRequest, WrongStatus, within_limits,
};
use crate::{
    balances::Spending,
    clock::EPOCH,
    fulfillments::{Agreed, Channel, Purchase, Refusal, Request, policy},
    ids::{BalanceId, InvoiceId, MerchantId, ProductId, RelationshipId, StockRequestId},
    money::Money,
    payments::{Coin, Pay, ProviderKind},
    random::SeededRandom,
    relationships::{Access, Mode, RelationshipScope, Terms},
    testing::World,
};

fn money(minor: i64) -> Money {
    Money::from_minor(minor).unwrap()
}

fn request(status: Status) -> StockRequest {
    let random = SeededRandom::new(3);
    StockRequest {
        id: StockRequestId::generate(EPOCH, &random),
        number: 1,
        scope: RelationshipScope {
            merchant: MerchantId::generate(EPOCH, &random),
            relationship: RelationshipId::generate(EPOCH, &random),
            balance: BalanceId(1),
            test: false,
        },
        sku: crate::catalog::Sku {
            product: ProductId::generate(EPOCH, &random),
            variant: None,
        },
        quantity: 3,
        agreed: Agreed {
            unit_price: money(100),
            price_version: 1,
        },
        total: money(300),
        requested_by: RequestedBy::Reseller,
        note: None,
        coin: Coin::parse(BALANCE),
        status,
        status_reason: None,
        bill: None,
        entry: None,
        refunded: Money::ZERO,
        counts: Counts::default(),
        expires_at: EPOCH + TimeDelta::days(7),
        invoiced_at: None,
        paid_at: None,
        allocated_at: None,
        created_at: EPOCH,
        updated_at: EPOCH,
    }
}

fn after(status: Status, event: Event) -> Result<(Status, bool), WrongStatus> {
    let stepped = request(status).step(event, EPOCH)?;
    Ok(match stepped {
        Stepped::To(request) => (request.status, true),
        Stepped::Already(request) => (request.status, false),
    })
}

#[test]
fn balance_pays_once_and_what_it_paid_is_not_cancelled() {
    let pay = Event::PayBegun;
    assert_eq!(after(Status::Requested, pay), Ok((Status::Paying, true)));
    assert_eq!(after(Status::Paying, pay), Ok((Status::Paying, false)));
    for status in [Status::Paid, Status::Allocated, Status::Cancelled] {
        assert_eq!(after(status, pay), Err(WrongStatus(status)));
    }
    let allocated = Event::Allocated;
    assert_eq!(
        after(Status::Paying, allocated),
        Ok((Status::Allocated, true))
    );
    for status in [Status::Requested, Status::Cancelled, Status::Expired] {
        let given = after(status, allocated);
        assert_eq!(given, Ok((Status::Allocated, true)), "the ledger decides");
    }
    for status in [Status::Allocated, Status::Delivered, Status::Revoked] {
        assert_eq!(after(status, allocated), Ok((status, false)));
    }
    for status in [Status::Paying, Status::Allocating, Status::Allocated] {
        let cancelled = after(status, Event::Cancelled);
        assert_eq!(cancelled, Err(WrongStatus(status)));
    }
}

#[test]
fn refused_pay_leads_back_to_where_it_began() {
    let refused = Event::PayRefused;
    assert_eq!(
        after(Status::Paying, refused),
        Ok((Status::Requested, true))
    );
    let mut billed = request(Status::Paying);
    billed.bill = Some(Bill {
        id: InvoiceId::generate(EPOCH, &SeededRandom::new(5)),
        coin: Coin::parse("BANK").unwrap(),
        provider: ProviderKind::Manual,
        pay: Pay::default(),
    });
    let back = billed.step(refused, EPOCH).unwrap().into_request();
    assert_eq!(back.status, Status::Invoiced);
}

#[test]
fn request_whose_time_is_over_is_expired_whether_or_not_that_is_stored() {
    let late = EPOCH + TimeDelta::days(7);
    let waiting = request(Status::Requested);
    assert_eq!(waiting.status_at(late), Status::Expired);
    assert_eq!(
        waiting.clone().step(Event::PayBegun, late),
        Err(WrongStatus(Status::Expired))
    );
    let expired = waiting.step(Event::Expired, late).unwrap().into_request();
    assert_eq!(expired.status, Status::Expired);
    assert_eq!(request(Status::Paid).status_at(late), Status::Paid);
}

#[test]
fn every_word_reads_back() {
    for status in Status::ALL {
        assert_eq!(Status::parse(status.name()), Some(status));
    }
    for status in ItemStatus::ALL {
        assert_eq!(ItemStatus::parse(status.name()), Some(status));
    }
    for by in [RequestedBy::Reseller, RequestedBy::Merchant] {
        assert_eq!(RequestedBy::parse(by.name()), Some(by));
    }
}

fn terms_of(world: &World) -> Terms {
    world.store.tables().terms[&world.relationship].clone()
}

/// What `quantity` units of a product at 1.00 are quoted at, under changed terms.
fn quoted(
    quantity: u32,
    agreed: Option<Agreed>,
    change: impl FnOnce(&mut Mode, &mut Access),
) -> Result<Money, Refusal> {
    let world = World::new().product("key", 100);
    let mut terms = terms_of(&world);
    let sku = world.sku("key");
    let mut access = Access {
        wholesale_price: Some(money(100)),
        ..Access::default()
    };
    change(&mut terms.mode, &mut access);
    terms.access.insert((sku.product, None), access);
    let purchase = Purchase {
        scope: world.draft("A-1", &[("key", 1)]).scope,
        id: StockRequestId::generate(EPOCH, &SeededRandom::new(9)),
        sku,
        quantity,
        agreed,
    };
    let request = Request::purchase(purchase, &world.vault);
    assert_eq!(request.channel(), Channel::Stock);
    let product = world.store.tables().products[&sku.product].clone();
    let quote = policy::quote(&terms, |_| Some(&product), &request)?;
    Ok(quote.total)
}

#[test]
fn purchase_needs_no_key_and_has_bounds_and_a_mode_of_its_own() {
    assert_eq!(quoted(500, None, |_, _| ()), Ok(money(50_000)));
    let narrow = |_: &mut Mode, access: &mut Access| {
        (access.stock_min_quantity, access.stock_max_quantity) = (Some(10), Some(50));
        access.max_quantity = Some(5);
    };
    assert_eq!(quoted(50, None, narrow), Ok(money(5_000)));
    for quantity in [9, 51] {
        let refused = quoted(quantity, None, narrow);
        let within = matches!(
            refused,
            Err(Refusal::QuantityOutOfRange {
                min: 10,
                max: 50,
                ..
            })
        );
        assert!(within, "{refused:?}");
    }
    let of_orders = |_: &mut Mode, access: &mut Access| access.max_quantity = Some(5);
    assert!(quoted(6, None, of_orders).is_err());
    assert!(quoted(1001, None, |_, _| ()).is_err());
    for (mode, allowed) in [
        (Mode::Affiliate, false),
        (Mode::AutoFulfilled, false),
        (Mode::Stock, true),
        (Mode::Both, true),
    ] {
        let asked = quoted(1, None, |own, _| *own = mode);
        assert_eq!(asked != Err(Refusal::ModeNotAllowed), allowed, "{mode:?}");
    }
}

#[test]
fn agreed_price_stands_whatever_the_terms_say_now() {
    let agreed = Agreed {
        unit_price: money(70),
        price_version: 2,
    };
    assert_eq!(quoted(10, Some(agreed), |_, _| ()), Ok(money(700)));
}

#[test]
fn purchase_limits_count_what_is_in_the_ledger_and_what_is_committed_beside_it() {
    let world = World::new().product("key", 1);
    let mut terms = terms_of(&world);
    terms.purchase_limit_daily = Some(money(1_000));
    terms.purchase_limit_monthly = None;
    let mut spending = Spending::none(EPOCH.date_naive());
    (spending.today, spending.month) = (money(300), money(300));
    let committed = Committed {
        today: money(500),
        month: money(900),
    };
    let check = |cost| within_limits(&terms, &spending, committed, money(cost), EPOCH);
    assert_eq!(check(200), Ok(()));
    assert!(matches!(
        check(201),
        Err(Refusal::PurchaseLimitExceeded { .. })
    ));
}
