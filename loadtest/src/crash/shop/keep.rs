//! One shop: what it asks next, and what it makes of the answer.
//!
//! Keeps: whatever it does not know for certain it asks again under the same id, until it does.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::ensure;
use auditor::Answer;

use super::{
    Street,
    ask::{self, Ask},
    hear,
    line::{Heard, Record, RunClock, Sent, Wire},
};
use crate::schedule::Dice;

/// Clients of one shop: its own calls, a twin, and the rows of a bulk call.
const CLIENTS: u32 = 64;
const ROWS_MAX: usize = 24;
/// Past orders that are asked for again.
const REMEMBERED: usize = 256;
/// Calls not known yet that a shop keeps before it sends them again.
const OPEN_MAX: usize = 48;
/// One of so many shops is impatient.
const IMPATIENT: u32 = 6;
/// The first of the numbers that choose a look at a balance.
const LOOKS: usize = 40;
pub(super) struct Shop {
    street: Arc<Street>,
    dice: Dice,
    name: String,
    record: Record,
    wire: Wire,
    twin: Wire,
    made: u64,
    /// It looks more than it buys, and does not wait long: it hears engines that should be silent.
    impatient: bool,
    /// It asks again at once for what it was not told; the others come back to it now and then.
    prompt: bool,
    /// Sent, and not known what became of it.
    open: Vec<Ask>,
    past: Vec<Ask>,
}

impl Shop {
    pub(super) fn open(street: &Arc<Street>, number: u32, clock: RunClock) -> anyhow::Result<Self> {
        let stage = &street.stage;
        let place = stage.process * stage.shops + number;
        let name = format!("s{}-{place}", stage.seed);
        let path = stage.histories.join(format!("shop-{place}.jsonl"));
        let seed = stage
            .seed
            .wrapping_mul(1_000_003)
            .wrapping_add(place.into());
        let first = usize::try_from(place)?;
        Ok(Self {
            street: Arc::clone(street),
            dice: Dice::new(seed),
            name,
            record: Record::create(&path, place * CLIENTS, clock)?,
            wire: Wire::new(Arc::clone(stage), first),
            twin: Wire::new(Arc::clone(stage), first),
            made: 0,
            impatient: place.is_multiple_of(IMPATIENT),
            prompt: place % 2 == 1,
            open: Vec::new(),
            past: Vec::new(),
        })
    }

    pub(super) async fn keep(mut self) -> anyhow::Result<()> {
        while !self.street.closing.load(Ordering::SeqCst) {
            if !self.wire.ready().await {
                continue;
            }
            self.next().await?;
        }
        self.heal().await
    }

    /// Asks for something: mostly something new.
    async fn next(&mut self) -> anyhow::Result<()> {
        let kept_max = if self.prompt { 1 } else { OPEN_MAX };
        let must_ask_again = self.open.len() >= kept_max;
        let chosen = if self.impatient && self.dice.below(3) > 0 {
            LOOKS
        } else {
            self.dice.below(100)
        };
        match chosen {
            _ if must_ask_again => self.again().await,
            0..5 => self.again().await,
            5..13 => self.repeat().await,
            13..16 => self.mismatch().await,
            16..20 => self.twins().await,
            20..40 => self.bulk().await,
            LOOKS..43 => self.balance().await,
            43..45 => self.money_or_stock().await,
            _ => {
                let ask = self.new_order()?;
                self.ask(ask).await.map(drop)
            }
        }
    }

    fn reseller(&mut self) -> usize {
        let thin = self.dice.below(8) == 0;
        let resellers = &self.street.stage.resellers;
        let places: Vec<usize> = (0..resellers.len())
            .filter(|&place| resellers[place].thin == thin && !self.is_gone(place))
            .collect();
        places[self.dice.below(places.len())]
    }

    fn is_gone(&self, reseller: usize) -> bool {
        self.street.gone[reseller].load(Ordering::Relaxed)
    }

