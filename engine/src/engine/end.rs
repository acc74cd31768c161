//! Whether the engine serves, and how it ends: in order, or because its shard is another's.

use std::sync::atomic::Ordering;

use tokio::time::timeout;

use super::Engine;
use crate::config::ms;

/// Whether requests can be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    pub owner: bool,
    pub lanes: bool,
    pub draining: bool,
}

impl Engine {
    /// Whether requests can be served.
    pub fn readiness(&self) -> Readiness {
        let lanes = &self.0.fulfiller.lanes;
        Readiness {
            owner: lanes.ownership.is_fresh(),
            lanes: lanes.are_ready(),
            draining: self.0.draining.load(Ordering::Relaxed),
        }
    }

    /// Returns once another process has taken the shard, or its data went back in time: this process
    /// can do nothing any more and should end.
    pub async fn lost(&self) {
        self.0.fulfiller.lanes.ownership.lost().await;
    }

    /// Whether the shard was given up because its data went back in time, or somebody writes beside
    /// this process: nobody may serve it before an operator has looked.
    pub fn is_halted(&self) -> bool {
        self.0.fulfiller.lanes.ownership.is_halted()
    }

    /// Closes admission, lets what runs end, empties the lanes and gives the shard up. What does not
    /// end in time is left to the next owner, as after a crash. Actors live on until [`Engine::stop`]:
    /// whoever reads while the last connections close must not take them for dead.
    pub async fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
        self.0.permits.close();
        let drained = async {
            self.0.tasks.close();
            self.0.tasks.wait().await;
            self.0.fulfiller.lanes.close().await;
        };
        if timeout(ms(self.0.config.drain_ms), drained).await.is_err() {
            tracing::warn!("the drain was cut short");
        }
        // The next owner may sell from here on: what this memory says must not be told any more.
        self.0.fulfiller.lanes.ownership.discard();
        self.0.ended.send_replace(true);
        self.0.keeper.close();
        let kept = timeout(ms(self.0.config.drain_ms), self.0.keeper.wait()).await;
        if kept.is_err() {
            tracing::warn!("something that runs beside requests did not end in time");
        }
    }

    /// Ends the actors; after a drain, once nobody asks any more.
    pub fn stop(&self) {
        self.0.arbiters.stop();
    }
}
