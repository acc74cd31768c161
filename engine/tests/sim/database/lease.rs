//! Who owns the shard: the session lock, the heartbeat, and the end of a silent owner.

use std::{sync::Arc, time::Duration};

use engine::{
    clock::instant,
    journal::{LanePosition, Lease, OpenFailure, Owner},
};
use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;

use super::{Database, LOCK_TIMEOUT, Link, lock, timely};
use crate::{
    power::Dead,
    tally::{Call, Kind, Sometimes},
};

/// After how long without a heartbeat an owner is taken for frozen.
const SILENCE_MAX: Duration = Duration::from_secs(6);
/// How often a waiting process tries the lock.
const POLL: Duration = Duration::from_millis(250);

/// The session lock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    owner: Owner,
    beat: Instant,
}

pub(super) fn refused(message: &str) -> OpenFailure {
    let (passing, message) = (false, message.to_owned());
    OpenFailure { passing, message }
}

fn passing(message: &str) -> OpenFailure {
    let (passing, message) = (true, message.to_owned());
    OpenFailure { passing, message }
}

impl From<Dead> for OpenFailure {
    fn from(_: Dead) -> Self {
        refused("the process is dead")
    }
}

impl Link {
    pub(super) async fn take_over(
        &self,
        owner: Owner,
        lanes: u16,
    ) -> Result<Box<dyn Lease>, OpenFailure> {
        self.power.gate(Call::TakeOver).await?;
        // The server misses the session of a dead process at once: its socket is closed.
        let (db, power) = (Arc::clone(&self.db), Arc::clone(&self.power));
        TaskTracker::new().spawn(async move {
            power.died().await;
            db.unlock(owner);
        });
        self.power
            .alive(Call::TakeOver, self.db.locked_by(owner))
            .await?;
        let mut lease = LinkLease {
            link: self.clone(),
            owner,
            positions: Vec::new(),
        };
        self.power
            .alive(Call::TakeOver, self.db.rows_locked(lanes))
            .await??;
        if let Some(because) = self.db.tables().halted.clone() {
            return Err(refused(&format!("the shard is halted: {because}")));
        }
        self.weather().event("takeover", || format!("{owner:?}"));
        lease.positions = self.db.tables().take_over(owner, lanes);
        self.power.owns(owner);
        lock(&self.db.owners).push((owner, instant()));
        self.power.gate(Call::TakeOver).await?;
        Ok(Box::new(lease))
    }
}

impl Database {
    /// Waits for the lock, and ends an owner that was silent for too long.
    async fn locked_by(&self, owner: Owner) {
        loop {
            if self.is_up() {
                let mut lease = self.locked_lease();
                let silent = lease.is_some_and(|held| instant() - held.beat > SILENCE_MAX);
                if silent {
                    self.weather.reached(Sometimes::SilentOwnerEnded);
                }
                if silent || lease.is_none() {
                    let beat = instant();
                    *lease = Some(Held { owner, beat });
                    return;
                }
            }
            sleep(POLL).await;
        }
    }

    fn unlock(&self, owner: Owner) {
        let mut lease = self.locked_lease();
        if lease.is_some_and(|held| held.owner == owner) {
            *lease = None;
        }
    }

    /// For how long another owner has had the shard that this one took over.
    pub(crate) fn replaced_for(&self, owner: Owner) -> Option<Duration> {
        let owners = lock(&self.owners);
        let place = owners.iter().position(|(known, _)| *known == owner)?;
        owners.get(place + 1).map(|(_, since)| instant() - *since)
    }

    /// Has every lane's row for a moment, and what was flushed under any of them replicated.
    async fn rows_locked(&self, lanes: u16) -> Result<(), OpenFailure> {
        for lane in 0..self.rows.len() {
            let lane = u16::try_from(lane).expect("few lanes");
            let row = self.row(lane);
            if lane < lanes && row.try_lock().is_err() {
                self.weather.reached(Sometimes::TakeoverInFlight);
            }
            while timeout(LOCK_TIMEOUT, row.lock()).await.is_err() {
                self.terminate(lane);
            }
        }
        let replicated = timely(self.replicated()).await;
        let there = replicated.is_some() && self.is_up();
        there.then_some(()).ok_or_else(|| passing("no answer"))
    }
}

struct LinkLease {
    link: Link,
    owner: Owner,
    positions: Vec<LanePosition>,
}

impl LinkLease {
    async fn beat(&self) -> Result<(), OpenFailure> {
        let (link, db) = (&self.link, &self.link.db);
        link.power.gate(Call::Beat).await?;
        link.power.alive(Call::Beat, link.latency()).await?;
        if !db.is_up() || link.weather().strikes(Kind::HeartbeatLost, 100) {
            return Err(passing("no connection"));
        }
        if link.weather().strikes(Kind::LockLost, 40) {
            self.unlock();
            return Err(passing("the connection was lost"));
        }
        if link
            .power
            .alive(Call::Beat, timely(db.replicated()))
            .await?
            .is_none()
        {
            return Err(passing("no answer"));
        }
        {
            let mut lease = db.locked_lease();
            match *lease {
                Some(held) if held.owner != self.owner => {
                    return Err(passing("the lock is held by another session"));
                }
                Some(_) | None => {
                    let (owner, beat) = (self.owner, instant());
                    *lease = Some(Held { owner, beat });
                }
            }
        }
        let ours = {
            let tables = db.tables();
            tables
                .lanes
                .values()
                .all(|row| row.owner == Some(self.owner))
        };
        link.power.gate(Call::Beat).await?;
        if ours {
            return Ok(());
        }
        self.unlock();
        Err(refused("another process has taken the shard over"))
    }

    fn unlock(&self) {
        self.link.db.unlock(self.owner);
    }
}

impl Lease for LinkLease {
    fn positions(&self) -> &[LanePosition] {
        &self.positions
    }

    fn heartbeat(&mut self) -> BoxFuture<'_, Result<(), OpenFailure>> {
        Box::pin(self.beat())
    }

    fn release(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move { drop(self) })
    }
}

// The lock goes with its session.
impl Drop for LinkLease {
    fn drop(&mut self) {
        self.unlock();
    }
}
