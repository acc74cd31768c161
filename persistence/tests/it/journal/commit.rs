//! Batches of every kind, and the class of everything that is not a commit.

use std::sync::Arc;

use engine::{
    fulfillments::Fulfillment,
    ids::SerialId,
    journal::{Batch, Failure, Journal, Owner, Rows},
    money::Money,
};
use uuid::Uuid;

use crate::ground::{Ground, Lane};

#[tokio::test]
async fn batches_of_every_kind_commit_and_move_the_lane_on() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    let [live, test] = ground.balances;
    let import = ground.stock(&mut lane, 3).await;
    lane.commit(Rows::Credits(vec![
        ground.credit(live, 1, 100_000, "welcome"),
        ground.credit(test, 1, 100_000, "welcome"),
    ]))
    .await
    .unwrap();
    lane.commit(Rows::Fulfillments(vec![
        ground.fulfillment(live, 2, "one", &[import.serial(0), import.serial(1)]),
        ground.fulfillment(test, 2, "one", &[import.serial(2)]),
    ]))
    .await
    .unwrap();
    assert_eq!(ground.written().await, (3, 4, 3, 3));
    let feed: Vec<(i64, Vec<i64>, Vec<i64>)> =
        sqlx::query_as("SELECT seq, balance_ids, versions FROM batches ORDER BY seq")
            .fetch_all(&mut ground.connect().await)
            .await
            .unwrap();
    assert_eq!(
        feed,
        [
            (1, vec![], vec![]),
            (2, vec![1, 2], vec![1, 1]),
            (3, vec![1, 2], vec![2, 2])
        ]
    );
}

/// A lane with three serials, a credit and one order, `first`, of the first serial.
async fn begun(ground: &Ground) -> (Lane, [SerialId; 3]) {
    let mut lane = ground.lane().await;
    let import = ground.stock(&mut lane, 3).await;
    let serials = [import.serial(0), import.serial(1), import.serial(2)];
    let balance = ground.balances[0];
    lane.commit(Rows::Credits(vec![
        ground.credit(balance, 1, 100_000, "welcome"),
    ]))
    .await
    .unwrap();
    lane.commit(Rows::Fulfillments(vec![ground.fulfillment(
        balance,
        2,
        "first",
        &serials[..1],
    )]))
    .await
    .unwrap();
    (lane, serials)
}

#[tokio::test]
async fn refused_batch_has_its_class_and_writes_nothing() {
    let ground = Ground::new().await;
    let (mut lane, serials) = begun(&ground).await;
    let before = ground.written().await;
    let good = ground.fulfillment(ground.balances[0], 3, "second", &[serials[1]]);
    for (name, batch, class) in foreign(&lane, &good)
        .into_iter()
        .chain(bad(&ground, &lane, serials))
    {
        assert_eq!(
            lane.session.writer.commit(&batch).await,
            Err(class),
            "{name}"
        );
        assert_eq!(ground.written().await, before, "{name}");
    }
    // The connection is in order after each of them.
    lane.commit(Rows::Fulfillments(vec![good])).await.unwrap();
}

