//! Reads the shelf, and proves that what it read opens; counts what is behind that, where it matters.

use std::{sync::Arc, time::Duration};

use actix::Addr;
use tokio::{runtime::Handle, time::timeout};
use tokio_util::task::TaskTracker;

use super::{
    InventoryActor, Position, Source,
    beyond::Beyond,
    messages::{Fetched, Window},
    pool::Wanted,
};
use crate::{actors::ask::tell, catalog::Sku, fault::Fault, metrics, vault::MerchantKey};

/// Tells the actor what was read when it is dropped, so that a reading that panics is one that failed:
/// claims wait for it.
struct Report {
    actor: Addr<InventoryActor>,
    restocks: u64,
    read: Result<Window, Fault>,
}

impl Drop for Report {
    fn drop(&mut self) {
        let read = std::mem::replace(&mut self.read, Err(Fault::Unavailable));
        let restocks = self.restocks;
        tell(&self.actor, Fetched { read, restocks });
    }
}

/// What a reading of one shelf needs.
#[derive(Clone)]
pub(crate) struct Fetch {
    pub(crate) sku: Sku,
    pub(crate) key: MerchantKey,
    pub(crate) source: Arc<dyn Source>,
    pub(crate) deadline: Duration,
    pub(crate) runtime: Handle,
    pub(crate) tasks: TaskTracker,
}

impl Fetch {
    /// Looks at so much after the position, in a task of its own, and tells the actor.
    pub(crate) fn start(
        &self,
        after: Option<Position>,
        wanted: Wanted,
        restocks: u64,
        actor: Addr<InventoryActor>,
    ) {
        let fetch = self.clone();
        let mut report = Report {
            actor,
            restocks,
            read: Err(Fault::Unavailable),
        };
        let reading = async move {
            if let Ok(read) = timeout(fetch.deadline, fetch.read(after, wanted)).await {
                report.read = read;
            }
            drop(report);
        };
        self.tasks.spawn_on(reading, &self.runtime);
    }

    async fn read(&self, after: Option<Position>, wanted: Wanted) -> Result<Window, Fault> {
        let mut serials = Vec::new();
        if wanted.serials > 0 {
            serials = self.source.fetch(self.sku, after, wanted.serials).await?;
        }
        let more = serials.len() == wanted.serials;
        let end = serials.last().map(|serial| serial.position);
        let beyond = if more {
            match self.count(end.or(after), wanted.counted).await {
                // What was read is of use all the same.
                Err(_) if !serials.is_empty() => None,
                counted => counted?,
            }
        } else {
            Some(Beyond::NOTHING)
        };
        let opens = |serial: &super::ShelvedSerial| {
            self.key
                .open_serial(serial.position.serial, &serial.sealed)
                .is_ok()
                || crate::sabotage::breaks("serve_unopened")
        };
        let closed: Vec<_> = serials.extract_if(.., |serial| !opens(serial)).collect();
        let window = Window {
            serials,
            end,
            closed: closed.len(),
            beyond,
        };
        for serial in closed {
            metrics::violation("serial_does_not_open");
            tracing::error!(sku = %self.sku, serial = %serial.position.serial, "quarantined");
            self.source.quarantine(serial.position.serial).await?;
        }
        Ok(window)
    }

    async fn count(&self, after: Option<Position>, most: usize) -> Result<Option<Beyond>, Fault> {
        if most == 0 {
            return Ok(None);
        }
        let counting = self.source.count_to(self.sku, after, most);
        let counted = timeout(self.deadline / 2, counting).await;
        let counted = counted.map_err(|_| Fault::Unavailable)??;
        Ok(Some(Beyond::counted(counted, counted < most)))
    }
}
