//! What arrives: what pays a price, what comes late, in parts or twice, and what is gone again.

use super::*;

/// A customer's, paid where money comes in parts.
fn price(status: Status) -> Invoice {
    Invoice {
        purpose: Purpose::Checkout,
        provider: ProviderKind::Btcpay,
        ..invoice(status)
    }
}

#[test]
fn price_is_paid_once_it_arrived_but_for_half_a_percent() {
    use Status::{Cancelled, Confirming, Expired, Open, Paid, Underpaid};
    for (status, parts, expected) in [
        (Open, vec![5000], Paid),
        (Open, vec![4975], Paid),
        (Open, vec![4974], Underpaid),
        (Open, vec![1], Underpaid),
        (Confirming, vec![2000, 2975], Paid),
        (Confirming, vec![2000, 2974], Underpaid),
        (Open, vec![9000], Paid),
        (Expired, vec![4974], Expired),
        (Cancelled, vec![2500, 2500], Paid),
    ] {
        let parts = parts.iter().enumerate();
        let arrived: Vec<_> = parts
            .map(|(at, minor)| transfer(at, *minor, true))
            .collect();
        let count = arrived.len();
        let done = settled(price(status), &arrived, 2).unwrap();
        assert_eq!(outcome(done), (expected, count), "{status:?} {arrived:?}");
    }
}

#[test]
fn rest_of_a_price_may_come_later_and_its_part_is_waited_for() {
    let first = settled(price(Status::Open), &[transfer(0, 4000, true)], 20).unwrap();
    let Stepped::To(mut part) = first.stepped else {
        panic!("a part arrived");
    };
    assert_eq!((part.status, part.expires_at), (Status::Underpaid, at(44)));
    part.payments.push(taken(&transfer(0, 4000, true)));
    assert_eq!(
        (part.missing(), part.status_at(at(44))),
        (money(1000), Status::Expired)
    );
    let both = [transfer(0, 4000, true), transfer(1, 1000, true)];
    for hours in [30, 50] {
        let rest = settled((*part).clone(), &both, hours).unwrap();
        assert_eq!(outcome(rest), (Status::Paid, 1));
    }
    // What went back has to come again.
    part.refunded = money(500);
    let rest = settled(*part, &both, 30).unwrap();
    assert_eq!(outcome(rest), (Status::Underpaid, 1));
}

#[test]
fn merchant_takes_a_part_for_the_price_and_nothing_for_nothing() {
    let part = |status| {
        let mut part = price(status);
        part.payments.push(taken(&transfer(0, 1, true)));
        part
    };
    for status in [Status::Underpaid, Status::Expired, Status::Cancelled] {
        let Ok(Stepped::To(paid)) = part(status).accept(at(2)) else {
            panic!("a part arrived");
        };
        assert_eq!((paid.status, paid.paid_at), (Status::Paid, Some(at(2))));
        let nothing = price(status).accept(at(2));
        assert_eq!(nothing, Err(WrongStatus(status)));
    }
    let open = price(Status::Open).accept(at(2));
    assert_eq!(open, Err(WrongStatus(Status::Open)));
    let mut again = part(Status::Completed);
    again.paid_at = Some(at(1));
    assert!(matches!(again.accept(at(2)), Ok(Stepped::Already(_))));
}

#[test]
fn what_is_not_final_pays_nothing_and_may_go_again() {
    let seen = settled(invoice(Status::Open), &[arrival("a", 5000, false)], 20).unwrap();
    assert!(seen.fresh.is_empty());
    let Stepped::To(seen) = seen.stepped else {
        panic!("something was seen");
    };
    assert_eq!((seen.status, seen.expires_at), (Status::Confirming, at(44)));
    let dropped = settled((*seen).clone(), &[], 21).unwrap();
    assert_eq!(outcome(dropped), (Status::Open, 0));
    let paid = settled(*seen, &[arrival("a", 5000, true)], 21).unwrap();
    assert_eq!(outcome(paid), (Status::Paid, 1));
}

