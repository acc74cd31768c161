//! What is sold at which price, and when a visit becomes an invoice.

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    catalog::{CustomField, FieldKind, Product, ProductKind, Sku, Status, Variant},
    clock::{EPOCH, Timestamp},
    ids::{
        CheckoutId, InvoiceId, InvoiceLineId, ListingId, MerchantId, PaymentId, ProductId,
        RelationshipId, SaleId, VariantId,
    },
    listings::{self, Listing, State},
    money::{Money, Percent},
    payments::{
        Arrival, Coin, Dispute, Event, Invoice, NotTakenBack, Pay, Payment, ProviderKind, Snapshot,
        Status as Standing, Stepped, TakenBack,
    },
    random::SeededRandom,
    relationships::{Mode, Prices, Status as RelationshipStatus},
    sales::{CommissionStatus, Rate, Share, Source},
    vault::{RootKey, Vault},
};

fn money(minor: i64) -> Money {
    Money::from_minor(minor).unwrap()
}

pub(super) fn at(minutes: i64) -> Timestamp {
    EPOCH + TimeDelta::minutes(minutes)
}

fn product() -> Product {
    Product {
        id: ProductId::from_uuid(Uuid::nil()),
        merchant: MerchantId::from_uuid(Uuid::nil()),
        title: "Antivirus".to_owned(),
        kind: ProductKind::Serials,
        status: Status::Active,
        base_price: money(999),
        wholesale_price: None,
        min_quantity: None,
        max_quantity: None,
        custom_fields: Vec::new(),
        price_version: 1,
        variants: Vec::new(),
    }
}

fn variant(number: u128, status: Status) -> Variant {
    Variant {
        id: VariantId::from_uuid(Uuid::from_u128(number)),
        title: format!("{number} years"),
        base_price: money(500),
        wholesale_price: None,
        status,
    }
}

fn sku(variant: Option<u128>) -> Sku {
    Sku {
        product: ProductId::from_uuid(Uuid::nil()),
        variant: variant.map(|number| VariantId::from_uuid(Uuid::from_u128(number))),
    }
}

#[test]
fn price_is_the_catalogs_and_only_of_what_is_on_sale() {
    let quoted = quote(&product(), sku(None), 3, None).unwrap();
    assert_eq!((quoted.unit_price, quoted.total), (money(999), money(2997)));
    let check = |change: fn(&mut Product), sku: Sku, quantity, expected| {
        let mut product = product();
        change(&mut product);
        assert_eq!(quote(&product, sku, quantity, None), Err(expected));
    };
    check(|_| {}, sku(None), 0, Unsold::Quantity);
    check(|_| {}, sku(None), 21, Unsold::Quantity);
    check(
        |it| it.base_price = Money::MAX,
        sku(None),
        2,
        Unsold::Quantity,
    );
    check(
        |it| it.base_price = Money::ZERO,
        sku(None),
        1,
        Unsold::NotOnSale,
    );
    check(
        |it| it.status = Status::Disabled,
        sku(None),
        1,
        Unsold::NotOnSale,
    );
    check(|_| {}, sku(Some(1)), 1, Unsold::NotOnSale);
    let variants = |it: &mut Product| {
        it.variants = vec![variant(1, Status::Active), variant(2, Status::Disabled)];
    };
    check(variants, sku(None), 1, Unsold::VariantMissing);
    check(variants, sku(Some(2)), 1, Unsold::NotOnSale);
    let mut both = product();
    variants(&mut both);
    let quoted = quote(&both, sku(Some(1)), 2, None).unwrap();
    assert_eq!(
        (quoted.title.as_str(), quoted.total),
        ("Antivirus, 1 years", money(1000))
    );
}

#[test]
fn price_of_a_listing_is_asked_instead_of_the_catalogs() {
    let quoted = quote(&product(), sku(None), 2, Some(money(1490))).unwrap();
    assert_eq!(
        (quoted.unit_price, quoted.total),
        (money(1490), money(2980))
    );
    let free = quote(&product(), sku(None), 2, Some(Money::ZERO));
    assert_eq!(free, Err(Unsold::NotOnSale));
    let mut off = product();
    off.status = Status::Disabled;
    let off = quote(&off, sku(None), 2, Some(money(1490)));
    assert_eq!(off, Err(Unsold::NotOnSale));
}