    fn new_name(&mut self) -> String {
        self.made += 1;
        format!("{}-{}", self.name, self.made)
    }

    fn new_order(&mut self) -> anyhow::Result<Ask> {
        let reseller = self.reseller();
        let name = self.new_name();
        Ask::order(&self.street.stage, reseller, &name, &mut self.dice)
    }

    fn patience(&mut self) -> Duration {
        // Some give up long before the engine does.
        let millis = match self.dice.below(20) {
            _ if self.impatient => 200 + self.dice.below(1500),
            0 => 5 + self.dice.below(200),
            _ => 4000 + self.dice.below(6000),
        };
        Duration::from_millis(millis as u64)
    }

    /// Sends one call and keeps it if it must be known what became of it.
    async fn ask(&mut self, ask: Ask) -> anyhow::Result<bool> {
        let patience = self.patience();
        let sent = self.record.sent(0, &ask)?;
        let heard = self
            .wire
            .call(&ask.request(&self.street.stage), patience)
            .await;
        let at = self.record.clock().now();
        self.settle(ask, sent, at, heard)
    }

    /// Writes down what was heard. Whether it is known now what became of the call.
    fn settle(&mut self, ask: Ask, sent: Sent, at: u64, heard: Heard) -> anyhow::Result<bool> {
        let answer = heard.map(|(status, body)| hear::answer(&ask, status, &body));
        self.learn(ask, sent, at, answer)
    }

