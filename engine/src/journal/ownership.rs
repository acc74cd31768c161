//! Whether this process may still act for its shard.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout},
};

use super::{Lease, Owner};
use crate::{clock, config::HEARTBEAT_EVERY, supervise};

/// The state of this owner, shared by lanes, holds and answers.
#[derive(Debug)]
pub(crate) struct Ownership {
    pub(crate) owner: Owner,
    lost: watch::Sender<bool>,
    halted: AtomicBool,
    discarded: AtomicBool,
    start: Instant,
    /// Milliseconds since `start` of the last heartbeat that was acknowledged.
    beat_ms: AtomicU64,
    /// How many heartbeats were asked for, and the number of the last one that was acknowledged.
    asked: AtomicU64,
    beats: watch::Sender<u64>,
    wanted: Notify,
    beat_age_max: Duration,
}

impl Ownership {
    pub(crate) fn new(owner: Owner, beat_age_max: Duration) -> Arc<Self> {
        let start = clock::instant();
        Arc::new(Self {
            owner,
            lost: watch::Sender::new(false),
            halted: AtomicBool::new(false),
            discarded: AtomicBool::new(false),
            start,
            beat_ms: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            beats: watch::Sender::new(0),
            wanted: Notify::new(),
            beat_age_max,
        })
    }

    /// Another owner has the shard, or its data went back in time: nothing may be executed or told.
    pub(crate) fn lose(&self) {
        if !crate::sabotage::breaks("demoted_keeps_serving") {
            self.lost.send_replace(true);
        }
        self.discard();
    }

    /// What is stored cannot be explained: lost, and for nobody to take over.
    pub(crate) fn halt(&self) {
        self.halted.store(true, Ordering::Release);
        self.lose();
    }

    pub(crate) fn is_halted(&self) -> bool {
        self.halted.load(Ordering::Acquire)
    }

    /// The memory of this engine is given up as it stands, as a crash would.
    pub(crate) fn discard(&self) {
        self.discarded.store(true, Ordering::Release);
    }

    pub(crate) fn is_lost(&self) -> bool {
        *self.lost.borrow()
    }

    pub(crate) fn is_discarded(&self) -> bool {
        self.discarded.load(Ordering::Acquire)
    }

    /// Returns once the shard is lost.
    pub(crate) async fn lost(&self) {
        let mut lost = self.lost.subscribe();
        // The sender lives as long as `self`.
        drop(lost.wait_for(|lost| *lost).await);
    }

    /// Whether a heartbeat was acknowledged lately: only then may what memory says be told.
    pub(crate) fn is_fresh(&self) -> bool {
        if crate::sabotage::breaks("serve_without_heartbeat") {
            return !self.is_discarded();
        }
        let beat = self.start + Duration::from_millis(self.beat_ms.load(Ordering::Acquire));
        !self.is_discarded() && clock::instant() - beat <= self.beat_age_max
    }

    /// Whether this process owns its shard still: asks for a heartbeat, and waits for one that was asked
    /// for since. An owner that was replaced may believe for a while that it is one.
    pub(crate) async fn confirm(&self) -> bool {
        let before = self.asked.load(Ordering::Acquire);
        let mut beats = self.beats.subscribe();
        self.wanted.notify_one();
        let beaten = timeout(self.beat_age_max, beats.wait_for(|beat| *beat > before)).await;
        matches!(beaten, Ok(Ok(_))) && !self.is_lost()
    }

    /// Beats for the shard. Without heartbeats nothing may be told, so a panic gives the shard up.
    pub(crate) async fn kept(self: Arc<Self>, lease: Box<dyn Lease>, ended: watch::Receiver<bool>) {
        let keeping = self.keep(lease, ended);
        if supervise::noticed("heartbeat", keeping).await.is_err() {
            self.lose();
        }
    }

    /// Beats until the shard is lost or the lease is asked back.
    async fn keep(&self, mut lease: Box<dyn Lease>, mut ended: watch::Receiver<bool>) {
        while !*ended.borrow() && !self.is_lost() {
            let number = self.asked.fetch_add(1, Ordering::AcqRel) + 1;
            let asked = clock::instant();
            match timeout(self.beat_age_max, lease.heartbeat()).await {
                Ok(Ok(())) => {
                    let age = u64::try_from((asked - self.start).as_millis()).unwrap_or(u64::MAX);
                    self.beat_ms.store(age, Ordering::Release);
                    self.beats.send_replace(number);
                }
                Ok(Err(failure)) if !failure.passing => {
                    tracing::error!(%failure, "the lease is lost");
                    self.lose();
                }
                Ok(Err(failure)) => tracing::warn!(%failure, "a heartbeat failed"),
                Err(_) => tracing::warn!("a heartbeat was not answered"),
            }
            tokio::select! {
                biased;
                _ = ended.changed() => {}
                () = self.wanted.notified() => {}
                () = sleep(HEARTBEAT_EVERY) => {}
            }
        }
        lease.release().await;
    }
}
