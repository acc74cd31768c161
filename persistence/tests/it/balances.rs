//! Ledgers: lists, statements, and what was spent.

use std::collections::BTreeMap;

use engine::{balances::EntryKind, fulfillments::OrderId, money::Money};
use futures_util::TryStreamExt;
use persistence::balances::{
    forecast::spend,
    ledger::{self, Filter, LedgerEntry, Start},
    statement::{line, statement},
};
use sha2::{Digest, Sha256};

use crate::stage::{Stage, at};

const HOUR: i64 = 3600;

fn money(minor: i64) -> Money {
    Money::from_minor(minor).unwrap()
}

/// Credits and purchases, two of them in the same second.
async fn stage() -> Stage {
    let stage = Stage::new().await;
    let entries = [
        (3, 1000, 0),
        (1, -100, 10),
        (1, -200, 20),
        (1, -50, 20),
        (3, 500, 30),
        (1, -1, 40),
    ];
    stage.append(stage.scopes[0].balance, &entries).await;
    stage
}

async fn versions(stage: &Stage, filter: Filter, start: Start, limit: u32) -> (Vec<i64>, bool) {
    let page = ledger::list(&stage.db, stage.scopes[0], filter, start, limit)
        .await
        .unwrap();
    (
        page.items.iter().map(|entry| entry.version).collect(),
        page.has_more,
    )
}

#[tokio::test]
async fn ledger_is_listed_newest_first_page_by_page() {
    let stage = stage().await;
    let all = Filter::default;
    let first = versions(&stage, all(), Start::Below(None), 4).await;
    assert_eq!(first, (vec![6, 5, 4, 3], true));
    assert_eq!(
        versions(&stage, all(), Start::Below(Some(3)), 4).await,
        (vec![2, 1], false)
    );
    assert_eq!(
        versions(&stage, all(), Start::Above(4), 4).await,
        (vec![5, 6], false)
    );
    assert_eq!(
        versions(&stage, all(), Start::Above(0), 2).await,
        (vec![1, 2], true)
    );
}

#[tokio::test]
async fn ledger_is_filtered_by_kind_time_and_order_id() {
    let stage = stage().await;
    let list = async |filter| versions(&stage, filter, Start::Below(None), 10).await.0;
    let credits = Filter {
        kinds: vec![EntryKind::Credit, EntryKind::TopUp],
        ..Filter::default()
    };
    assert_eq!(list(credits).await, [5, 1]);
    let from = Filter {
        from: Some(at(20)),
        to: Some(at(40)),
        ..Filter::default()
    };
    assert_eq!(list(from).await, [5, 4, 3]);
    let order = |id: &str| Filter {
        order_id: Some(OrderId::parse(id).unwrap()),
        ..Filter::default()
    };
    assert_eq!(list(order("ref-3")).await, [3]);
    // The reference of a credit is no order id.
    assert_eq!(list(order("ref-5")).await, Vec::<i64>::new());
}

#[tokio::test]
async fn entry_says_what_happened() {
    let stage = stage().await;
    let page = ledger::list(
        &stage.db,
        stage.scopes[0],
        Filter::default(),
        Start::Above(3),
        2,
    )
    .await
    .unwrap();
    let [bought, gift] = &page.items[..] else {
        panic!("two entries")
    };
    assert_eq!(
        (bought.kind, bought.amount),
        (EntryKind::Fulfillment, money(-50))
    );
    assert_eq!(
        (bought.reference.as_str(), &bought.description),
        ("ref-4", &None)
    );
    assert_eq!((gift.balance_after, gift.created_at), (money(1150), at(30)));
    assert_eq!(
        (gift.description.as_deref(), gift.label.as_deref()),
        (Some("Welcome"), Some("PROMO"))
    );
    assert_eq!((bought.id.version(), gift.id.version()), (4, 5));
}

#[tokio::test]
async fn ledger_of_another_balance_is_not_seen() {
    let stage = stage().await;
    let page = ledger::list(
        &stage.db,
        stage.scopes[1],
        Filter::default(),
        Start::Above(0),
        9,
    )
    .await
    .unwrap();
    assert_eq!(page.items, []);
}