/// Costs 8.49, listed at 14.90.
fn offered() -> (Listing, listings::Facts, Deal) {
    let facts = listings::Facts {
        enabled: true,
        relationship: RelationshipStatus::Active,
        status_reason: None,
        mode: Mode::AutoFulfilled,
        ware: listings::Ware {
            kind: ProductKind::Serials,
            status: Status::Active,
            listable: true,
            variant: listings::Variant::Without,
        },
        access: Some(listings::Access {
            listable: true,
            min_resale_price: None,
            max_resale_price: Some(money(2000)),
        }),
        prices: Prices {
            of_product: Some(money(849)),
            ..Prices::default()
        },
    };
    let listing = Listing {
        id: ListingId::from_uuid(Uuid::from_u128(1)),
        relationship: RelationshipId::from_uuid(Uuid::from_u128(2)),
        product: ProductId::from_uuid(Uuid::nil()),
        variant: None,
        price: money(1490),
        state: State::Active,
        note: None,
        created_at: EPOCH,
        updated_at: EPOCH,
    };
    let deal = Deal {
        unit_price: money(1490),
        title: "Antivirus".to_owned(),
        customer: "ann@example.com".to_owned(),
        reseller: "max@partner.example".to_owned(),
        hold_days: 7,
        allow_self_purchase: false,
    };
    (listing, facts, deal)
}

#[test]
fn share_of_a_listing_is_what_is_above_the_wholesale_price_of_the_moment() {
    let (listing, facts, deal) = offered();
    let share = listed(&listing, &facts, deal).unwrap();
    assert_eq!(share.source, Source::Listing(listing.id));
    assert_eq!(share.relationship, listing.relationship);
    let wholesale = money(849);
    assert_eq!(share.rate, Rate::Above { wholesale });
    assert!(!share.self_purchase);
}

#[test]
fn reseller_that_buys_at_its_own_listing_earns_nothing_unless_the_program_says_so() {
    for allow_self_purchase in [false, true] {
        let (listing, facts, deal) = offered();
        let deal = Deal {
            customer: "max+shop@partner.example".to_owned(),
            allow_self_purchase,
            ..deal
        };
        let share = listed(&listing, &facts, deal).unwrap();
        assert_eq!(share.self_purchase, !allow_self_purchase);
    }
}

#[test]
fn listing_sells_while_it_is_offered_and_at_its_own_price() {
    let check = |change: fn(&mut Listing, &mut listings::Facts), refusal| {
        let (mut listing, mut facts, deal) = offered();
        change(&mut listing, &mut facts);
        assert_eq!(listed(&listing, &facts, deal), Err(refusal));
    };
    check(|it, _| it.state = State::Paused, Refusal::NotOffered);
    check(|it, _| it.state = State::Archived, Refusal::NotOffered);
    check(|_, it| it.enabled = false, Refusal::NotOffered);
    check(|_, it| it.access = None, Refusal::NotOffered);
    let dear = |_: &mut Listing, it: &mut listings::Facts| it.prices.of_product = Some(money(1491));
    check(dear, Refusal::NotOffered);
    let suspended = |_: &mut Listing, it: &mut listings::Facts| {
        it.relationship = RelationshipStatus::Suspended;
    };
    check(suspended, Refusal::NotOffered);
    let changed = Refusal::PriceChanged(money(1500));
    check(|it, _| it.price = money(1500), changed);
}

#[test]
fn customer_says_what_the_merchant_wants_to_know_and_nothing_else() {
    let mut asking = product();
    asking.custom_fields = vec![CustomField {
        name: "Device".to_owned(),
        kind: FieldKind::Number,
        required: true,
        placeholder: None,
        pattern: None,
    }];
    let said = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter();
        let said: BTreeMap<_, _> = pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        answers(&asking, said).map(|said| said.len())
    };
    assert_eq!(said(&[("Device", "7")]), Ok(1));
    assert_eq!(said(&[("Device", "7"), ("Other", " ")]), Ok(1));
    assert_eq!(said(&[("Device", " ")]), Err("Device".to_owned()));
    assert_eq!(said(&[("Device", "seven")]), Err("Device".to_owned()));
    assert_eq!(
        said(&[("Device", "7"), ("price", "1")]),
        Err("price".to_owned())
    );
}

fn item(variant: Option<u128>, quantity: u32, minor: i64) -> Item {
    Item {
        sku: sku(variant),
        quantity,
        unit_price: money(minor),
    }
}

fn session() -> Session {
    Session {
        id: CheckoutId::from_uuid(Uuid::nil()),
        merchant: MerchantId::from_uuid(Uuid::nil()),
        cart: Cart::of(item(None, 2, 999)),
        came: None,
        customer: None,
        success_url: None,
        cancel_url: None,
        metadata: BTreeMap::new(),
        invoice: None,
        expires_at: at(SESSION_MINUTES),
        created_at: EPOCH,
    }
}

