//! What runs beside the requests as long as the engine lives: what is idle is put away, what is stored and
//! what is in memory are compared.

use std::sync::Arc;

use tokio::{sync::watch, time::sleep};

use super::Engine;
use crate::{
    config::ms,
    inventory, metrics, supervise,
    verifier::{self, Verifier},
};

impl Engine {
    /// Puts away what is idle, and keeps the gauges.
    pub(super) async fn sweep(&self, mut ended: watch::Receiver<bool>) {
        let every = ms(self.0.config.idle_ms);
        let fulfiller = &self.0.fulfiller;
        while !*ended.borrow() {
            tokio::select! {
                biased;
                _ = ended.changed() => return,
                () = sleep(every) => {}
            }
            fulfiller.balances.registry.sweep().await;
            fulfiller.inventory.registry.sweep().await;
            inventory::compare(&fulfiller.inventory).await;
            fulfiller.snapshots.sweep();
            self.0.permits.sweep();
        }
    }

    /// Checks what is stored and what is in memory against each other from now on, until the drain.
    pub fn verify(&self, source: Arc<dyn verifier::Source>) {
        let config = &self.0.config;
        if config.verify_every_ms > 0 {
            let (every, entries_max) = (ms(config.verify_every_ms), config.verify_entries_max);
            let fulfiller = Arc::clone(&self.0.fulfiller);
            let ended = self.0.ended.subscribe();
            let verifying = move || {
                Verifier::new(Arc::clone(&fulfiller), Arc::clone(&source), entries_max)
                    .run(every, ended.clone())
            };
            self.0
                .keeper
                .spawn(supervise::restarted("verifier", verifying));
        }
    }

    /// Brings the gauges up to date; called before each scrape.
    pub fn observe(&self) {
        metrics::permits_in_use(self.0.permits.in_use());
        metrics::actors_active("balance", self.0.fulfiller.balances.registry.len());
        metrics::actors_active("inventory", self.0.fulfiller.inventory.registry.len());
    }
}
