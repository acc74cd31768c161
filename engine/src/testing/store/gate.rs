//! Where calls of the store wait as long as a test wants them to.

use tokio::sync::watch;

/// Where calls wait while it is shut.
pub(super) struct Gate {
    pub(super) shut: watch::Sender<bool>,
    waiting: watch::Sender<usize>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            shut: watch::Sender::new(false),
            waiting: watch::Sender::new(0),
        }
    }
}

impl Gate {
    pub(super) async fn pass(&self) {
        let mut shut = self.shut.subscribe();
        self.waiting.send_modify(|waiting| *waiting += 1);
        // The sender lives as long as `self`.
        drop(shut.wait_for(|shut| !shut).await);
        self.waiting.send_modify(|waiting| *waiting -= 1);
    }

    pub(super) async fn reached(&self) {
        drop(
            self.waiting
                .subscribe()
                .wait_for(|waiting| *waiting > 0)
                .await,
        );
    }
}