type Case = (&'static str, Batch, Failure);

/// A good entry in batches that are not the lane's next one.
fn foreign(lane: &Lane, good: &Fulfillment) -> Vec<Case> {
    let with = |change: fn(&mut Batch)| {
        let mut batch = lane.batch(Rows::Fulfillments(vec![good.clone()]));
        change(&mut batch);
        batch
    };
    vec![
        (
            "wrong fence",
            with(|batch| batch.fence -= 1),
            Failure::Fenced,
        ),
        (
            "wrong number",
            with(|batch| batch.seq += 1),
            Failure::Fenced,
        ),
        (
            "number again",
            with(|batch| batch.seq -= 1),
            Failure::Fenced,
        ),
        (
            "wrong owner",
            with(|batch| batch.owner = Owner(Uuid::nil())),
            Failure::Fenced,
        ),
        ("wrong lane", with(|batch| batch.lane = 7), Failure::Fenced),
    ]
}

/// The lane's next batch with an entry that a constraint forbids.
fn bad(ground: &Ground, lane: &Lane, serials: [SerialId; 3]) -> Vec<Case> {
    let balance = ground.balances[0];
    let order = |version, id: &str, serial| {
        let order = ground.fulfillment(balance, version, id, &[serial]);
        lane.batch(Rows::Fulfillments(vec![order]))
    };
    let mut negative = ground.fulfillment(balance, 3, "second", &[serials[1]]);
    negative.stamp.balance_after = Money::from_minor(-1).unwrap();
    let negative = lane.batch(Rows::Fulfillments(vec![negative]));
    let mut nul = ground.credit(balance, 3, 100_000, "a");
    Arc::make_mut(&mut nul.credit).reference.push(char::from(0));
    let nul = lane.batch(Rows::Credits(vec![nul]));
    let breach = |constraint| Failure::Breach { constraint };
    vec![
        (
            "order id again",
            order(3, "first", serials[1]),
            Failure::Duplicate,
        ),
        (
            "serial again",
            order(3, "second", serials[0]),
            breach("serial_claims_pkey"),
        ),
        (
            "version again",
            order(2, "second", serials[1]),
            breach("ledger_entries_pkey"),
        ),
        (
            "negative balance",
            negative,
            breach("ledger_entries_balance_after_check"),
        ),
        ("text that cannot be stored", nul, Failure::Item),
    ]
}

#[tokio::test]
async fn one_bad_entry_takes_its_whole_batch_along() {
    let ground = Ground::new().await;
    let (mut lane, serials) = begun(&ground).await;
    let before = ground.written().await;
    let balance = ground.balances[0];
    let rows = vec![
        ground.fulfillment(balance, 3, "second", &serials[1..2]),
        ground.fulfillment(balance, 4, "first", &serials[2..]),
    ];
    assert_eq!(
        lane.commit(Rows::Fulfillments(rows.clone())).await,
        Err(Failure::Duplicate)
    );
    assert_eq!(ground.written().await, before);
    let existing = lane
        .session
        .writer
        .existing(&Rows::Fulfillments(rows))
        .await;
    assert_eq!(existing, Ok(vec![false, true]));
}

#[tokio::test]
async fn existing_tells_kinds_apart_and_keeps_the_order() {
    let ground = Ground::new().await;
    let (mut lane, _) = begun(&ground).await;
    let [live, test] = ground.balances;
    let credits = vec![
        ground.credit(test, 1, 0, "welcome"),
        ground.credit(live, 1, 0, "welcome"),
        ground.credit(live, 1, 0, "first"),
    ];
    let existing = lane.session.writer.existing(&Rows::Credits(credits)).await;
    assert_eq!(existing, Ok(vec![false, true, false]));
    let waiting = ground.import(1).await;
    let sold = ground.import(1).await;
    lane.commit(Rows::Restocks(vec![sold])).await.unwrap();
    let existing = lane
        .session
        .writer
        .existing(&Rows::Restocks(vec![waiting, sold]))
        .await;
    assert_eq!(existing, Ok(vec![false, true]));
}

#[tokio::test]
async fn import_keeps_its_first_number() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    let restock = ground.import(1).await;
    let later = ground.import(1).await;
    lane.commit(Rows::Restocks(vec![restock])).await.unwrap();
    lane.commit(Rows::Restocks(vec![later, restock]))
        .await
        .unwrap();
    let numbers: Vec<Option<i64>> =
        sqlx::query_scalar("SELECT number FROM imports ORDER BY import_id = $1")
            .bind(later.import.uuid())
            .fetch_all(&mut ground.connect().await)
            .await
            .unwrap();
    assert_eq!(numbers, [Some(1), Some(2)]);
}

#[tokio::test]
async fn row_that_came_before_a_failing_commit_is_not_believed() {
    let ground = Ground::new().await;
    let (mut lane, serials) = begun(&ground).await;
    // Fires when the statement has answered already and its transaction is about to commit.
    ground
        .execute(
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS
               $$BEGIN RAISE 'deferred' USING ERRCODE = '23514'; END$$;
             CREATE CONSTRAINT TRIGGER late AFTER INSERT ON batches
               DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION no()",
        )
        .await;
    let before = ground.written().await;
    let order = ground.fulfillment(ground.balances[0], 3, "second", &serials[1..2]);
    let failed = lane.commit(Rows::Fulfillments(vec![order])).await;
    assert_eq!(
        failed,
        Err(Failure::Breach {
            constraint: "unnamed"
        })
    );
    assert_eq!(ground.written().await, before);
}

