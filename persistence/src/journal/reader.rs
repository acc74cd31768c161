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

/// Look-ups that are answered by one query.
const TAKEN_MAX: usize = 128;

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

/// Answers what waits, all at once, until nobody can ask any more or the connection is lost.
async fn answer(
    mut connection: LaneConnection,
    mut waiting: mpsc::Receiver<LookUp>,
    health: Health,
    deadline: Duration,
) {
    let mut taken = Vec::with_capacity(TAKEN_MAX);
    while waiting.recv_many(&mut taken, TAKEN_MAX).await > 0 {
        let (mut asked, mut asking) = (Vec::new(), Vec::new());
        let mut well = true;
        for look_up in taken.drain(..) {
            match look_up {
                // Nobody waits for it any more.
                LookUp::Fulfillment(.., told) if told.is_closed() => {}
                LookUp::Fulfillment(balance, order_id, told) => {
                    asked.push((balance, order_id));
                    asking.push(told);
                }
                LookUp::Credit(balance, kind, reference, told) => {
                    let found = source::find_credit(connection.raw(), balance, kind, &reference);
                    let found = timely(deadline, found).await;
                    well &= is_well(&found);
                    tell(told, found);
                }
            }
        }
        if well && !asked.is_empty() {
            match timely(deadline, source::find_all(connection.raw(), &asked)).await {
                Ok(found) => found.into_iter().zip(asking).for_each(|(found, told)| {
                    tell(told, found);
                }),
                Err(error) => {
                    error.into_fault("look order ids up");
                    well = false;
                }
            }
        }
        // Whoever is not answered yet learns it from the closed channel.
        if !well {
            health.lose();
            return;
        }
    }
    connection.close().await;
}

async fn timely<T>(
    deadline: Duration,
    found: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let late = |_| {
        Err(Error::Unavailable {
            reason: "no answer in time".to_owned(),
        })
    };
    timeout(deadline, found).await.unwrap_or_else(late)
}

/// Whether the connection can be used again: rows that do not fit say nothing against it.
const fn is_well<T>(found: &Result<T, Error>) -> bool {
    matches!(found, Ok(_) | Err(Error::Inconsistent { .. }))
}

fn tell<T>(told: oneshot::Sender<Result<T, Fault>>, found: Result<T, Error>) {
    let fault = |error: Error| match error {
        Error::Inconsistent { what } => {
            tracing::error!("a stored reference does not fit: {what}");
            Fault::Aborted { reason: what }
        }
        lost => lost.into_fault("look a reference up"),
    };
    // A caller that stopped waiting is no reason to read less of the answer.
    let _ = told.send(found.map_err(fault));
}
