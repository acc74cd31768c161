//! Two processes that want the same shard.

use std::time::Duration;

use engine::journal::{Failure, Journal, Rows};
use persistence::journal::{clear_halt, find_halt};
use sqlx::Connection;

use crate::ground::Ground;

#[tokio::test]
async fn next_owner_waits_for_the_lock_and_fences_the_last_one() {
    let ground = Ground::new().await;
    let (journal, first, second) = (ground.journal(), ground.owner(), ground.owner());
    let mut lease = journal.take_over(first, 2).await.unwrap();
    let mut session = journal.fence(first, 1).await.unwrap();
    lease.heartbeat().await.unwrap();
    let release = async {
        ground.until_polled().await;
        lease.release().await;
    };
    let (next, ()) = tokio::join!(journal.take_over(second, 2), release);
    let next = next.unwrap();
    let credit = Rows::Credits(vec![ground.credit(ground.balances[0], 1, 100_000, "late")]);
    let batch = engine::journal::Batch {
        lane: 1,
        owner: first,
        fence: session.position.fence,
        seq: session.position.seq + 1,
        rows: credit,
    };
    assert_eq!(session.writer.commit(&batch).await, Err(Failure::Fenced));
    let fences: Vec<_> = next
        .positions()
        .iter()
        .map(|lane| (lane.lane, lane.fence))
        .collect();
    assert_eq!(fences, [(0, 2), (1, 3)]);
    let epochs: Vec<i64> = sqlx::query_scalar("SELECT epoch FROM ownership_log ORDER BY epoch")
        .fetch_all(&mut ground.connect().await)
        .await
        .unwrap();
    assert_eq!(epochs, [1, 2]);
}

#[tokio::test]
async fn halted_shard_is_taken_over_by_nobody_until_it_is_cleared() {
    let ground = Ground::new().await;
    let (journal, db) = (ground.journal(), &ground.db);
    assert_eq!(find_halt(db).await.unwrap(), None);
    let lease = journal.take_over(ground.owner(), 1).await.unwrap();
    journal.halt("lane 0 is at 4").await.unwrap();
    journal.halt("something later").await.unwrap();
    lease.release().await;
    let refused = journal.take_over(ground.owner(), 1).await;
    let refused = refused.map(drop).unwrap_err();
    assert!(!refused.passing && refused.message.contains("lane 0 is at 4"));
    let cleared = clear_halt(db).await.unwrap().unwrap();
    assert_eq!(cleared.halted_because, "lane 0 is at 4");
    assert!(journal.take_over(ground.owner(), 1).await.is_ok());
}

#[tokio::test]
async fn owner_is_known_from_its_takeover_on_unless_the_record_of_it_is_gone() {
    let ground = Ground::new().await;
    let (journal, owner) = (ground.journal(), ground.owner());
    assert!(!journal.knows(owner).await.unwrap());
    let lease = journal.take_over(owner, 1).await.unwrap();
    lease.release().await;
    let next = journal.take_over(ground.owner(), 1).await.unwrap();
    assert!(journal.knows(owner).await.unwrap());
    ground
        .execute("DELETE FROM ownership_log WHERE epoch = 1")
        .await;
    assert!(!journal.knows(owner).await.unwrap());
    next.release().await;
}

#[tokio::test]
async fn of_two_that_start_at_once_one_owns_and_one_waits() {
    let ground = Ground::new().await;
    let (journal, first, second) = (ground.journal(), ground.owner(), ground.owner());
    let ends = |owner| {
        let journal = journal.clone();
        async move {
            let lease = journal.take_over(owner, 1).await.unwrap();
            // Whoever has the shard can write until it gives the shard up.
            let session = journal.fence(owner, 0).await.unwrap();
            lease.release().await;
            session.position.fence
        }
    };
    let (one, other) = tokio::join!(ends(first), ends(second));
    assert_eq!([one.min(other), one.max(other)], [2, 4]);
}

