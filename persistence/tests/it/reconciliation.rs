//! Claims without an order, found in parts.

use engine::{ids::SerialId, journal::Rows, reconciliation::Check};
use persistence::reconciliation::part;

use crate::ground::Ground;

#[tokio::test]
async fn parts_of_any_size_find_the_same_claims_that_nobody_delivers() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    let imports = [
        ground.stock(&mut lane, 4).await,
        ground.stock(&mut lane, 1).await,
        ground.stock(&mut lane, 3).await,
    ];
    let credit = ground.credit(ground.balances[0], 1, 100_000, "first");
    lane.commit(Rows::Credits(vec![credit])).await.unwrap();
    let sold = [imports[0].serial(1), imports[2].serial(0)];
    let order = ground.fulfillment(ground.balances[0], 2, "order", &sold);
    lane.commit(Rows::Fulfillments(vec![order])).await.unwrap();
    // Of the credit, of the order and of nothing.
    let mut wrong = vec![
        (imports[0].serial(3), 1, 1),
        (imports[1].serial(0), 1, 2),
        (imports[2].serial(2), 77, 1),
    ];
    for (serial, balance, version) in &wrong {
        sqlx::query(
            "INSERT INTO serial_claims
               (serial_id, kind, line, unit_price, price_version, balance_id, version)
             VALUES ($1, 1, 1, 500, 2, $2, $3)",
        )
        .bind(serial.uuid())
        .bind(balance)
        .bind(version)
        .execute(&mut ground.connect().await)
        .await
        .unwrap();
    }
    wrong.sort_unstable();
    let mine = Some(ground.relationship);
    let expected = wrong.iter().map(|(serial, balance, version)| {
        let relationship = mine.filter(|_| *balance == 1i64);
        (Some(*serial), relationship, Some(*version))
    });
    let expected: Vec<(Option<SerialId>, _, Option<i64>)> = expected.collect();
    for most in [1, 2, 3, 5, 100] {
        let (mut place, mut found, mut claims, mut parts) = (None, Vec::new(), 0, 0);
        loop {
            let part = part(&ground.db, ground.merchant, None, place, most).await;
            let part = part.unwrap();
            (claims, parts) = (claims + part.checked.claims, parts + 1);
            found.extend(part.mismatches);
            place = part.next;
            if place.is_none() {
                break;
            }
        }
        found.retain(|one| one.check == Check::Undelivered);
        found.sort_unstable_by_key(|one| one.serial);
        let told = found
            .iter()
            .map(|one| (one.serial, one.relationship, one.version));
        assert_eq!(told.collect::<Vec<_>>(), expected, "{most}");
        assert_eq!(claims, 5, "{most}");
        assert!(parts <= 20, "{parts} of {most}");
    }
}
