//! The connection of a lane that answers refusals and repeated calls.
//!
//! Keeps: what it reads is never ahead of the lane's fence, because it was opened before the fence was
//! raised and is never opened again: once it is lost, every look-up fails, and the writer fails with
//! it, so that the lane is fenced anew. The connection belongs to a task; a caller that stops waiting
//! leaves nothing half read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use engine::{
    balances::{CreditEntry, EntryKind},
    fault::Fault,
    fulfillments::{Fulfillment, OrderId},
    ids::BalanceId,
    journal::Reader,
};
use futures_util::future::BoxFuture;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::connection::LaneConnection;
use crate::{Error, fulfillments::source};

/// Look-ups that may wait for the connection; the engine's permits are the bound before this one.
const WAITING_MAX: usize = 1024;

/// Whether a lane's reader still has its connection.
#[derive(Debug, Clone)]
pub(super) struct Health(Arc<AtomicBool>);

impl Health {
    fn new() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    pub(super) fn is_well(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn lose(&self) {
        self.0.store(false, Ordering::Release);
    }
}

enum LookUp {
    Fulfillment(
        BalanceId,
        OrderId,
        oneshot::Sender<Result<Option<Fulfillment>, Fault>>,
    ),
    Credit(
        BalanceId,
        EntryKind,
        String,
        oneshot::Sender<Result<Option<CreditEntry>, Fault>>,
    ),
}

/// Where look-ups are handed in. Dropping the last one closes the connection.
#[derive(Debug)]
pub(super) struct PgReader {
    look_ups: mpsc::Sender<LookUp>,
    deadline: Duration,
}

impl PgReader {
    /// Starts the task that owns the connection.
    #[expect(
        clippy::disallowed_methods,
        reason = "the task ends with the last `PgReader`"
    )]
    pub(super) fn start(connection: LaneConnection, deadline: Duration) -> (Self, Health) {
        let (look_ups, waiting) = mpsc::channel(WAITING_MAX);
        let health = Health::new();
        tokio::spawn(answer(connection, waiting, health.clone(), deadline));
        (Self { look_ups, deadline }, health)
    }

    async fn ask<T>(
        &self,
        look_up: impl FnOnce(oneshot::Sender<Result<T, Fault>>) -> LookUp,
    ) -> Result<T, Fault> {
        let (told, answer) = oneshot::channel();
        let asked = async {
            self.look_ups
                .send(look_up(told))
                .await
                .map_err(|_| Fault::Unavailable)?;
            answer.await.map_err(|_| Fault::Unavailable)?
        };
        timeout(self.deadline, asked)
            .await
            .unwrap_or(Err(Fault::Unavailable))
    }
}

impl Reader for PgReader {
    fn fulfillment<'a>(
        &'a self,
        balance: BalanceId,
        order_id: &'a OrderId,
    ) -> BoxFuture<'a, Result<Option<Fulfillment>, Fault>> {
        Box::pin(self.ask(move |told| LookUp::Fulfillment(balance, order_id.clone(), told)))
    }

    fn credit<'a>(
        &'a self,
        balance: BalanceId,
        kind: EntryKind,
        reference: &'a str,
    ) -> BoxFuture<'a, Result<Option<CreditEntry>, Fault>> {
        Box::pin(self.ask(move |told| LookUp::Credit(balance, kind, reference.to_owned(), told)))
    }
}

/// Answers look-ups one by one until nobody can ask any more or the connection is lost.
async fn answer(
    mut connection: LaneConnection,
    mut waiting: mpsc::Receiver<LookUp>,
    health: Health,
    deadline: Duration,
) {
    while let Some(look_up) = waiting.recv().await {
        let well = match look_up {
            LookUp::Fulfillment(balance, order_id, told) => {
                let found = source::find(connection.raw(), balance, &order_id);
                tell(found, deadline, told).await
            }
            LookUp::Credit(balance, kind, reference, told) => {
                let found = source::find_credit(connection.raw(), balance, kind, &reference);
                tell(found, deadline, told).await
            }
        };
        if !well {
            health.lose();
            return;
        }
    }
    connection.close().await;
}

/// Whether the connection can be used again after this look-up.
async fn tell<T>(
    found: impl Future<Output = Result<T, Error>>,
    deadline: Duration,
    told: oneshot::Sender<Result<T, Fault>>,
) -> bool {
    let found = timeout(deadline, found).await;
    // Rows that do not fit say nothing against the connection; whatever else fails does.
    let well = matches!(found, Ok(Ok(_) | Err(Error::Inconsistent { .. })));
    let answer = match found {
        Ok(found) => found.map_err(|error| error.into_fault("look a reference up")),
        Err(_) => Err(Fault::Unavailable),
    };
    // A caller that stopped waiting is no reason to read less of the answer.
    let _ = told.send(answer);
    well
}