fn wanted() -> Wanted {
    Wanted {
        id: InvoiceId::from_uuid(Uuid::nil()),
        quotes: vec![quote(&product(), sku(None), 2, None).unwrap()],
        coin: Coin::parse("BANK").unwrap(),
        provider: ProviderKind::Manual,
        pay: Pay::default(),
        relationship: None,
    }
}

const FREE: Facts = Facts {
    of_customer: OPEN_OF_CUSTOMER_MAX - 1,
    of_address: OPEN_OF_ADDRESS_MAX - 1,
};

#[test]
fn visit_becomes_an_invoice_over_what_was_shown() {
    let invoice = open(FREE, &session(), wanted(), at(59)).unwrap();
    assert_eq!((invoice.amount, invoice.expires_at), (money(1998), at(119)));
    assert_eq!(
        (invoice.purpose.name(), invoice.origin.name()),
        ("CHECKOUT", "CUSTOMER")
    );
}

/// An invoice over two units, with all of this stored as it arrives, that is paid or else taken for paid; none
/// if nothing came.
fn paid_with(parts: &[i64]) -> Option<Invoice> {
    let mut invoice = open(FREE, &session(), wanted(), at(0)).unwrap();
    for (place, minor) in parts.iter().enumerate() {
        let arrival = Arrival {
            source: format!("payment:BTC:{place}"),
            amount: money(*minor),
            settled: true,
        };
        let snapshot = Snapshot {
            arrived: vec![arrival],
            gone: Vec::new(),
        };
        invoice.provider = ProviderKind::Btcpay;
        let settled = invoice.settle(&snapshot, at(1)).unwrap();
        let (Stepped::To(after) | Stepped::Already(after)) = settled.stepped;
        invoice = *after;
        invoice
            .payments
            .extend(settled.fresh.into_iter().map(|arrival| Payment {
                id: PaymentId::from_uuid(Uuid::from_u128(place as u128)),
                source: arrival.source,
                amount: arrival.amount,
                entry: None,
            }));
        if invoice.status == Standing::Paid {
            return Some(invoice);
        }
    }
    match invoice.accept(at(2)).ok()? {
        Stepped::To(invoice) | Stepped::Already(invoice) => Some(*invoice),
    }
}

/// An invoice over this price that so much was taken for.
pub(super) fn invoice_of(price: i64, arrived: i64) -> Invoice {
    let mut invoice = paid_with(&[1_998]).unwrap();
    invoice.amount = money(price);
    invoice.payments[0].amount = money(arrived);
    invoice
}

/// A line over two units at 9.99 of which somebody is owed this.
pub(super) fn line_at(rate: Rate) -> Line {
    Line {
        id: InvoiceLineId::from_uuid(Uuid::nil()),
        sku: sku(None),
        title: "Antivirus".to_owned(),
        kind: ProductKind::Serials,
        quantity: 2,
        unit_price: money(999),
        total: money(1998),
        missing: Money::ZERO,
        refunded: Money::ZERO,
        left_out: false,
        custom_fields: BTreeMap::new(),
        share: Some(Share {
            relationship: RelationshipId::from_uuid(Uuid::nil()),
            source: Source::Listing(ListingId::from_uuid(Uuid::nil())),
            source_name: "Antivirus".to_owned(),
            rate,
            hold_days: 7,
            self_purchase: false,
        }),
    }
}

fn sale_of(invoice: &Invoice, rate: Rate) -> crate::sales::Sale {
    let line = paid(vec![line_at(rate)], invoice).remove(0);
    let sale = line.sale(SaleId::from_uuid(Uuid::nil()), (invoice, None), at(3));
    sale.unwrap().0
}

#[test]
fn what_is_owed_comes_out_of_what_arrived() {
    let margin = Rate::Above {
        wholesale: money(849),
    };
    let tenth = Rate::Percent(Percent::from_hundredths(1_000).unwrap());
    for (parts, rate, discount, owed) in [
        (&[1_998][..], margin, 0, 300),
        // Half a percent is not waited for.
        (&[1_989], margin, 9, 291),
        (&[1_000, 990], margin, 8, 292),
        (&[1_998 + 50], margin, 0, 300),
        // Taken for the price: less than the units cost, and then nothing is owed.
        (&[1_800], margin, 198, 102),
        (&[1_000], margin, 998, 0),
        (&[1_000], tenth, 998, 100),
        (&[1_998], tenth, 0, 200),
    ] {
        let sale = sale_of(&paid_with(parts).unwrap(), rate);
        let seen = (sale.amount, sale.discount, sale.commission.amount);
        assert_eq!(
            seen,
            (money(1_998), money(discount), money(owed)),
            "{parts:?}"
        );
    }
    assert_eq!(paid_with(&[]), None);
    // What came after it was accepted goes back without the sale.
    let mut late = paid_with(&[1_000]).unwrap();
    let sale = sale_of(&late, margin);
    let mut rest = late.payments[0].clone();
    rest.amount = money(998);
    late.payments.push(rest);
    let (back, amount) = late.refund(Some(money(998)), at(4)).unwrap();
    assert_eq!(back.of_price(sale.paid(), amount), Money::ZERO);
    let (gone, amount) = back.refund(None, at(5)).unwrap();
    assert_eq!(gone.of_price(sale.paid(), amount), money(1_000));
}

