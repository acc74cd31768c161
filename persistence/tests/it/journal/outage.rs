//! Servers that crash, or stop to wait for their standby, in the middle of a commit.

use std::path::PathBuf;

use engine::journal::{Failure, Rows};
use persistence::{
    Error,
    embedded::{Cluster, Fetch, Options},
    journal::clear_halt,
};
use sqlx::PgConnection;

use crate::ground::Ground;

/// A server of one test, deleted with it.
struct Server {
    cluster: Cluster,
    directory: PathBuf,
}

impl Server {
    async fn start(name: &str) -> Self {
        let name = format!("consign-journal-{}-{name}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir(&directory).unwrap();
        let mut options = Options::new(directory.join("state")).with("shared_buffers", "32MB");
        options.fetch = Fetch::Never;
        Self {
            cluster: Cluster::start(&options).await.unwrap(),
            directory,
        }
    }

    async fn end(self) {
        self.cluster.destroy().await.unwrap();
        std::fs::remove_dir_all(self.directory).unwrap();
    }
}

#[tokio::test]
async fn cancelled_wait_for_the_standby_is_no_success() {
    let server = Server::start("standby").await;
    let ground = Ground::on(&server.cluster).await;
    let mut lane = ground.lane().await;
    let mut operator = ground.connect().await;
    set_standby(
        &mut operator,
        "ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
    )
    .await;
    until_commits_wait(&ground).await;
    let credit = Rows::Credits(vec![ground.credit(ground.balances[0], 1, 100_000, "waits")]);
    let batch = lane.batch(credit);
    let cancel = async {
        ground
            .until(
                "SELECT COUNT(*) = 1 FROM pg_stat_activity JOIN lanes ON pid = lanes.backend_pid
                 WHERE wait_event = 'SyncRep'",
            )
            .await;
        sqlx::query("SELECT pg_cancel_backend(backend_pid) FROM lanes")
            .execute(&mut operator)
            .await
            .unwrap();
    };
    let (committed, ()) = tokio::join!(lane.session.writer.commit(&batch), cancel);
    assert_eq!(committed, Err(Failure::Unknown));
    set_standby(
        &mut operator,
        "ALTER SYSTEM RESET synchronous_standby_names",
    )
    .await;
    assert_eq!(lane.fence_again().await.seq, batch.seq);
    drop((lane, operator));
    ground.db.close().await;
    server.end().await;
}

#[tokio::test]
async fn cold_change_is_unknown_after_a_cancelled_wait_for_the_standby() {
    let server = Server::start("cold").await;
    let ground = Ground::on(&server.cluster).await;
    let mut operator = ground.connect().await;
    set_standby(
        &mut operator,
        "ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
    )
    .await;
    until_commits_wait(&ground).await;
    let cancel = async {
        ground
            .until(
                "SELECT COUNT(*) = 1 FROM pg_stat_activity
                 WHERE wait_event = 'SyncRep' AND query = 'COMMIT'",
            )
            .await;
        sqlx::query(
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity
             WHERE wait_event = 'SyncRep' AND query = 'COMMIT'",
        )
        .execute(&mut operator)
        .await
        .unwrap();
    };
    let (changed, ()) = tokio::join!(clear_halt(&ground.db), cancel);
    assert!(matches!(changed, Err(Error::Unknown { .. })), "{changed:?}");
    set_standby(
        &mut operator,
        "ALTER SYSTEM RESET synchronous_standby_names",
    )
    .await;
    drop(operator);
    ground.db.close().await;
    server.end().await;
}

/// The server takes a changed setting over when it gets to it: until then nobody waits.
async fn until_commits_wait(ground: &Ground) {
    let mut committing = ground.connect().await;
    let commits = async {
        loop {
            sqlx::query("SELECT pg_logical_emit_message(true, 'probe', '')")
                .execute(&mut committing)
                .await
                .unwrap();
        }
    };
    let waits = "SELECT COUNT(*) = 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    tokio::select! {
        () = commits => {}
        () = ground.until(waits) => {}
    }
}

async fn set_standby(operator: &mut PgConnection, statement: &'static str) {
    sqlx::query(statement)
        .execute(&mut *operator)
        .await
        .unwrap();
    sqlx::query("SELECT pg_reload_conf()")
        .execute(operator)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_committed_before_a_crash_is_there_and_the_rest_never() {
    let server = Server::start("crash").await;
    let ground = Ground::on(&server.cluster).await;
    let mut lane = ground.lane().await;
    let credit = |version, reference: &str| {
        let after = version * 100_000;
        Rows::Credits(vec![ground.credit(
            ground.balances[0],
            version,
            after,
            reference,
        )])
    };
    lane.commit(credit(1, "before")).await.unwrap();
    ground.stall_batches().await;
    let batch = lane.batch(credit(2, "during"));
    let crash = async {
        ground.until_stalled().await;
        server.cluster.crash().await.unwrap();
    };
    let (committed, ()) = tokio::join!(lane.session.writer.commit(&batch), crash);
    assert_eq!(committed, Err(Failure::Unknown));
    server.cluster.resume().await.unwrap();
    ground.execute("DROP TRIGGER stall ON batches").await;
    assert_eq!(lane.fence_again().await.seq, batch.seq - 1);
    assert_eq!(ground.written().await, (1, 1, 0, 1));
    lane.commit(credit(2, "during")).await.unwrap();
    drop(lane);
    ground.db.close().await;
    server.end().await;
}