#[test]
fn late_money_pays_whatever_its_amount() {
    for status in [Status::Expired, Status::Cancelled] {
        let paid = settled(invoice(status), &[arrival("a", 1, true)], 30).unwrap();
        assert_eq!(outcome(paid), (Status::Paid, 1));
    }
}

#[test]
fn source_is_taken_in_once_with_one_amount() {
    let word = arrival("a", 5000, true);
    for status in [Status::Paid, Status::Completed] {
        let mut known = invoice(status);
        known.payments.push(taken(&word));
        let again = settled(known.clone(), std::slice::from_ref(&word), 1).unwrap();
        assert_eq!(outcome(again), (status, 0));
        for other in [arrival("a", 4999, true), arrival("b", 5000, true)] {
            let contradicts = settled(known.clone(), &[other], 1);
            assert_eq!(contradicts, Err(Contradiction));
        }
    }
}

fn word() -> String {
    Source::Invoice(InvoiceId::from_uuid(Uuid::nil())).to_string()
}

#[test]
fn every_final_transfer_is_taken_in_once_whatever_it_is_short_of() {
    let parts = [transfer(0, 2000, true), transfer(1, 4000, false)];
    let first = settled(watched(Status::Open), &parts, 1).unwrap();
    assert_eq!(first.fresh, parts[..1]);
    let mut known = watched(Status::Completed);
    known.payments.push(taken(&parts[0]));
    let later = [transfer(0, 2000, true), transfer(1, 4000, true)];
    let second = settled(known.clone(), &later, 2).unwrap();
    assert_eq!(second.fresh, later[1..]);
    let changed = settled(known, &[transfer(0, 2001, true)], 2);
    assert_eq!(changed, Err(Contradiction));
}

#[test]
fn merchants_word_and_what_was_seen_are_the_same_money() {
    let by_word = arrival(&word(), 5000, true);
    let mut said = watched(Status::Completed);
    said.payments.push(taken(&by_word));
    let seen = settled(said, &[transfer(0, 5000, true)], 1).unwrap();
    assert_eq!(outcome(seen), (Status::Completed, 0));
    let mut known = watched(Status::Completed);
    known.payments.push(taken(&transfer(0, 5000, true)));
    let reference = Source::Reference("slip 7".to_owned()).to_string();
    let marked = Source::Marked("a".to_owned()).to_string();
    for source in [word(), reference, marked] {
        let word = settled(known.clone(), &[arrival(&source, 5000, true)], 1);
        assert_eq!(word, Err(Contradiction), "{source}");
    }
    let first = settled(watched(Status::Confirming), &[by_word], 1).unwrap();
    assert_eq!(outcome(first), (Status::Paid, 1));
}

#[test]
fn transfer_is_found_again_by_its_transaction() {
    let source = Source::Transfer {
        network: "base".to_owned(),
        transaction: "0xab".to_owned(),
        place: 3,
    };
    let stored = source.to_string();
    assert_eq!(Source::transaction(&stored), Some("0xab"));
    for other in ["invoice:1:2", "payment:BTC:0xab:0", "transfer:3"] {
        assert_eq!(Source::transaction(other), None, "{other}");
    }
}

#[test]
fn only_what_is_named_and_was_taken_in_is_gone() {
    let mut known = watched(Status::Completed);
    known.payments.push(taken(&transfer(0, 2000, true)));
    known.payments.push(taken(&transfer(1, 3000, true)));
    let silent = Snapshot::default();
    assert_eq!(known.gone(&silent).count(), 0);
    let named = Snapshot {
        gone: vec![transfer(1, 3000, true).source, transfer(2, 1, true).source],
        ..Snapshot::default()
    };
    let gone: Vec<_> = known.gone(&named).map(|payment| payment.amount).collect();
    assert_eq!(gone, [money(3000)]);
}
