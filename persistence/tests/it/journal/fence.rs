//! A late commit on either side of the fence.

use engine::journal::{Failure, FenceFailure, Journal, Rows};

use crate::ground::Ground;

#[tokio::test]
async fn commit_that_arrives_after_the_fence_changes_nothing() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    let credit = Rows::Credits(vec![ground.credit(ground.balances[0], 1, 100_000, "late")]);
    let batch = lane.batch(credit);
    let next = lane.journal.fence(lane.owner, 0).await.unwrap();
    assert_eq!(next.position.fence, lane.position.fence + 1);
    assert_eq!(
        lane.session.writer.commit(&batch).await,
        Err(Failure::Fenced)
    );
    assert_eq!(ground.written().await, (0, 0, 0, 0));
}

#[tokio::test]
async fn fence_waits_for_the_commit_that_holds_the_lane() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    let mut blocker = ground.connect().await;
    ground.block_batches(&mut blocker).await;
    let credit = Rows::Credits(vec![ground.credit(ground.balances[0], 1, 100_000, "slow")]);
    let batch = lane.batch(credit);
    let unblock = async {
        ground.until_blocked_twice().await;
        drop(blocker);
    };
    let (committed, fenced, ()) = tokio::join!(
        lane.session.writer.commit(&batch),
        lane.journal.fence(lane.owner, 0),
        unblock
    );
    assert_eq!(committed, Ok(()));
    assert_eq!(fenced.unwrap().position.seq, batch.seq);
}

#[tokio::test]
async fn session_that_holds_the_lane_too_long_is_ended() {
    let ground = Ground::new().await;
    let mut lane = ground.lane().await;
    ground.stall_batches().await;
    let credit = Rows::Credits(vec![ground.credit(ground.balances[0], 1, 100_000, "stuck")]);
    let batch = lane.batch(credit);
    let fence = async {
        ground.until_stalled().await;
        lane.journal.fence(lane.owner, 0).await
    };
    let (committed, fenced) = tokio::join!(lane.session.writer.commit(&batch), fence);
    assert_eq!(committed, Err(Failure::Unknown));
    assert_eq!(fenced.unwrap().position.seq, batch.seq - 1);
    assert_eq!(ground.written().await, (0, 0, 0, 0));
}

#[tokio::test]
async fn stranger_cannot_fence_a_lane() {
    let ground = Ground::new().await;
    let lane = ground.lane().await;
    let fenced = lane.journal.fence(ground.owner(), 0).await;
    assert_eq!(fenced.err(), Some(FenceFailure::Disowned));
    let fenced = lane.journal.fence(lane.owner, 63).await;
    assert_eq!(fenced.err(), Some(FenceFailure::Disowned));
}

#[tokio::test]
async fn lane_is_not_opened_under_settings_that_lose_commits() {
    let ground = Ground::new().await;
    let lane = ground.lane().await;
    ground
        .execute(
            "DO $$BEGIN
               EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database());
             END$$",
        )
        .await;
    let fenced = lane.journal.fence(lane.owner, 0).await;
    assert_eq!(fenced.err(), Some(FenceFailure::Unavailable));
}
