//! Reservations: rows of the owner, told until they end or their withdrawal is there.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{Subject, lanes::Lanes};
use crate::{
    catalog::Sku,
    clock::EPOCH,
    ids::{VariantId, WithdrawalId},
    inventory::{Purpose, Reach, Reservation, ReserveCall, ReservedUnits, Withdrawal},
    journal::{Owner, Rows},
    random::SeededRandom,
};

/// The cold path's side of reservations.
pub trait ReservationRows: Send + Sync {
    /// Stores one in a transaction of its own; false if its owner was replaced.
    fn store(&self, reservation: Reservation) -> BoxFuture<'_, bool>;

    /// Ends one; false if there is none that has no end.
    fn end(&self, id: WithdrawalId) -> BoxFuture<'_, bool>;

    /// Somebody paid for one.
    fn pay(&self, id: WithdrawalId) -> BoxFuture<'_, ()>;
}

fn id(number: u128) -> WithdrawalId {
    WithdrawalId::from_uuid(uuid::Uuid::from_u128(number))
}

/// Which of them wait for uploads, and which nobody has paid.
const fn reach(number: u128) -> Reach {
    match number {
        2 => Reach::Beyond,
        8 | 9 => Reach::Share,
        _ => Reach::Shelf,
    }
}

fn row(number: u128, quantity: u32) -> ReservedUnits {
    ReservedUnits {
        id: id(number),
        quantity,
        reach: Reach::Shelf,
    }
}

/// What is reserved is told in its order, of its shelf, until it ends or is withdrawn.
///
/// # Panics
/// If the subject does otherwise, as everywhere here.
pub async fn reservations_are_told_until_they_end(subject: &Subject) {
    let lanes = Lanes::take(subject, 17).await;
    let mut lane = lanes.fence(0).await;
    let (source, rows) = (&subject.inventory_source, &subject.reservations);
    let shelf = lanes.shelf(&mut lane, 0).await;
    let sku = subject.sku;
    let other = Sku {
        variant: Some(VariantId::generate(EPOCH, &SeededRandom::new(3))),
        ..sku
    };
    let reservation = |number, sku, quantity| {
        let call = ReserveCall {
            id: id(number),
            merchant: subject.imports[0].merchant,
            sku,
            quantity,
        };
        Reservation::of_no_shelf(call, reach(number), lanes.owner)
    };
    let made = |number, quantity| ReservedUnits {
        reach: reach(number),
        ..row(number, quantity)
    };
    let (waiting, unpaid) = (made(2, 4), made(9, 2));
    assert_eq!(source.reserved(sku).await, Ok(vec![]));
    for (number, sku, quantity) in [(2, sku, 4), (9, sku, 2), (1, sku, 1), (5, other, 3)] {
        let stored = rows.store(reservation(number, sku, quantity)).await;
        assert!(stored, "{number}");
    }
    let all = vec![row(1, 1), unpaid, waiting];
    assert_eq!(source.reserved(sku).await, Ok(all));
    assert_eq!(source.reserved(other).await, Ok(vec![row(5, 3)]));

    assert!(rows.store(reservation(9, sku, 2)).await, "it is there");
    assert!(rows.end(id(9)).await);
    assert!(!rows.end(id(9)).await, "it has ended");
    assert!(rows.store(reservation(9, sku, 2)).await, "it was paid late");
    let all = vec![row(1, 1), unpaid, waiting];
    assert_eq!(source.reserved(sku).await, Ok(all));
    for number in [8, 3] {
        assert!(rows.store(reservation(number, sku, 1)).await, "{number}");
    }
    for number in [9, 1, 8, 9, 2, 7] {
        rows.pay(id(number)).await;
    }
    let all = vec![row(1, 1), row(3, 1), row(9, 2), row(8, 1), waiting];
    assert_eq!(source.reserved(sku).await, Ok(all), "by the time of paying");
    for number in [3, 8, 9] {
        assert!(rows.end(id(number)).await);
    }
    assert!(!rows.end(id(7)).await, "there is none");
    let withdrawn = Withdrawal {
        id: id(1),
        merchant: subject.imports[0].merchant,
        sku,
        purpose: Purpose::Sale,
        serials: vec![shelf[0].position.serial],
        by: None,
    };
    let withdrawn = Rows::Withdrawals(vec![Arc::new(withdrawn)]);
    lane.commit(withdrawn).await.expect("redeemed");
    assert_eq!(source.reserved(sku).await, Ok(vec![waiting]));
    assert_eq!(source.count(sku, None).await, Ok(3));
    lanes.release().await;
}

/// Whoever was replaced stores no reservation any more.
pub async fn reservations_are_of_the_owner_only(subject: &Subject) {
    let before = Lanes::take(subject, 18).await;
    let earlier = before.owner;
    before.release().await;
    let lanes = Lanes::take(subject, 19).await;
    let store = async |number, owner: Owner| {
        let call = ReserveCall {
            id: id(number),
            merchant: subject.imports[0].merchant,
            sku: subject.sku,
            quantity: 1,
        };
        let reservation = Reservation::of_no_shelf(call, Reach::Shelf, owner);
        subject.reservations.store(reservation).await
    };
    assert!(!store(1, earlier).await);
    assert!(store(2, lanes.owner).await);
    let reserved = subject.inventory_source.reserved(subject.sku).await;
    assert_eq!(reserved, Ok(vec![row(2, 1)]));
    lanes.release().await;
}
