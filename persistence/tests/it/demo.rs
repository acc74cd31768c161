//! Casts as they are stored.

use std::sync::Arc;

use engine::{
    catalog::Sku,
    inventory::Source as _,
    random::SeededRandom,
    relationships::{Mode, Source as _, Status},
    vault::Sealed,
};
use persistence::{
    demo::{Seeded, demo, fundings, seed},
    inventory::PgInventory,
    relationships::PgRelationships,
};

use crate::stage::{Stage, at};

#[tokio::test]
async fn demo_has_a_reseller_in_every_mode_and_a_product_of_every_sort() {
    let random = Arc::new(SeededRandom::new(3));
    let stage = Stage::with(demo(&*random), random).await;
    let source = PgRelationships::new(stage.db.clone());
    let mut modes = Vec::new();
    for reseller in &stage.cast.resellers {
        let terms = source.find(reseller.id).await.unwrap().unwrap();
        assert_eq!((terms.access.len(), terms.keys.len()), (5, 3));
        assert_eq!(
            (terms.code, terms.status),
            (reseller.code.clone(), reseller.status)
        );
        modes.push((terms.mode, terms.status));
    }
    let active = |mode| (mode, Status::Active);
    let both = [
        active(Mode::Both),
        active(Mode::Both),
        (Mode::Both, Status::Suspended),
    ];
    assert_eq!(
        modes[..3],
        [Mode::Affiliate, Mode::Stock, Mode::AutoFulfilled].map(active)
    );
    assert_eq!(modes[3..], both);
    let counted = "SELECT COUNT(*) FROM serials";
    assert_eq!(stage.count(counted).await, 1000 + 3 * 500 + 50_000 + 3);
    let waiting = PgInventory::new(stage.db.clone())
        .unnumbered()
        .await
        .unwrap();
    assert_eq!(waiting.len(), 6);
}

#[tokio::test]
async fn seeded_serials_open_under_their_merchants_key() {
    let stage = Stage::new().await;
    let mut connection = stage.db.read().await.unwrap();
    let wrapped: Vec<u8> = sqlx::query_scalar("SELECT data_key FROM merchants")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    let merchant = stage.cast.merchant;
    let key = stage
        .vault
        .merchant_key(merchant, &Sealed::from_bytes(wrapped))
        .unwrap();
    let mut tx = stage.db.begin().await.unwrap();
    sqlx::query("UPDATE imports SET number = nextval('imports_number_seq')")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let inventory = PgInventory::new(stage.db.clone());
    for product in &stage.cast.products {
        let sku = Sku {
            product: product.id,
            variant: None,
        };
        let shelved = inventory.fetch(sku, None, 10).await.unwrap();
        assert_eq!(shelved.len(), 3);
        for serial in shelved {
            assert_eq!(
                key.open_serial(serial.position.serial, &serial.sealed)
                    .unwrap()
                    .expose()
                    .len(),
                19
            );
        }
    }
}

#[tokio::test]
async fn cast_is_stored_once_and_its_fundings_are_named_until_they_are_given() {
    let stage = Stage::new().await;
    let again = seed(&stage.db, &stage.vault, Arc::clone(&stage.cast), at(1))
        .await
        .unwrap();
    assert_eq!(again, Seeded::Before);
    assert_eq!(stage.count("SELECT COUNT(*) FROM serials").await, 9);
    let open = fundings(&stage.db, &stage.cast).await.unwrap();
    assert_eq!(
        open.iter().map(|funding| funding.scope).collect::<Vec<_>>(),
        stage.scopes
    );

    stage.append(stage.scopes[0].balance, &[(3, 100, 1)]).await;

    let open = fundings(&stage.db, &stage.cast).await.unwrap();
    assert_eq!(
        open.iter().map(|funding| funding.scope).collect::<Vec<_>>(),
        stage.scopes[1..]
    );
}