#[tokio::test]
async fn owner_without_heartbeat_is_ended_and_learns_of_it() {
    let ground = Ground::new().await;
    let (first, second) = (ground.owner(), ground.owner());
    let mut lease = ground.journal().take_over(first, 1).await.unwrap();
    let hasty = ground
        .journal()
        .with_silence_max(Duration::from_millis(200));
    let next = hasty.take_over(second, 1).await.unwrap();
    // Its session is gone, and the lock is another's.
    assert!(lease.heartbeat().await.unwrap_err().passing);
    assert!(lease.heartbeat().await.unwrap_err().passing);
    next.release().await;
    // The server gives the lock back some time after the session was closed.
    ground
        .until(
            "SELECT NOT EXISTS (
               SELECT FROM pg_locks WHERE locktype = 'advisory'
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
        )
        .await;
    assert!(!lease.heartbeat().await.unwrap_err().passing);
}

#[tokio::test]
async fn heartbeat_that_is_given_up_does_not_give_the_lock_away() {
    let ground = Ground::new().await;
    let mut lease = ground.journal().take_over(ground.owner(), 1).await.unwrap();
    let session = lock_holder(&ground).await;
    let mut slow = ground.connect().await;
    let hold = "BEGIN; UPDATE shards SET epoch = epoch";
    sqlx::raw_sql(hold).execute(&mut slow).await.unwrap();
    tokio::select! {
        biased;
        _ = lease.heartbeat() => panic!("the shard's row is locked"),
        () = ground.until_blocked() => {}
    }
    sqlx::raw_sql("COMMIT").execute(&mut slow).await.unwrap();
    lease.heartbeat().await.unwrap();
    assert_eq!(lock_holder(&ground).await, session);
}

/// The server's number for the session that holds the shard's lock.
async fn lock_holder(ground: &Ground) -> i32 {
    sqlx::query_scalar(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .fetch_one(&mut ground.connect().await)
    .await
    .unwrap()
}

#[tokio::test]
async fn owner_that_lost_only_its_own_connection_locks_again() {
    let ground = Ground::new().await;
    let mut lease = ground.journal().take_over(ground.owner(), 1).await.unwrap();
    let mut lane = ground.connect().await;
    sqlx::query("SELECT pg_terminate_backend(backend_pid) FROM shards")
        .execute(&mut lane)
        .await
        .unwrap();
    lane.close().await.unwrap();
    assert!(lease.heartbeat().await.unwrap_err().passing);
    lease.heartbeat().await.unwrap();
}

#[tokio::test]
async fn takeover_fences_lanes_that_are_not_used_any_more() {
    let ground = Ground::new().await;
    let (journal, owner) = (ground.journal(), ground.owner());
    journal.take_over(owner, 3).await.unwrap().release().await;
    let lease = journal.take_over(ground.owner(), 1).await.unwrap();
    let fences: Vec<_> = lease
        .positions()
        .iter()
        .map(|lane| (lane.lane, lane.fence))
        .collect();
    assert_eq!(fences, [(0, 2), (1, 2), (2, 2)]);
}

#[tokio::test]
async fn takeover_ends_a_session_that_holds_a_lane() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    ground.stall_batches().await;
    let credit = Rows::Credits(vec![ground.credit(ground.balances[0], 1, 100_000, "stuck")]);
    let batch = lane.batch(credit);
    let (journal, next) = (lane.journal.clone(), ground.owner());
    let take_over = async {
        ground.until_stalled().await;
        ground
            .execute("SELECT pg_terminate_backend(backend_pid) FROM shards")
            .await;
        journal.take_over(next, 1).await
    };
    let (committed, taken) = tokio::join!(lane.session.writer.commit(&batch), take_over);
    assert_eq!(committed, Err(Failure::Unknown));
    assert_eq!(taken.unwrap().positions()[0].seq, 0);
}

#[tokio::test]
async fn database_without_a_promised_constraint_is_not_owned() {
    let ground = Ground::new().await;
    ground
        .execute(
            "ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_balance_id_kind_reference_key",
        )
        .await;
    let refused = ground
        .journal()
        .take_over(ground.owner(), 1)
        .await
        .err()
        .unwrap();
    assert!(!refused.passing);
    let named = "ledger_entries_balance_id_kind_reference_key";
    assert!(refused.message.contains(named), "{}", refused.message);
}