#[tokio::test]
async fn notice_of_the_server_makes_the_outcome_unknown() {
    let ground = Ground::new().await;
    let (mut lane, serials) = begun(&ground).await;
    // As a cancelled wait for the synchronous standby is reported: a warning, then success.
    ground
        .execute(
            "CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS
               $$BEGIN RAISE WARNING 'canceling wait for synchronous replication'; RETURN NULL; END$$;
             CREATE TRIGGER warn AFTER INSERT ON batches FOR EACH ROW EXECUTE FUNCTION warn()",
        )
        .await;
    let order = ground.fulfillment(ground.balances[0], 3, "second", &serials[1..2]);
    let batch = lane.batch(Rows::Fulfillments(vec![order]));
    assert_eq!(
        lane.session.writer.commit(&batch).await,
        Err(Failure::Unknown)
    );
    // The session is over, and the next one finds what became of the batch.
    assert_eq!(
        lane.session.writer.commit(&batch).await,
        Err(Failure::Unknown)
    );
    assert_eq!(lane.fence_again().await.seq, batch.seq);
}

#[tokio::test]
async fn notice_at_the_start_of_a_session_is_no_notice_of_a_commit() {
    let ground = Ground::new().await;
    // Each session of this database begins with a warning about its collation.
    ground
        .execute("UPDATE pg_database SET datcollversion = '1' WHERE datname = current_database()")
        .await;
    let mut lane = ground.lane().await;
    let credit = ground.credit(ground.balances[0], 1, 100_000, "welcome");
    lane.commit(Rows::Credits(vec![credit])).await.unwrap();
}

#[tokio::test]
async fn session_that_was_ended_leaves_the_outcome_unknown() {
    let ground = Ground::new().await;
    let (mut lane, serials) = begun(&ground).await;
    ground
        .execute("SELECT pg_terminate_backend(backend_pid) FROM lanes")
        .await;
    let order = ground.fulfillment(ground.balances[0], 3, "second", &serials[1..2]);
    let batch = lane.batch(Rows::Fulfillments(vec![order]));
    assert_eq!(
        lane.session.writer.commit(&batch).await,
        Err(Failure::Unknown)
    );
    assert_eq!(lane.fence_again().await.seq, batch.seq - 1);
    let batch = lane.batch(batch.rows);
    assert_eq!(lane.session.writer.commit(&batch).await, Ok(()));
}

#[tokio::test]
async fn cancelled_statement_may_be_sent_again() {
    let ground = Ground::new().await;
    let (mut lane, serials) = begun(&ground).await;
    let mut blocker = ground.connect().await;
    ground.block_batches(&mut blocker).await;
    let order = ground.fulfillment(ground.balances[0], 3, "second", &serials[1..2]);
    let batch = lane.batch(Rows::Fulfillments(vec![order]));
    let cancel = async {
        ground.until_blocked().await;
        ground
            .execute("SELECT pg_cancel_backend(backend_pid) FROM lanes")
            .await;
    };
    let (committed, ()) = tokio::join!(lane.session.writer.commit(&batch), cancel);
    assert_eq!(committed, Err(Failure::Retry));
    drop(blocker);
    assert_eq!(lane.session.writer.commit(&batch).await, Ok(()));
}

#[tokio::test]
async fn answer_that_does_not_come_in_time_is_unknown() {
    let ground = Ground::new().await;
    let (lane, serials) = begun(&ground).await;
    ground.stall_batches().await;
    let mut session = ground.journal().fence(lane.owner, 0).await.unwrap();
    let order = ground.fulfillment(ground.balances[0], 3, "second", &serials[1..2]);
    let mut batch = lane.batch(Rows::Fulfillments(vec![order]));
    batch.fence = session.position.fence;
    // The deadline is over as soon as nothing is left to do but wait.
    tokio::time::pause();
    let committed = session.writer.commit(&batch).await;
    tokio::time::resume();
    assert_eq!(committed, Err(Failure::Unknown));
}

#[tokio::test]
async fn commit_that_is_given_up_ends_its_session() {
    let ground = Ground::new().await;
    let (mut lane, serials) = begun(&ground).await;
    let mut blocker = ground.connect().await;
    ground.block_batches(&mut blocker).await;
    let order = ground.fulfillment(ground.balances[0], 3, "second", &serials[1..2]);
    let batch = lane.batch(Rows::Fulfillments(vec![order]));
    tokio::select! {
        biased;
        _ = lane.session.writer.commit(&batch) => panic!("the batch is blocked"),
        () = ground.until_blocked() => {}
    }
    assert_eq!(
        lane.session.writer.commit(&batch).await,
        Err(Failure::Unknown)
    );
    drop(blocker);
    // The abandoned statement still ran to its end on the server; the fence waited for it.
    assert_eq!(lane.fence_again().await.seq, batch.seq);
}
