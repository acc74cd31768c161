//! The window of unclaimed serials.

use engine::{
    ids::SerialId,
    inventory::{Position, Source},
    journal::Rows,
};
use persistence::inventory::PgInventory;

use crate::ground::{Ground, Lane};

async fn fetched(ground: &Ground, after: Option<Position>, limit: usize) -> Vec<SerialId> {
    let fetched = PgInventory::new(ground.db.clone())
        .fetch(ground.sku, after, limit)
        .await
        .unwrap();
    fetched
        .into_iter()
        .map(|shelved| shelved.position.serial)
        .collect()
}

async fn counted(ground: &Ground, after: Option<Position>) -> u64 {
    PgInventory::new(ground.db.clone())
        .count(ground.sku, after)
        .await
        .unwrap()
}

/// Sells these serials.
async fn claim(ground: &Ground, lane: &mut Lane, serials: &[SerialId]) {
    let order = ground.fulfillment(ground.balances[0], 1, "order", serials);
    lane.commit(Rows::Fulfillments(vec![order])).await.unwrap();
}

#[tokio::test]
async fn window_follows_the_numbers_of_the_imports() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    let (first, second) = (ground.import(2).await, ground.import(2).await);
    assert_eq!(fetched(&ground, None, 10).await, []);
    lane.commit(Rows::Restocks(vec![second])).await.unwrap();
    lane.commit(Rows::Restocks(vec![first])).await.unwrap();
    let (first, second) = (first.import, second.import);
    let all = [
        second.serial(0),
        second.serial(1),
        first.serial(0),
        first.serial(1),
    ];
    assert_eq!(fetched(&ground, None, 10).await, all);
    assert_eq!(fetched(&ground, None, 3).await, all[..3]);
}

#[tokio::test]
async fn import_that_comes_late_is_behind_no_position() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    let late = ground.import(1).await;
    let sold = ground.stock(&mut lane, 2).await;
    let end = Position {
        number: 1,
        serial: sold.serial(1),
    };
    assert_eq!(fetched(&ground, Some(end), 10).await, []);
    lane.commit(Rows::Restocks(vec![late])).await.unwrap();
    assert_eq!(
        fetched(&ground, Some(end), 10).await,
        [late.import.serial(0)]
    );
    let middle = Position {
        number: 1,
        serial: sold.serial(0),
    };
    let rest = [sold.serial(1), late.import.serial(0)];
    assert_eq!(fetched(&ground, Some(middle), 10).await, rest);
}

#[tokio::test]
async fn claimed_and_quarantined_serials_are_gone() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    let import = ground.stock(&mut lane, 5).await;
    let more = ground.stock(&mut lane, 3).await;
    claim(
        &ground,
        &mut lane,
        &[import.serial(0), import.serial(2), more.serial(1)],
    )
    .await;
    let source = PgInventory::new(ground.db.clone());
    source.quarantine(import.serial(4)).await.unwrap();
    source.quarantine(import.serial(4)).await.unwrap();
    let left = [
        import.serial(1),
        import.serial(3),
        more.serial(0),
        more.serial(2),
    ];
    assert_eq!(fetched(&ground, None, 10).await, left);
    assert_eq!(counted(&ground, None).await, 4);
    for (serial, number, left) in [
        (import.serial(0), 1, 4),
        (import.serial(1), 1, 3),
        (import.serial(4), 1, 2),
        (more.serial(0), 2, 1),
        (more.serial(2), 2, 0),
    ] {
        assert_eq!(
            counted(&ground, Some(Position { number, serial })).await,
            left,
            "{serial}"
        );
    }
}

#[tokio::test]
async fn mark_follows_what_is_claimed_and_hides_nothing() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    let import = ground.stock(&mut lane, 4).await;
    claim(
        &ground,
        &mut lane,
        &[import.serial(0), import.serial(1), import.serial(3)],
    )
    .await;
    // A fetch that meets the end of an import looks at its mark, after it answered.
    assert_eq!(fetched(&ground, None, 10).await, [import.serial(2)]);
    ground.until("SELECT low_ordinal = 2 FROM imports").await;
    assert_eq!(fetched(&ground, None, 10).await, [import.serial(2)]);
    PgInventory::new(ground.db.clone())
        .quarantine(import.serial(2))
        .await
        .unwrap();
    assert_eq!(fetched(&ground, None, 10).await, []);
    ground
        .until("SELECT low_ordinal = 4294967296 FROM imports")
        .await;
    assert_eq!(fetched(&ground, None, 10).await, []);
    assert_eq!(counted(&ground, None).await, 0);
    let next = ground.stock(&mut lane, 1).await;
    assert_eq!(fetched(&ground, None, 10).await, [next.serial(0)]);
    assert_eq!(counted(&ground, None).await, 1);
}

#[tokio::test]
async fn more_imports_than_one_look_reads_are_all_found() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    let mut imports = Vec::new();
    for _ in 0..40 {
        imports.push(ground.import(1).await);
    }
    lane.commit(Rows::Restocks(imports.clone())).await.unwrap();
    let serials: Vec<_> = imports
        .iter()
        .map(|restock| restock.import.serial(0))
        .collect();
    assert_eq!(fetched(&ground, None, 100).await, serials);
    assert_eq!(counted(&ground, None).await, 40);
    let source = PgInventory::new(ground.db.clone());
    claim(&ground, &mut lane, &[serials[3], serials[35]]).await;
    for (after, most, found) in [
        (None, 31, 31),
        (None, 38, 38),
        (None, 100, 38),
        (Some(3), 100, 35),
        (Some(3), 33, 33),
        (Some(34), 100, 4),
        (Some(39), 100, 0),
    ] {
        let after = after.map(|at: usize| Position {
            number: i64::try_from(at).unwrap() + 1,
            serial: serials[at],
        });
        let counted = source.count_to(ground.sku, after, most).await;
        assert_eq!(counted, Ok(found), "{after:?} {most}");
    }
}

#[tokio::test]
async fn imports_without_a_number_are_named_at_the_start() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    ground.stock(&mut lane, 1).await;
    let waiting = ground.import(1).await;
    let source = PgInventory::new(ground.db.clone());
    assert_eq!(source.unnumbered().await, Ok(vec![waiting]));
}
