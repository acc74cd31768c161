//! Sources: ledgers as they end, shelves in the order in which they are sold.

use super::{
    Subject,
    lanes::{Lanes, at, money},
};
use crate::{
    balances::Spending,
    ids::{BalanceId, SerialId},
    inventory::{Restock, ShelvedSerial},
    journal::Rows,
    money::Money,
};

/// A balance is loaded with its last entry, and with what was bought on that day and in that month.
///
/// # Panics
/// If the subject does otherwise, as everywhere here.
pub async fn balances_load_as_their_ledgers_end(subject: &Subject) {
    let lanes = Lanes::take(subject, 11).await;
    let mut lane = lanes.fence(0).await;
    let [live, test] = subject.balances;
    let source = &subject.balance_source;
    let nobody = source.load(BalanceId(i64::MAX), at(0)).await;
    assert_eq!(nobody, Ok(None));

    let serials = lanes.shelf(&mut lane, 0).await;
    let credit = lanes.credit(live, 1, 1000, "PAY-1");
    lane.commit(Rows::Credits(vec![credit]))
        .await
        .expect("committed");
    let orders = vec![
        lanes.order(live, (2, 500), "A-1", &serials[..2]),
        lanes.order(live, (3, 250), "A-2", &serials[2..3]),
    ];
    let key = orders[0].contents.key;
    lane.commit(Rows::Fulfillments(orders))
        .await
        .expect("committed");

    let loaded = source
        .load(live, at(60))
        .await
        .expect("readable")
        .expect("a balance");
    assert_eq!(loaded.relationship, subject.relationship);
    assert_eq!((loaded.version, loaded.posted), (3, money(250)));
    let spent = money(750);
    let expected = Spending {
        day: at(60).date_naive(),
        today: spent,
        month: spent,
        keys_today: [(key, spent)].into(),
    };
    assert_eq!(loaded.spending, expected);
    for (days, month) in [(1, spent), (40, Money::ZERO)] {
        let later = at(60) + chrono::Days::new(days);
        let loaded = source
            .load(live, later)
            .await
            .expect("readable")
            .expect("a balance");
        let spending = Spending {
            month,
            ..Spending::none(later.date_naive())
        };
        assert_eq!(loaded.spending, spending, "{days} days later");
    }
    let empty = source
        .load(test, at(60))
        .await
        .expect("readable")
        .expect("a balance");
    assert_eq!((empty.version, empty.posted), (0, Money::ZERO));
    assert_eq!(empty.spending, Spending::none(at(60).date_naive()));
    lanes.release().await;
}

/// An import is on sale from its number on; numbers follow the order of the commits, not of the
/// imports, and are given once.
pub async fn imports_are_sold_in_the_order_of_their_numbers(subject: &Subject) {
    let lanes = Lanes::take(subject, 12).await;
    let mut lane = lanes.fence(0).await;
    let source = &subject.inventory_source;
    let unnumbered = async || {
        let mut found = source.unnumbered().await.expect("readable");
        found.sort_by_key(|restock| restock.import);
        found
    };
    let [first, second, third] = subject.imports;
    assert_eq!(unnumbered().await, subject.imports);
    assert_eq!(source.fetch(subject.sku, None, 10).await, Ok(vec![]));
    assert_eq!(source.count(subject.sku, None).await, Ok(0));
    assert_eq!(source.count_to(subject.sku, None, 9).await, Ok(0));

    lane.commit(Rows::Restocks(vec![second]))
        .await
        .expect("numbered");
    assert_eq!(unnumbered().await, [first, third]);
    let sold = source.fetch(subject.sku, None, 3).await.expect("readable");
    let serials = |import: Restock| (0..4).map(move |ordinal| import.import.serial(ordinal));
    assert_eq!(ids(&sold), serials(second).take(3).collect::<Vec<_>>());

    lane.commit(Rows::Restocks(vec![first]))
        .await
        .expect("numbered");
    lane.commit(Rows::Restocks(vec![second, third]))
        .await
        .expect("numbered, one of them already");
    assert_eq!(unnumbered().await, []);
    let cursor = sold.last().map(|serial| serial.position);
    let rest = source
        .fetch(subject.sku, cursor, 100)
        .await
        .expect("readable");
    let expected = serials(second)
        .skip(3)
        .chain(serials(first))
        .chain(serials(third));
    assert_eq!(ids(&rest), expected.collect::<Vec<_>>());
    assert!(rest.is_sorted_by_key(|serial| serial.position));
    assert_eq!(source.count(subject.sku, None).await, Ok(12));
    assert_eq!(source.count(subject.sku, cursor).await, Ok(9));
    assert_eq!(source.count_to(subject.sku, cursor, 7).await, Ok(7));
    lanes.release().await;
}

/// What is claimed, sold or quarantined, is in no window and in no count.
pub async fn windows_leave_out_what_is_claimed(subject: &Subject) {
    let lanes = Lanes::take(subject, 13).await;
    let mut lane = lanes.fence(0).await;
    let live = subject.balances[0];
    let source = &subject.inventory_source;
    let shelf = lanes.shelf(&mut lane, 0).await;
    let next = lanes.shelf(&mut lane, 1).await;
    let credit = lanes.credit(live, 1, 1000, "PAY-1");
    lane.commit(Rows::Credits(vec![credit]))
        .await
        .expect("committed");
    let order = lanes.order(live, (2, 500), "A-1", &[shelf[1].clone(), next[0].clone()]);
    lane.commit(Rows::Fulfillments(vec![order]))
        .await
        .expect("committed");
    source
        .quarantine(shelf[2].position.serial)
        .await
        .expect("written");
    source
        .quarantine(shelf[2].position.serial)
        .await
        .expect("once is enough");

    let free = [&shelf[0], &shelf[3], &next[1], &next[2], &next[3]].map(Clone::clone);
    let all = source.fetch(subject.sku, None, 100).await;
    assert_eq!(all, Ok(free.to_vec()));
    for (after, left) in [
        (&shelf[0], 4),
        (&shelf[1], 4),
        (&shelf[3], 3),
        (&next[3], 0),
    ] {
        let after = Some(after.position);
        let window = source.fetch(subject.sku, after, 2).await.expect("readable");
        let expected = &free[free.len() - left..];
        assert_eq!(window, expected[..left.min(2)]);
        assert_eq!(source.count(subject.sku, after).await, Ok(left as u64));
        for most in [1, 9] {
            let counted = source.count_to(subject.sku, after, most).await;
            assert_eq!(counted, Ok(left.min(most)));
        }
    }
    let claimed = lanes.order(live, (3, 250), "A-2", &shelf[2..3]);
    let breached = lane.commit(Rows::Fulfillments(vec![claimed])).await;
    assert!(breached.is_err(), "a quarantined serial is never sold");
    lanes.release().await;
}

fn ids(serials: &[ShelvedSerial]) -> Vec<SerialId> {
    serials
        .iter()
        .map(|serial| serial.position.serial)
        .collect()
}