#[tokio::test]
async fn export_reads_every_row_over_pages() {
    let stage = Stage::new().await;
    let mut entries = vec![(3, 100_000, 0)];
    entries.extend((1..2500).map(|second| (1, -1, second)));
    stage.append(stage.scopes[0].balance, &entries).await;
    let rows = ledger::rows(stage.db.clone(), stage.scopes[0], Filter::default());
    let rows: Vec<LedgerEntry> = rows.try_collect().await.unwrap();
    let versions: Vec<_> = rows.iter().map(|row| row.version).collect();
    assert_eq!(versions, (1..=2500).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn statements_that_follow_each_other_count_each_entry_once() {
    let stage = stage().await;
    let over = async |from, to| {
        statement(&stage.db, stage.scopes[0], at(from), at(to))
            .await
            .unwrap()
    };
    let (first, second) = (over(-5, 20).await, over(20, 100).await);
    assert_eq!(
        (first.opening_version, first.opening_balance),
        (0, Money::ZERO)
    );
    assert_eq!(
        (first.closing_version, first.closing_balance),
        (2, money(900))
    );
    assert_eq!(
        (second.opening_version, second.opening_balance),
        (2, money(900))
    );
    assert_eq!(
        (second.closing_version, second.closing_balance),
        (6, money(1149))
    );
    assert_eq!((first.entries, second.entries), (2, 4));
    let totals = [(EntryKind::Fulfillment, -251), (EntryKind::Credit, 500)];
    assert_eq!(second.totals, BTreeMap::from(totals));
    let empty = over(50, 60).await;
    assert_eq!((empty.entries, empty.totals.len()), (0, 0));
    assert_eq!(
        (empty.opening_balance, empty.closing_balance),
        (money(1149), money(1149))
    );
}

#[tokio::test]
async fn digest_of_a_statement_is_that_of_its_entries() {
    let stage = stage().await;
    let entries = ledger::list(
        &stage.db,
        stage.scopes[0],
        Filter::default(),
        Start::Above(0),
        9,
    )
    .await
    .unwrap();
    let text: String = entries.items.iter().map(line).collect();
    let whole = statement(&stage.db, stage.scopes[0], at(0), at(100))
        .await
        .unwrap();
    assert_eq!(whole.digest, <[u8; 32]>::from(Sha256::digest(text)));
    let part = statement(&stage.db, stage.scopes[0], at(0), at(40))
        .await
        .unwrap();
    assert_ne!(part.digest, whole.digest);
}

#[tokio::test]
async fn statement_over_many_reads_misses_no_entry() {
    let stage = Stage::new().await;
    let balance = stage.scopes[0].balance;
    stage.append(balance, &[(3, 100_000, 0)]).await;
    let mut tx = stage.db.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO ledger_entries (balance_id, version, kind, reference, id, amount,
           balance_after, created_at, channel, key_id, fingerprint, serial_ids)
         SELECT balance_id, v, 1, 'many-' || v, id, -1, 100001 - v, created_at, 1, id, ''::bytea, '{}'
         FROM ledger_entries, generate_series(2, 25000) AS v WHERE balance_id = $1",
    )
    .bind(balance.0)
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();

    let whole = statement(&stage.db, stage.scopes[0], at(0), at(9))
        .await
        .unwrap();

    assert_eq!(
        (whole.entries, whole.closing_balance),
        (25_000, money(75_001))
    );
    assert_eq!(whole.totals[&EntryKind::Fulfillment], -24_999);
}

#[tokio::test]
async fn spend_counts_fulfillments_and_no_credits() {
    let stage = Stage::new().await;
    let now = 8 * 24 * HOUR;
    let entries = [
        (3, 10_000, 0),
        (1, -1000, HOUR),
        (1, -20, now - 7 * 24 * HOUR),
        (3, 500, now - 48 * HOUR),
        (1, -300, now - 24 * HOUR - 1),
        (1, -4, now - 24 * HOUR),
        (2, 70, now - HOUR),
        (1, -5, now - 1),
    ];
    stage.append(stage.scopes[0].balance, &entries).await;
    let spent = spend(&stage.db, stage.scopes[0], at(now)).await.unwrap();
    assert_eq!((spent.last_24h, spent.last_7d), (money(9), money(329)));
    let nothing = spend(&stage.db, stage.scopes[1], at(now)).await.unwrap();
    assert_eq!(
        (nothing.last_24h, nothing.last_7d),
        (Money::ZERO, Money::ZERO)
    );
}
