//! The journal of one process on such a storage.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::time::sleep;

use super::storage::{Act, FENCES, Line, READS, STEP};
use crate::{
    balances::EntryKind,
    fault::Fault,
    ids::BalanceId,
    journal::{
        Batch, Failure, FenceFailure, Journal, LanePosition, Lease, OpenFailure, Owner, Rows,
        Session, Writer,
    },
    testing::{EntryRow, FindEntry},
};

impl Journal for Line {
    fn take_over(
        &self,
        owner: Owner,
        lanes: u16,
    ) -> BoxFuture<'_, Result<Box<dyn Lease>, OpenFailure>> {
        Box::pin(async move {
            self.storage.land(true);
            if let Some(because) = self.storage.store.tables().halted.clone() {
                return Err(OpenFailure {
                    passing: false,
                    message: format!("the shard is halted: {because}"),
                });
            }
            let positions = self.storage.store.tables().take_over(owner, lanes);
            self.storage.land(false);
            self.storage.owners.send_modify(|owners| *owners += 1);
            let lease: Box<dyn Lease> = Box::new(LineLease {
                line: self.clone(),
                owner,
                positions,
            });
            Ok(lease)
        })
    }

    fn halt<'a>(&'a self, because: &'a str) -> BoxFuture<'a, Result<(), OpenFailure>> {
        Box::pin(async move {
            self.storage.store.tables().halted = Some(because.to_owned());
            Ok(())
        })
    }

    fn knows(&self, owner: Owner) -> BoxFuture<'_, Result<bool, OpenFailure>> {
        Box::pin(async move { Ok(self.storage.store.tables().owners.contains(&owner)) })
    }

    fn fence(&self, owner: Owner, lane: u16) -> BoxFuture<'_, Result<Session, FenceFailure>> {
        Box::pin(async move {
            sleep(STEP).await;
            if !self.is_alive() {
                return Err(FenceFailure::Disowned);
            }
            match self.storage.act(FENCES) {
                Act::Replaced => self.storage.replaced().await,
                Act::DiesBefore => {
                    self.die();
                    return Err(FenceFailure::Disowned);
                }
                Act::DiesAfter => {
                    let _unheard = self.raise(owner, lane);
                    self.die();
                    return Err(FenceFailure::Disowned);
                }
                Act::RaisedUnheard => {
                    let _unheard = self.raise(owner, lane);
                    return Err(FenceFailure::Unavailable);
                }
                Act::Unavailable => return Err(FenceFailure::Unavailable),
                Act::Well
                | Act::Conflict
                | Act::Full
                | Act::LastRefused
                | Act::LastBreaches
                | Act::AnswerLost
                | Act::LandsBeforeFence
                | Act::LandsAfterFence => {}
            }
            Ok(Session {
                position: self.raise(owner, lane)?,
                writer: Box::new(LineWriter(self.clone())),
                reader: Arc::new(LineReader(self.clone())),
            })
        })
    }
}

impl Line {
    fn raise(&self, owner: Owner, lane: u16) -> Result<LanePosition, FenceFailure> {
        self.storage.land(true);
        let position = self.storage.store.tables().fence(owner, lane);
        let position = position.ok_or(FenceFailure::Disowned)?;
        self.storage.land(false);
        Ok(position)
    }

    /// Whether a read is answered.
    async fn answers(&self) -> bool {
        sleep(STEP).await;
        let act = if self.is_alive() {
            self.storage.act(READS)
        } else {
            Act::AnswerLost
        };
        if act == Act::DiesBefore {
            self.die();
        }
        act == Act::Well
    }
}

struct LineLease {
    line: Line,
    owner: Owner,
    positions: Vec<LanePosition>,
}

impl Lease for LineLease {
    fn positions(&self) -> &[LanePosition] {
        &self.positions
    }

    fn heartbeat(&mut self) -> BoxFuture<'_, Result<(), OpenFailure>> {
        Box::pin(async move {
            let tables = self.line.storage.store.tables();
            let ours = tables
                .lanes
                .values()
                .all(|row| row.owner == Some(self.owner));
            if ours && self.line.is_alive() {
                return Ok(());
            }
            Err(OpenFailure {
                passing: false,
                message: "another owner has the shard".to_owned(),
            })
        })
    }

    fn release(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move { drop(self) })
    }
}

struct LineWriter(Line);

impl Writer for LineWriter {
    fn commit<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.0.commit(batch))
    }

    fn existing<'a>(&'a mut self, rows: &'a Rows) -> BoxFuture<'a, Result<Vec<bool>, Failure>> {
        Box::pin(async move {
            if !self.0.answers().await {
                return Err(Failure::Unknown);
            }
            Ok(self.0.storage.store.tables().existing(rows))
        })
    }
}

struct LineReader(Line);

impl FindEntry for LineReader {
    async fn find(
        &self,
        balance: BalanceId,
        kind: EntryKind,
        reference: &str,
    ) -> Result<Option<EntryRow>, Fault> {
        if !self.0.answers().await {
            return Err(Fault::Unavailable);
        }
        let tables = self.0.storage.store.tables();
        Ok(tables.find(balance, kind, reference).cloned())
    }
}
