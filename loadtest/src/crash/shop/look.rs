//! Somebody who does nothing but look at balances, and at times at a feed, at one address of an engine.
//!
//! Keeps: an engine that was replaced and does not know it is asked for as long as it listens. Shops go
//! where they are served, so they do not ask it for long. What a feed says is not recorded: reading it gives the
//! events their numbers, and the judge finds those in the store.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::{sleep, timeout};

use super::{
    Street,
    ask::{self, Ask},
    hear,
    line::{Record, RunClock},
};
use crate::{client::Connection, schedule::Dice};

/// Clients of shops and of the merchant have lower numbers.
const FIRST_CLIENT: u32 = 1 << 25;
const LOOK_EVERY: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_millis(500);
/// Of so many looks one is at a feed.
const LISTENS: usize = 4;

pub(super) struct Looker {
    street: Arc<Street>,
    dice: Dice,
    record: Record,
    engine: SocketAddr,
    /// Whose money moves: not those who run out of it, nor those whose keys are taken.
    busy: Vec<usize>,
}

impl Looker {
    /// One for each address.
    pub(super) fn all(street: &Arc<Street>, clock: RunClock) -> anyhow::Result<Vec<Self>> {
        let engines = (0..).zip(&street.stage.engines);
        engines
            .map(|(number, engine)| Self::new(street, (number, *engine), clock))
            .collect()
    }

    fn new(
        street: &Arc<Street>,
        (number, engine): (u32, SocketAddr),
        clock: RunClock,
    ) -> anyhow::Result<Self> {
        let stage = &street.stage;
        let place = stage.process * u32::try_from(stage.engines.len())? + number;
        let path = stage.histories.join(format!("looker-{place}.jsonl"));
        let resellers = stage.resellers.iter().enumerate();
        let busy = resellers.filter(|(_, one)| !one.thin && !one.revocable);
        Ok(Self {
            dice: Dice::new(stage.seed ^ 0x4c4f_4f4b ^ u64::from(place)),
            record: Record::create(&path, FIRST_CLIENT + place, clock)?,
            engine,
            busy: busy.map(|(place, _)| place).collect(),
            street: Arc::clone(street),
        })
    }

    /// Looks until the shops close.
    pub(super) async fn look(mut self) -> anyhow::Result<()> {
        let mut connection = None;
        while !self.street.closing.load(Ordering::SeqCst) {
            sleep(LOOK_EVERY).await;
            if connection.is_none() {
                let opened = timeout(PATIENCE, Connection::open(self.engine)).await;
                connection = opened.ok().and_then(Result::ok);
            }
            if let Some(open) = connection.take() {
                connection = self.ask(open).await?;
            }
        }
        Ok(())
    }

    /// The connection, unless it is of no use any more.
    async fn ask(&mut self, mut open: Connection) -> anyhow::Result<Option<Connection>> {
        let reseller = self.busy[self.dice.below(self.busy.len())];
        if self.dice.below(LISTENS) == 0 {
            let request = ask::events(&self.street.stage, reseller);
            let called = timeout(PATIENCE, open.call(request.as_bytes())).await;
            return Ok(called.is_ok_and(|called| called.is_ok()).then_some(open));
        }
        let ask = Ask::balance(&self.street.stage, reseller)?;
        let request = ask.request(&self.street.stage);
        let sent = self.record.sent(0, &ask)?;
        let called = timeout(PATIENCE, open.call(request.as_bytes())).await;
        let at = self.record.clock().now();
        self.street.calls.fetch_add(1, Ordering::Relaxed);
        let Ok(Ok(heard)) = called else {
            return Ok(None);
        };
        let answer = hear::answer(&ask, heard.status, heard.body);
        self.record.answered(sent, at, answer)?;
        Ok(Some(open))
    }
}
