//! Work that its caller gives up leaves nothing half done.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    process::Command,
    task::Poll,
};

use chrono::{DateTime, TimeDelta, Utc};
use engine::{clock::EPOCH, inventory::Source as _, relationships::RelationshipScope};
use persistence::{
    Database, Sizes, balances::statement::statement, checkout, inventory::PgInventory, owned,
    payments,
};
use sqlx::postgres::PgConnectOptions;

use crate::ground::Ground;

/// Polls a future so many times and drops it; true if it came to its end.
async fn polled<T>(future: impl Future<Output = T>, times: usize) -> bool {
    let (mut future, mut left) = (pin!(future), times);
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if left == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

async fn small(options: &PgConnectOptions) -> Database {
    let sizes = Sizes {
        reads_max: 1,
        writes_max: 1,
        ..Sizes::default()
    };
    Database::connect(options, sizes).await.unwrap()
}

#[tokio::test]
async fn begin_dropped_at_any_poll_leaves_no_open_transaction() {
    let ground = Ground::new().await;
    let db = small(ground.db.connect_options()).await;
    let mut clock = ground.connect().await;
    for times in 0.. {
        let ended = polled(db.begin(), times).await;
        let before: DateTime<Utc> = sqlx::query_scalar("SELECT clock_timestamp()")
            .fetch_one(&mut clock)
            .await
            .unwrap();
        // The pool's only connection is the one that was dropped: a transaction left open in it would
        // have begun before.
        let mut tx = db.begin().await.unwrap();
        let begun: DateTime<Utc> = sqlx::query_scalar("SELECT now()")
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        assert!(begun >= before, "after {times} polls");
        tx.rollback().await.unwrap();
        if ended {
            return;
        }
    }
}

#[tokio::test]
async fn owned_work_ends_although_its_caller_hangs_up() {
    let ground = Ground::new().await;
    let db = ground.db.clone();
    let work = owned(async move {
        let mut tx = db.begin().await.unwrap();
        sqlx::query("UPDATE merchants SET name = 'Renamed'")
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    });
    assert!(!polled(work, 1).await);
    ground.until("SELECT name = 'Renamed' FROM merchants").await;
}

#[tokio::test]
async fn connection_that_does_not_answer_is_closed_and_makes_room() {
    let ground = Ground::new().await;
    let db = small(ground.db.connect_options()).await;
    let mut silent = db.read().await.unwrap();
    let server: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut *silent)
        .await
        .unwrap();
    signal("STOP", server);
    drop(silent);
    let next = db.read().await;
    signal("CONT", server);
    let found: i32 = sqlx::query_scalar("SELECT 1")
        .fetch_one(&mut *next.unwrap())
        .await
        .unwrap();
    assert_eq!(found, 1);
}

/// Stops one backend of the test's database, or lets it go on.
fn signal(name: &str, server: i32) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), server.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[tokio::test]
async fn reports_and_sales_never_wait_for_each_other() {
    let ground = Ground::new().await;
    let sizes = Sizes {
        reads_max: 1,
        reports_max: 1,
        ..Sizes::default()
    };
    let options = ground.db.connect_options();
    let db = Database::connect(options, sizes).await.unwrap();
    let source = PgInventory::new(db.clone());
    let sale = db.read().await.unwrap();
    assert_eq!(source.count(ground.sku, None).await, Ok(0));
    let (from, to) = (EPOCH, EPOCH + TimeDelta::days(1));
    let scope = RelationshipScope {
        merchant: ground.merchant,
        relationship: ground.relationship,
        balance: ground.balances[0],
        test: false,
    };
    let statement = statement(&db, scope, from, to).await.unwrap();
    assert_eq!(statement.entries, 0);
    drop(sale);
    let _report = db.report().await.unwrap();
    assert_eq!(source.fetch(ground.sku, None, 1).await, Ok(vec![]));
}

#[tokio::test]
async fn pages_and_watchers_wait_for_neither_reports_nor_sales() {
    let ground = Ground::new().await;
    let sizes = Sizes {
        reads_max: 1,
        reports_max: 1,
        ..Sizes::default()
    };
    let options = ground.db.connect_options();
    let db = Database::connect(options, sizes).await.unwrap();
    let (sale, report) = (db.read().await.unwrap(), db.report().await.unwrap());
    assert_eq!(checkout::find_session(&db, [0; 32]).await.unwrap(), None);
    assert_eq!(payments::due(&db, 1, EPOCH).await.unwrap(), []);
    assert_eq!(payments::cursor(&db, "nowhere").await.unwrap(), None);
    drop((sale, report));
    let mut found = Vec::new();
    for _ in 0..4 {
        found.push(db.find().await.unwrap());
    }
    let source = PgInventory::new(db.clone());
    assert_eq!(source.fetch(ground.sku, None, 1).await, Ok(vec![]));
    assert_eq!(source.count(ground.sku, None).await, Ok(0));
}

#[tokio::test]
async fn reading_connection_cannot_write() {
    let ground = Ground::new().await;
    let mut connection = ground.db.read().await.unwrap();
    let refused = sqlx::query("UPDATE merchants SET name = ''")
        .execute(&mut *connection)
        .await;
    let code = refused
        .unwrap_err()
        .into_database_error()
        .unwrap()
        .code()
        .unwrap()
        .into_owned();
    assert_eq!(code, "25006");
}
