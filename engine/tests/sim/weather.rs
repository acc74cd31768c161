//! Which faults strike, how often, and what happened when.
//!
//! Each seed draws the kinds that may strike in it, so that some runs see two kinds together and
//! nothing else. In calm weather nothing strikes.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use engine::clock::instant;
use tokio::time::Instant;

use crate::{
    dice::Dice,
    tally::{Kind, Sometimes, Tally},
};

pub(crate) struct Weather {
    pub(crate) dice: Dice,
    pub(crate) tally: Tally,
    enabled: Vec<bool>,
    calm: AtomicBool,
    trace: Mutex<Trace>,
    start: Instant,
    telling: bool,
}

/// Everything that happened, as one number; and as text if somebody reads it.
#[derive(Default)]
struct Trace {
    digest: u64,
    events: u64,
}

impl Weather {
    pub(crate) fn new(dice: Dice, telling: bool) -> Arc<Self> {
        let share = dice.between(10, 90);
        let enabled = Kind::ALL.iter().map(|_| dice.percent(share)).collect();
        Arc::new(Self {
            dice,
            tally: Tally::new(),
            enabled,
            calm: AtomicBool::new(false),
            trace: Mutex::default(),
            start: instant(),
            telling,
        })
    }

    /// Whether a kind of fault strikes now, at a chance of so many in a thousand.
    pub(crate) fn strikes(&self, kind: Kind, per_mille: u64) -> bool {
        let strikes = self.may(kind) && self.dice.per_mille(per_mille);
        if strikes {
            self.struck(kind);
        }
        strikes
    }

    /// Whether a kind of fault is drawn for this run, and the weather is not calm.
    pub(crate) fn may(&self, kind: Kind) -> bool {
        self.enabled[kind as usize] && !self.is_calm()
    }

    pub(crate) fn struck(&self, kind: Kind) {
        self.tally.struck(kind);
        self.event("fault", || kind.name().to_owned());
    }

    pub(crate) fn reached(&self, state: Sometimes) {
        self.tally.reached(state);
        self.event("state", || state.name().to_owned());
    }

    pub(crate) fn calm(&self) {
        self.calm.store(true, Ordering::Relaxed);
        self.event("calm", String::new);
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// Notes an event; its text is made only if somebody reads it, its place and time always count.
    pub(crate) fn event(&self, what: &'static str, text: impl FnOnce() -> String) {
        self.count(what, 0, text);
    }

    /// Notes an event with a number that must be the same whenever the seed is.
    pub(crate) fn count(&self, what: &'static str, number: u64, text: impl FnOnce() -> String) {
        let micros = self.micros();
        let mut trace = self.trace.lock().unwrap_or_else(PoisonError::into_inner);
        trace.events += 1;
        let first = what.as_bytes().iter().map(|byte| u64::from(*byte));
        for part in first.chain([micros, number]) {
            trace.digest = (trace.digest ^ part)
                .wrapping_mul(0x0100_0000_01b3)
                .rotate_left(23);
        }
        if self.telling {
            let millis = micros / 1000;
            crate::report::say(&format!("{millis:>8} ms  {what:<8} {}", text()));
        }
    }

    /// Microseconds since the run began.
    pub(crate) fn micros(&self) -> u64 {
        u64::try_from((instant() - self.start).as_micros()).expect("a run is short")
    }

    /// The digest of all events, and how many there were.
    pub(crate) fn trace(&self) -> (u64, u64) {
        let trace = self.trace.lock().unwrap_or_else(PoisonError::into_inner);
        (trace.digest, trace.events)
    }
}