#[test]
fn dispute_stands_until_it_is_won_or_lost_and_takes_what_was_left() {
    use Dispute::{Lost, Opened, Won};
    use Standing::{Completed, Disputed, PartiallyRefunded, Refunded};
    let delivered = |back: i64| {
        let paid = paid_with(&[1_998]).unwrap();
        let Ok(Stepped::To(done)) = paid.step(Event::Completed, at(3)) else {
            panic!("it was not delivered");
        };
        if back == 0 {
            return *done;
        }
        done.refund(Some(money(back)), at(4)).unwrap().0
    };
    let after = |back: i64, disputes: &[Dispute]| {
        let mut invoice = delivered(back);
        let mut taken = Money::ZERO;
        for dispute in disputes {
            invoice = match invoice.dispute(*dispute, at(5))? {
                TakenBack::Already(invoice) => *invoice,
                TakenBack::To(invoice, amount) => {
                    taken = taken.checked_add(amount).unwrap();
                    *invoice
                }
            };
        }
        Ok((invoice.status, taken.minor(), invoice.refunded.minor()))
    };
    for (back, disputes, expected) in [
        (0, &[Opened][..], Ok((Disputed, 0, 0))),
        (0, &[Opened, Opened], Ok((Disputed, 0, 0))),
        (0, &[Opened, Won], Ok((Completed, 0, 0))),
        (0, &[Won], Ok((Completed, 0, 0))),
        (
            0,
            &[Opened, Won, Opened, Lost],
            Ok((Refunded, 1_998, 1_998)),
        ),
        (0, &[Opened, Lost, Lost], Ok((Refunded, 1_998, 1_998))),
        (500, &[Opened, Won], Ok((PartiallyRefunded, 0, 500))),
        (500, &[Opened, Lost], Ok((Refunded, 1_498, 1_998))),
        (0, &[Lost], Err(NotTakenBack::Status(Completed))),
        (0, &[Opened, Lost, Won], Err(NotTakenBack::Status(Refunded))),
        (1_998, &[Opened], Err(NotTakenBack::Status(Refunded))),
    ] {
        assert_eq!(after(back, disputes), expected, "{back} {disputes:?}");
    }
    // What is not delivered is not disputed, and what is disputed is not given back beside it.
    let paid = paid_with(&[1_998]).unwrap();
    let refused = paid.dispute(Opened, at(5));
    assert_eq!(refused, Err(NotTakenBack::Status(Standing::Paid)));
    let Ok(TakenBack::To(disputed, _)) = delivered(0).dispute(Opened, at(5)) else {
        panic!("it was disputed before");
    };
    assert!(!disputed.is_delivered() && disputed.clone().refund(None, at(6)).is_err());
    // What its provider takes back meanwhile is gone whoever is right.
    let (part, gone) = disputed.clone().reverse(money(500), at(6)).unwrap();
    assert_eq!((part.status, gone), (Disputed, money(500)));
    let Ok(TakenBack::To(won, _)) = part.dispute(Won, at(7)) else {
        panic!("it was decided before");
    };
    assert_eq!(won.status, PartiallyRefunded);
    let (all, gone) = disputed.reverse(money(9_999), at(6)).unwrap();
    assert_eq!((all.status, gone), (Refunded, money(1_998)));
    for word in Dispute::ALL {
        assert_eq!(Dispute::parse(word.name()), Some(word));
    }
}

