//! Where each event leads, which limits leave room, and what a purchase is quoted at.

mod limits;
mod pay;

use chrono::TimeDelta;

use super::{
    BALANCE, Bill, Counts, Event, GiveBack, Held, INVOICE_HOURS, ItemStatus, NotTaken, RequestedBy,
    Status, Stepped, StockRequest, WrongStatus,
};
use crate::{
    clock::EPOCH,
    fulfillments::{Agreed, Channel, Purchase, Refusal, Request, policy},
    ids::{BalanceId, ImportId, InvoiceId, MerchantId, ProductId, RelationshipId, StockRequestId},
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
        cancelled_by: None,
        at_once: false,
        bill: None,
        paid: None,
        payment_reference: None,
        entry: None,
        refunded: Money::ZERO,
        surplus: Money::ZERO,
        counts: Counts::default(),
        expires_at: EPOCH + TimeDelta::days(7),
        invoiced_at: None,
        paid_at: None,
        allocated_at: None,
        revived_at: None,
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
    for status in [
        Status::Invoiced,
        Status::Paid,
        Status::Allocated,
        Status::Cancelled,
    ] {
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
        let cancelled = after(status, Event::Cancelled(RequestedBy::Merchant));
        assert_eq!(cancelled, Err(WrongStatus(status)));
    }
}

#[test]
fn only_the_merchant_cancels_what_is_paid() {
    for (by, expected) in [
        (RequestedBy::Merchant, Ok((Status::Cancelled, true))),
        (RequestedBy::Reseller, Err(WrongStatus(Status::Paid))),
    ] {
        assert_eq!(after(Status::Paid, Event::Cancelled(by)), expected);
        let unpaid = after(Status::Invoiced, Event::Cancelled(by));
        assert_eq!(unpaid, Ok((Status::Cancelled, true)));
    }
}

#[test]
fn refused_pay_leads_back_to_where_it_began_or_to_an_end() {
    let refused = Event::PayRefused;
    assert_eq!(
        after(Status::Paying, refused),
        Ok((Status::Requested, true))
    );
    let mut at_once = request(Status::Paying);
    at_once.at_once = true;
    let over = at_once.step(refused, EPOCH).unwrap().into_request();
    assert_eq!(over.status, Status::Cancelled, "nobody saw it waiting");
}

fn bill() -> Bill {
    Bill {
        id: InvoiceId::generate(EPOCH, &SeededRandom::new(5)),
        coin: Coin::parse("BANK").unwrap(),
        provider: ProviderKind::Manual,
        pay: Pay::default(),
        invoice: None,
    }
}

#[test]
fn invoice_is_where_its_purchase_is() {
    let status = |status: Status| {
        let mut billed = request(status);
        billed.bill = Some(bill());
        billed
    };
    let invoiced = request(Status::Requested).step(Event::Invoiced, EPOCH);
    let invoiced = invoiced.unwrap().into_request();
    let day = EPOCH + TimeDelta::hours(INVOICE_HOURS);
    assert_eq!(
        (invoiced.invoiced_at, invoiced.expires_at),
        (Some(EPOCH), day)
    );
    assert_eq!(invoiced.bill_status(EPOCH).name(), "OPEN");
    assert_eq!(invoiced.bill_status(day).name(), "EXPIRED");
    for (of, name) in [
        (Status::Paid, "PAID"),
        (Status::Allocating, "PAID"),
        (Status::Allocated, "COMPLETED"),
        (Status::Delivered, "COMPLETED"),
        (Status::Cancelled, "CANCELLED"),
    ] {
        assert_eq!(status(of).bill_status(EPOCH).name(), name);
    }
    let mut revoked = status(Status::Revoked);
    revoked.give_back(money(100));
    assert_eq!(revoked.bill_status(EPOCH).name(), "PARTIALLY_REFUNDED");
    revoked.give_back(money(500));
    assert_eq!(revoked.refunded, money(300), "no more than was paid");
    assert_eq!(revoked.bill_status(EPOCH).name(), "REFUNDED");
}

const EVENTS: [Event; 13] = [
    Event::Invoiced,
    Event::PayBegun,
    Event::PayRefused,
    Event::Paid,
    Event::PaidInVain,
    Event::AllocationBegun,
    Event::AllocationRefused,
    Event::Allocated,
    Event::Delivered,
    Event::Cancelled(RequestedBy::Reseller),
    Event::Cancelled(RequestedBy::Merchant),
    Event::Expired,
    Event::Revoked,
];

/// Every life that is possible, and of each the money: what came is in serials or went back, once.
#[test]
fn whatever_happens_money_is_in_serials_or_went_back() {
    let mut seen = Vec::new();
    let mut next = vec![request(Status::Requested)];
    while let Some(one) = next.pop() {
        if seen.contains(&one) {
            continue;
        }
        seen.push(one.clone());
        for event in EVENTS {
            let Ok(Stepped::To(mut to)) = one.clone().step(event, EPOCH) else {
                continue;
            };
            let owed = to.owed();
            let before = one.refunded;
            to.give_back(owed);
            let gave = to.refunded.checked_sub(before).unwrap();
            assert_eq!(gave, owed);
            let over = matches!(to.status, Status::Cancelled | Status::Expired);
            let back = to.is_given_back();
            assert_eq!(
                back,
                over && to.paid_at.is_some() || one.is_given_back(),
                "{one:?} {event:?}"
            );
            if one.is_given_back() {
                let ended = over || to.status == Status::Revoked;
                assert!(ended, "what went back buys nothing: {event:?} {to:?}");
            }
            next.push(*to);
        }
    }
    let reached = |status| seen.iter().any(|one| one.status == status);
    assert!(Status::ALL.into_iter().all(reached));
}

#[test]
fn what_is_taken_back_is_paid_back_unless_its_text_left() {
    let held = |number: u32, status, handed_over| Held {
        serial: ImportId::generate(EPOCH, &SeededRandom::new(1)).serial(number),
        status,
        handed_over,
    };
    let items = [
        held(1, ItemStatus::Available, false),
        held(2, ItemStatus::Available, true),
        held(3, ItemStatus::Delivered, true),
    ];
    let of = request(Status::Allocated);
    let all = of.take_all(&items, GiveBack::Balance);
    assert_eq!((all.serials.len(), all.refund), (2, money(100)));
    let nothing = of.take_all(&items, GiveBack::Nothing);
    assert_eq!((nothing.serials.len(), nothing.refund), (2, Money::ZERO));
    let one = |of: &StockRequest, item, reason| of.take_one(item, GiveBack::Balance, reason);
    assert_eq!(one(&of, items[2], None), Err(NotTaken::NoReason));
    let delivered = one(&of, items[2], Some("leaked")).unwrap();
    assert_eq!(
        (delivered.serials.len(), delivered.refund),
        (1, Money::ZERO)
    );
    let gone = held(4, ItemStatus::Revoked, false);
    let again = one(&of, gone, Some("again"));
    assert_eq!(again, Err(NotTaken::Status(ItemStatus::Revoked)));
    let mut nearly = of;
    nearly.give_back(money(250));
    assert_eq!(one(&nearly, items[0], None).unwrap().refund, money(50));
}

#[test]
fn request_ends_with_its_last_item() {
    let end = |available, delivered, revoked| {
        let counts = Counts {
            available,
            delivered,
            revoked,
            replaced: 0,
        };
        counts.end()
    };
    assert_eq!(end(1, 5, 5), None);
    assert_eq!(end(0, 1, 5), Some(Event::Delivered));
    assert_eq!(end(0, 0, 3), Some(Event::Revoked));
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