    fn learn(
        &mut self,
        ask: Ask,
        sent: Sent,
        at: u64,
        answer: Option<Answer>,
    ) -> anyhow::Result<bool> {
        self.street.calls.fetch_add(1, Ordering::Relaxed);
        let revocable = self.street.stage.resellers[ask.reseller].revocable;
        let revoked = revocable && answer.as_ref().is_some_and(hear::is_revoked);
        if revoked {
            self.street.gone[ask.reseller].store(true, Ordering::Relaxed);
        }
        let known = revoked || answer.as_ref().is_some_and(hear::is_final);
        if let Some(answer) = answer {
            if matches!(&answer, Answer::Delivered(delivery) if !delivery.replayed) {
                self.street.acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            if matches!(&answer, Answer::Refused(code) if code == "OVERLOADED") {
                self.wire.turn_away();
            }
            self.record.answered(sent, at, answer)?;
        }
        if !known && ask.must_be_known() {
            self.open.push(ask);
        } else if ask.fits_a_row() || self.dice.below(4) == 0 {
            self.remember(ask);
        }
        Ok(known)
    }

    fn remember(&mut self, ask: Ask) {
        if self.past.len() < REMEMBERED {
            self.past.push(ask);
        } else {
            let place = self.dice.below(REMEMBERED);
            self.past[place] = ask;
        }
    }

    /// Sends something again whose outcome is not known.
    async fn again(&mut self) -> anyhow::Result<()> {
        if self.open.is_empty() {
            return Ok(());
        }
        let place = self.dice.below(self.open.len());
        let ask = self.open.swap_remove(place);
        // Whoever asks at once may have found another seller meanwhile.
        let unwilling = self.prompt && self.dice.below(2) == 0;
        let ask = if unwilling { ask.unwilling() } else { ask };
        self.ask(ask).await.map(drop)
    }

    async fn repeat(&mut self) -> anyhow::Result<()> {
        match self.some_past() {
            Some(ask) => self.ask(ask).await.map(drop),
            None => Ok(()),
        }
    }

    fn some_past(&mut self) -> Option<Ask> {
        let gone = &self.street.gone;
        self.past
            .retain(|ask| !gone[ask.reseller].load(Ordering::Relaxed));
        (!self.past.is_empty()).then(|| self.past[self.dice.below(self.past.len())].clone())
    }

    async fn mismatch(&mut self) -> anyhow::Result<()> {
        // Of an id that is bound, or perhaps will be: then the other body must lose.
        let Some(ask) = self.some_past().and_then(|ask| ask.mismatch()) else {
            return Ok(());
        };
        self.ask(ask).await.map(drop)
    }

    /// The same order at the same time over two connections.
    async fn twins(&mut self) -> anyhow::Result<()> {
        let ask = self.new_order()?;
        if !self.twin.ready().await {
            return self.ask(ask).await.map(drop);
        }
        let patience = self.patience();
        let (one, other) = (self.record.sent(0, &ask)?, self.record.sent(1, &ask)?);
        let request = ask.request(&self.street.stage);
        let clock = self.record.clock();
        let one_call = async { (self.wire.call(&request, patience).await, clock.now()) };
        let other_call = async { (self.twin.call(&request, patience).await, clock.now()) };
        let (one_heard, other_heard) = tokio::join!(one_call, other_call);
        self.settle(ask.clone(), one, one_heard.1, one_heard.0)?;
        self.settle(ask, other, other_heard.1, other_heard.0)?;
        Ok(())
    }

    /// Many orders of one reseller in one call.
    async fn bulk(&mut self) -> anyhow::Result<()> {
        let reseller = self.reseller();
        let mut asks = Vec::new();
        for _ in 0..2 + self.dice.below(ROWS_MAX - 2) {
            let name = self.new_name();
            let ask = Ask::order(&self.street.stage, reseller, &name, &mut self.dice)?;
            if ask.fits_a_row() {
                asks.push(ask);
            }
        }
        if asks.is_empty() {
            return Ok(());
        }
        let patience = self.patience();
        let mut sent = Vec::with_capacity(asks.len());
        for (place, ask) in (2..).zip(&asks) {
            sent.push(self.record.sent(place, ask)?);
        }
        let request = ask::bulk(&self.street.stage, &asks);
        let heard = self.wire.call(&request, patience).await;
        let at = self.record.clock().now();
        let answers = heard.map(|(status, body)| hear::rows(status, &body, asks.len()));
        let mut answers = answers.unwrap_or_default().into_iter();
        for (ask, sent) in asks.into_iter().zip(sent) {
            self.learn(ask, sent, at, answers.next())?;
        }
        Ok(())
    }

    async fn balance(&mut self) -> anyhow::Result<()> {
        let reseller = self.reseller();
        let ask = Ask::balance(&self.street.stage, reseller)?;
        self.ask(ask).await.map(drop)
    }

    /// Something for those who run out: often less than they want.
    async fn money_or_stock(&mut self) -> anyhow::Result<()> {
        let stage = Arc::clone(&self.street.stage);
        let thin: Vec<usize> = (0..stage.resellers.len())
            .filter(|&place| stage.resellers[place].thin)
            .collect();
        let reseller = thin[self.dice.below(thin.len())];
        let name = self.new_name();
        let ask = if self.dice.below(3) == 0 {
            Ask::import(&stage, reseller, &name, &mut self.dice)?
        } else {
            let amount = i64::try_from(500 + self.dice.below(20_000))?;
            Ask::credit(&stage, reseller, &name, amount)?
        };
        self.ask(ask).await.map(drop)
    }

    /// Sends everything again whose outcome is not known, until it is.
    async fn heal(mut self) -> anyhow::Result<()> {
        let until = Instant::now() + self.street.stage.heal_within;
        while let Some(ask) = self.open.pop() {
            ensure!(
                Instant::now() < until,
                "{} calls of shop {} stayed unanswered",
                self.open.len() + 1,
                self.name
            );
            if !self.wire.ready().await {
                self.open.push(ask);
            } else if !self.ask(ask).await? {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        for place in 0..self.street.stage.resellers.len() {
            if self.wire.ready().await && place % 8 == usize::try_from(self.made % 8)? {
                let ask = Ask::balance(&self.street.stage, place)?;
                self.ask(ask).await?;
            }
        }
        Ok(())
    }
}
