//! Everything that is random in a run, from its seed.

use std::time::Duration;

use engine::random::SeededRandom;

/// A sequence of numbers; two dice of one seed fall alike.
#[derive(Debug)]
pub(crate) struct Dice(SeededRandom);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(SeededRandom::new(seed))
    }

    /// Dice of their own, so that what one part of a run throws does not move another part.
    pub(crate) fn fork(&self) -> Self {
        Self::new(self.number())
    }

    pub(crate) fn number(&self) -> u64 {
        self.0.next_u64()
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.number() % bound
    }

    pub(crate) fn between(&self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    pub(crate) fn small(&self, low: u32, high: u32) -> u32 {
        u32::try_from(self.between(low.into(), high.into())).expect("a small number")
    }

    pub(crate) fn percent(&self, share: u64) -> bool {
        self.below(100) < share
    }

    pub(crate) fn per_mille(&self, share: u64) -> bool {
        self.below(1000) < share
    }

    pub(crate) fn index(&self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("an index")
    }

    pub(crate) fn pick<'a, T>(&self, from: &'a [T]) -> &'a T {
        &from[self.index(from.len())]
    }

    pub(crate) fn millis(&self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.between(low, high))
    }

    /// A time on a network: mostly a fraction of a millisecond, sometimes a few of them.
    pub(crate) fn latency(&self) -> Duration {
        let micros = if self.percent(10) {
            self.between(1000, 20_000)
        } else {
            self.between(50, 900)
        };
        Duration::from_micros(micros)
    }
}
