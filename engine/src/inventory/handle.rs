//! What others hold of an inventory's actor, and how one comes to life.

use std::sync::Arc;

use actix::Actor;
use tokio::runtime;
use tokio_util::task::TaskTracker;

use super::{
    InventoryActor, Source,
    fetch::Fetch,
    pool::{Pool, WindowBytes},
    reservations::Reservations,
};
use crate::{
    actors::{Arbiters, Handle, Latch, Registry},
    catalog::Sku,
    config::{Config, ms},
    fault::Fault,
    vault::MerchantKey,
};

/// One incarnation of an inventory's actor.
pub(crate) type InventoryHandle = Handle<InventoryActor>;

/// All shelves that are in memory.
pub(crate) struct Inventory {
    pub(crate) registry: Registry<Sku, InventoryHandle>,
    pub(crate) source: Arc<dyn Source>,
    arbiters: Arc<Arbiters>,
    runtime: runtime::Handle,
    tasks: TaskTracker,
    window_bytes: Arc<WindowBytes>,
    config: Config,
}

impl Inventory {
    pub(crate) fn new(
        registry: Registry<Sku, InventoryHandle>,
        source: Arc<dyn Source>,
        arbiters: Arc<Arbiters>,
        tasks: TaskTracker,
        config: &Config,
    ) -> Self {
        let runtime = runtime::Handle::current();
        Self {
            registry,
            source,
            arbiters,
            runtime,
            tasks,
            window_bytes: Arc::new(WindowBytes::new(config.windows_bytes_max)),
            config: config.clone(),
        }
    }

    /// The sku's actor, loaded if need be: it begins with what is reserved. Its first reading begins with
    /// the first claim.
    pub(crate) async fn handle(
        &self,
        sku: Sku,
        key: &MerchantKey,
    ) -> Result<InventoryHandle, Fault> {
        self.registry
            .resolve(sku, async |generation| {
                let reserved = Reservations::stored(self.source.reserved(sku).await?);
                Ok(self.start(sku, generation, key, reserved))
            })
            .await
    }

    fn start(
        &self,
        sku: Sku,
        generation: u64,
        key: &MerchantKey,
        reserved: Reservations,
    ) -> InventoryHandle {
        let latch = Arc::new(Latch::default());
        let pool = Pool::new(
            self.config.window_serials_min,
            self.config.window_serials_max,
        )
        .within(self.config.window_bytes_max, Arc::clone(&self.window_bytes))
        .reserving(reserved);
        let fetch = Fetch {
            sku,
            key: key.clone(),
            source: Arc::clone(&self.source),
            deadline: ms(self.config.claim_deadline_ms),
            runtime: self.runtime.clone(),
            tasks: self.tasks.clone(),
        };
        let new = InventoryActor::new(pool, fetch, Arc::clone(&latch));
        let arbiter = self.arbiters.of(sku);
        let actor = InventoryActor::start_in_arbiter(arbiter, |_| new);
        InventoryHandle::new(actor, generation, latch)
    }
}
