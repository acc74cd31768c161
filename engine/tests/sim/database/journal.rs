//! A lane's connections, and everything that can happen to them.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use engine::{
    balances::EntryKind,
    fault::Fault,
    ids::BalanceId,
    journal::{
        Batch, Failure, FenceFailure, Journal, LanePosition, Lease, OpenFailure, Owner, Rows,
        Session, Writer,
    },
    testing::{EntryRow, FindEntry},
};
use futures_util::future::BoxFuture;
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;

use super::{LOCK_TIMEOUT, Link, lock, statement::Course, timely};
use crate::{
    power::Dead,
    tally::{Call, Kind, Sometimes},
};

/// How often the lane's row is asked for before a fence gives up.
const FENCE_ATTEMPTS: u32 = 3;

impl Journal for Link {
    fn take_over(
        &self,
        owner: Owner,
        lanes: u16,
    ) -> BoxFuture<'_, Result<Box<dyn Lease>, OpenFailure>> {
        Box::pin(self.take_over(owner, lanes))
    }

    fn halt<'a>(&'a self, because: &'a str) -> BoxFuture<'a, Result<(), OpenFailure>> {
        Box::pin(async move {
            self.power.gate(Call::Fence).await?;
            self.db.tables().halted = Some(because.to_owned());
            Ok(())
        })
    }

    fn knows(&self, owner: Owner) -> BoxFuture<'_, Result<bool, OpenFailure>> {
        Box::pin(async move {
            self.power.gate(Call::Fence).await?;
            Ok(self.db.tables().owners.contains(&owner))
        })
    }

    fn fence(&self, owner: Owner, lane: u16) -> BoxFuture<'_, Result<Session, FenceFailure>> {
        Box::pin(async move {
            let fenced = self.power.alive(Call::Fence, self.raise(owner, lane)).await;
            let position = fenced.unwrap_or(Err(FenceFailure::Disowned))?;
            let epoch = *self.db.epoch.borrow();
            let (link, over) = (self.clone(), Arc::new(AtomicBool::new(false)));
            Ok(Session {
                position,
                writer: Box::new(LinkWriter {
                    link: link.clone(),
                    epoch,
                    over: Arc::clone(&over),
                }),
                reader: Arc::new(LinkReader { link, epoch, over }),
            })
        })
    }
}

impl Link {
    async fn raise(&self, owner: Owner, lane: u16) -> Result<LanePosition, FenceFailure> {
        let alive = |_: Dead| FenceFailure::Disowned;
        self.power.gate(Call::Fence).await.map_err(alive)?;
        self.latency().await;
        if !self.db.is_up() || self.weather().strikes(Kind::FenceLost, 150) {
            return Err(FenceFailure::Unavailable);
        }
        let waiting = &self.db.fencing[usize::from(lane)];
        waiting.fetch_add(1, Ordering::Relaxed);
        let raised = self.raise_on_server(owner, lane).await;
        waiting.fetch_sub(1, Ordering::Relaxed);
        self.weather()
            .event("fence", || format!("lane {lane}: {raised:?}"));
        raised
    }

    async fn raise_on_server(&self, owner: Owner, lane: u16) -> Result<LanePosition, FenceFailure> {
        let row = self.db.row(lane);
        for _ in 0..FENCE_ATTEMPTS {
            let Ok(locked) = timeout(LOCK_TIMEOUT, row.lock()).await else {
                self.db.terminate(lane);
                continue;
            };
            if timely(self.db.replicated()).await.is_none() || !self.db.is_up() {
                return Err(FenceFailure::Unavailable);
            }
            if self.weather().strikes(Kind::FenceAnswerLost, 100) {
                drop(locked);
                self.raise_unheard(owner, lane);
                return Err(FenceFailure::Unavailable);
            }
            let position = self.db.tables().fence(owner, lane);
            let position = position.ok_or(FenceFailure::Disowned)?;
            if let Some(seq) = lock(&self.db.unheard).remove(&lane) {
                self.weather().reached(if position.seq == seq {
                    Sometimes::FenceFindsNext
                } else {
                    Sometimes::FenceFindsSame
                });
            }
            return Ok(position);
        }
        Err(FenceFailure::Unavailable)
    }

    /// The fence takes effect, perhaps late: even behind one that was asked for after it.
    fn raise_unheard(&self, owner: Owner, lane: u16) {
        let late = self.weather().dice.percent(20);
        let arrives = if late {
            self.weather().dice.millis(1, 200)
        } else {
            Duration::ZERO
        };
        let (db, row) = (Arc::clone(&self.db), self.db.row(lane));
        TaskTracker::new().spawn(async move {
            sleep(arrives).await;
            let _locked = row.lock().await;
            let raised = db.tables().fence(owner, lane);
            db.weather
                .event("fence", || format!("lane {lane} unheard: {raised:?}"));
            if late && raised.is_some() {
                db.weather.reached(Sometimes::OwnStaleFence);
            }
        });
    }
}

struct LinkWriter {
    link: Link,
    epoch: u64,
    /// The lane has given this session up.
    over: Arc<AtomicBool>,
}