#[test]
fn refusals_come_in_their_order() {
    let check = |facts: Facts, change: fn(&mut Session), minutes, expected| {
        let mut session = session();
        change(&mut session);
        assert_eq!(open(facts, &session, wanted(), at(minutes)), Err(expected));
    };
    let of_customer = Facts {
        of_customer: OPEN_OF_CUSTOMER_MAX,
        of_address: 0,
    };
    let other_price = |it: &mut Session| it.cart = Cart::of(item(None, 2, 1));
    let mut dear = product();
    dear.base_price = Money::MAX;
    let dear = quote(&dear, sku(None), 1, None).unwrap();
    let sum = |minutes| {
        let mut wanted = wanted();
        wanted.quotes = vec![dear.clone(), dear.clone()];
        open(of_customer, &session(), wanted, at(minutes))
    };
    assert_eq!(sum(60), Err(Refusal::Over));
    assert_eq!(
        sum(1),
        Err(Refusal::TooDear),
        "no price that could have changed"
    );
    check(of_customer, other_price, 60, Refusal::Over);
    let invoiced = |it: &mut Session| it.invoice = Some(InvoiceId::from_uuid(Uuid::nil()));
    check(of_customer, invoiced, 1, Refusal::Over);
    let changed = Refusal::PriceChanged(money(1998));
    check(of_customer, other_price, 1, changed.clone());
    let other_quantity = |it: &mut Session| it.cart = Cart::of(item(None, 3, 999));
    check(of_customer, other_quantity, 1, changed.clone());
    let other_line = |it: &mut Session| {
        it.cart = it.cart.changed(Change::Add(item(Some(1), 1, 500))).unwrap();
    };
    check(of_customer, other_line, 1, changed);
    check(of_customer, |_| {}, 1, Refusal::TooManyOpen);
    let of_address = Facts {
        of_customer: 0,
        of_address: OPEN_OF_ADDRESS_MAX,
    };
    check(of_address, |_| {}, 1, Refusal::TooManyOpen);
}

#[test]
fn session_stands_where_it_says() {
    let mut session = session();
    assert_eq!(session.status_at(at(59)), SessionStatus::Open);
    assert_eq!(session.status_at(at(60)), SessionStatus::Expired);
    session.invoice = Some(InvoiceId::from_uuid(Uuid::nil()));
    assert_eq!(session.status_at(at(600)), SessionStatus::Invoiced);
}

#[test]
fn token_is_the_same_for_one_page_under_one_key_only() {
    let vault = |seed| Vault::new(&RootKey::new([seed; 32]), Arc::new(SeededRandom::new(1)));
    let of = |seed, page, id| token(&vault(seed), page, Uuid::from_u128(id));
    let one = of(1, Page::Invoice, 1);
    assert_eq!(one, of(1, Page::Invoice, 1));
    assert_ne!(one, of(1, Page::Checkout, 1));
    assert_ne!(one, of(1, Page::Invoice, 2));
    assert_ne!(one, of(2, Page::Invoice, 1));
    assert!(digest(one.expose()).is_some());
    assert_ne!(
        digest(one.expose()),
        digest(of(1, Page::Invoice, 2).expose())
    );
}

proptest! {
    #[test]
    fn owed_and_kept_is_what_arrived_whatever_came_and_goes_back(
        parts in prop::collection::vec(1..2_500_i64, 1..4),
        wholesale in 0..=999_i64,
        hundredths in prop::option::of(0..=10_000_u16),
        back in prop::collection::vec(1..2_500_i64, 0..4),
    ) {
        let invoice = paid_with(&parts).unwrap();
        let arrived = invoice.received().unwrap().min(money(1_998));
        let rate = hundredths.map_or(Rate::Above { wholesale: money(wholesale) }, |hundredths| {
            Rate::Percent(Percent::from_hundredths(hundredths).unwrap())
        });
        let mut sale = sale_of(&invoice, rate);
        prop_assert_eq!(sale.paid(), arrived);
        let owed = sale.commission.amount;
        prop_assert!(owed >= Money::ZERO && owed <= arrived);
        if rate.percent().is_none() {
            let kept = arrived.checked_sub(owed).unwrap();
            prop_assert_eq!(kept, arrived.min(money(2 * wholesale)));
        }
        for minor in back {
            let Some(refunded) = sale.clone().refund_of(money(minor), at(4)) else { break };
            sale = refunded.sale;
            let still = arrived.checked_sub(sale.refunded).unwrap();
            prop_assert!(sale.commission.rest() <= still.checked_add(money(1)).unwrap());
        }
        if let Some(refunded) = sale.clone().refund_of(Money::MAX, at(5)) {
            sale = refunded.sale;
        }
        prop_assert_eq!((sale.refunded, sale.commission.rest()), (arrived, Money::ZERO));
        prop_assert_eq!(sale.commission.status, CommissionStatus::Reversed);
    }

    #[test]
    fn text_of_another_form_opens_nothing(text in ".{0,70}|[0-9A-F]{64}|[0-9a-f]{63}") {
        let known = text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        prop_assert_eq!(digest(&text).is_some(), known);
    }
}
