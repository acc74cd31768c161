//! What is reserved of a shelf, read while somebody stores more of it.

use engine::{
    ids::WithdrawalId,
    inventory::{Crossing, Ending, Reach, Reservation, ReserveCall, Source},
    journal::Owner,
};
use persistence::inventory::{PgInventory, levels, reservations};
use uuid::Uuid;

use crate::ground::{Ground, at};

const OWNER: Owner = Owner(Uuid::from_u128(77));

fn id(number: u128) -> WithdrawalId {
    WithdrawalId::from_uuid(Uuid::from_u128(number))
}

fn reservation(ground: &Ground, number: u128, quantity: u32) -> Reservation {
    let call = ReserveCall {
        id: id(number),
        merchant: ground.merchant,
        sku: ground.sku,
        quantity,
    };
    Reservation::of_no_shelf(call, Reach::Shelf, OWNER)
}

async fn owned() -> Ground {
    let ground = Ground::new().await;
    own(&ground, OWNER).await;
    ground
}

async fn own(ground: &Ground, owner: Owner) {
    let mut tx = ground.db.begin().await.unwrap();
    let query = sqlx::query("UPDATE shards SET owner = $1").bind(owner.0);
    query.execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn row_that_is_being_stored_is_waited_for() {
    let ground = owned().await;
    for commits in [true, false] {
        let number = if commits { 1 } else { 2 };
        let mut tx = ground.db.begin().await.unwrap();
        let row = reservation(&ground, number, 2);
        drop(reservations::insert(&mut tx, row, at(1)).await.unwrap());
        let source = PgInventory::new(ground.db.clone());
        let end = async {
            ground.until_blocked().await;
            if commits {
                tx.commit().await.unwrap();
            } else {
                tx.rollback().await.unwrap();
            }
        };
        let (read, ()) = tokio::join!(source.reserved(ground.sku), end);
        let found: Vec<_> = read.unwrap().into_iter().map(|row| row.id).collect();
        assert_eq!(found, [id(1)], "{commits}");
    }
}

#[tokio::test]
async fn transaction_that_began_before_a_takeover_stores_nothing_after_it() {
    let ground = owned().await;
    let mut tx = ground.db.begin().await.unwrap();
    // It looks around long before it comes to the reservation.
    sqlx::query("SELECT FROM shards")
        .execute(&mut *tx)
        .await
        .unwrap();
    own(&ground, Owner(Uuid::from_u128(78))).await;
    let source = PgInventory::new(ground.db.clone());
    assert_eq!(source.reserved(ground.sku).await, Ok(vec![]));
    let late = reservations::insert(&mut tx, reservation(&ground, 1, 1), at(1)).await;
    assert!(late.is_err());
}

#[tokio::test]
async fn shelf_of_which_all_is_reserved_is_told_as_empty() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    own(&ground, OWNER).await;
    let look = async || {
        let look = levels::look(&ground.db, ground.merchant, None, 10).await;
        let mut told = Vec::new();
        for sku in look.unwrap().moved {
            told.extend(
                levels::note(&ground.db, ground.merchant, sku, at(3))
                    .await
                    .unwrap(),
            );
        }
        told
    };
    ground.stock(&mut lane, 2).await;
    assert_eq!(look().await, [], "the first look tells nothing");
    let mut tx = ground.db.begin().await.unwrap();
    drop(
        reservations::insert(&mut tx, reservation(&ground, 1, 2), at(1))
            .await
            .unwrap(),
    );
    tx.commit().await.unwrap();
    assert_eq!(look().await, [Crossing::Out]);
    let mut tx = ground.db.begin().await.unwrap();
    assert!(
        reservations::end(&mut tx, id(1), Ending::Cancelled, at(2))
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    assert_eq!(look().await, [Crossing::Back]);
}