impl Drop for LinkWriter {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// What becomes of the client of a commit.
enum Client {
    Waits,
    LeavesAtOnce,
    LeavesBeforeReply,
    HearsNothing,
}

impl LinkWriter {
    async fn send(&self, batch: &Batch) -> Result<(), Failure> {
        let (link, weather) = (&self.link, self.link.weather());
        let down = !link.db.is_up() || self.epoch != *link.db.epoch.borrow();
        if down || weather.strikes(Kind::ResetBeforeSend, 30) {
            return Err(Failure::Unknown);
        }
        if let Some(failure) = link.db.refuses() {
            return Err(failure);
        }
        let (course, client) = self.course();
        let answer = link.db.run(batch, course);
        match client {
            Client::Waits => answer.await.unwrap_or(Err(Failure::Unknown)),
            Client::LeavesAtOnce => Err(Failure::Unknown),
            Client::LeavesBeforeReply => {
                drop(answer.await);
                Err(Failure::Unknown)
            }
            Client::HearsNothing => {
                drop(answer.await);
                pending().await
            }
        }
    }

    fn course(&self) -> (Course, Client) {
        let weather = self.link.weather();
        let dice = &weather.dice;
        let mut course = Course {
            arrives: dice.latency() / 2,
            executes: dice.latency(),
            cut: true,
            cancelled: false,
        };
        if weather.strikes(Kind::LateStatement, 30) {
            course.arrives = dice.millis(1, 6000);
            return (course, Client::LeavesAtOnce);
        }
        if weather.strikes(Kind::StuckOnRow, 15) {
            course.executes = dice.millis(1000, 20_000);
            return (course, Client::LeavesAtOnce);
        }
        if weather.strikes(Kind::ResetAfterSend, 40) {
            return (course, Client::LeavesAtOnce);
        }
        if weather.strikes(Kind::ResetAfterExecute, 40) {
            return (course, Client::LeavesBeforeReply);
        }
        if weather.strikes(Kind::ReplySwallowed, 15) {
            return (course, Client::HearsNothing);
        }
        if !*self.link.db.standby.borrow() && weather.strikes(Kind::StuckOnStandby, 200) {
            return (course, Client::LeavesAtOnce);
        }
        if !*self.link.db.standby.borrow() && weather.strikes(Kind::StandbyCancelled, 200) {
            course.cancelled = true;
            course.cut = false;
            return (course, Client::Waits);
        }
        course.cut = false;
        if weather.strikes(Kind::SlowCommit, 15) {
            course.executes = dice.millis(4000, 12_000);
        }
        (course, Client::Waits)
    }
}

impl Writer for LinkWriter {
    fn commit<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let power = &self.link.power;
            if power.gate(Call::Commit).await.is_err() {
                return Err(Failure::Unknown);
            }
            lock(&self.link.db.unheard).insert(batch.lane, batch.seq);
            let done = power.alive(Call::Commit, self.send(batch)).await;
            let done = done.unwrap_or(Err(Failure::Unknown));
            if done != Err(Failure::Unknown) {
                lock(&self.link.db.unheard).remove(&batch.lane);
            }
            done
        })
    }

    fn existing<'a>(&'a mut self, rows: &'a Rows) -> BoxFuture<'a, Result<Vec<bool>, Failure>> {
        Box::pin(async move {
            let link = &self.link;
            if link.power.gate(Call::Existing).await.is_err() {
                return Err(Failure::Unknown);
            }
            let asked = link.power.alive(Call::Existing, link.latency()).await;
            let there = link.db.is_up() && self.epoch == *link.db.epoch.borrow();
            if asked.is_err() || !there || link.weather().strikes(Kind::ResetBeforeSend, 30) {
                return Err(Failure::Unknown);
            }
            let existing = link.db.tables().existing(rows);
            if existing.contains(&true) {
                link.weather().reached(Sometimes::RepeatAfterRestart);
            }
            Ok(existing)
        })
    }
}

struct LinkReader {
    link: Link,
    epoch: u64,
    over: Arc<AtomicBool>,
}

impl FindEntry for LinkReader {
    async fn find(
        &self,
        balance: BalanceId,
        kind: EntryKind,
        reference: &str,
    ) -> Result<Option<EntryRow>, Fault> {
        let link = &self.link;
        if self.over.load(Ordering::Relaxed) && link.power.is_on() {
            // What it reads may lie behind or ahead of the fence that its lane waits for.
            link.db
                .breached("C3: a look-up beside the session of its lane");
        }
        let gone = |_: Dead| Fault::Unavailable;
        link.power.gate(Call::LookUp).await.map_err(gone)?;
        link.power
            .alive(Call::LookUp, link.latency())
            .await
            .map_err(gone)?;
        let there = link.db.is_up() && self.epoch == *link.db.epoch.borrow();
        if !there || link.weather().strikes(Kind::ReaderLost, 60) {
            return Err(Fault::Unavailable);
        }
        let found = link.db.tables().find(balance, kind, reference).cloned();
        if found.is_some() {
            link.weather().reached(Sometimes::LookUpFinds);
        }
        link.power
            .alive(Call::LookUp, link.latency())
            .await
            .map_err(gone)?;
        Ok(found)
    }
}
