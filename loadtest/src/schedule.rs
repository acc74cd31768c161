//! When requests are due.
//!
//! Keeps: an open loop does not wait for answers, so a slow server cannot slow the load down and
//! hide its own delay; both kinds are bounded in time and count, and the seed decides everything.

use std::time::Duration;

/// Small seeded generator (xorshift64*): cheap, repeatable, good enough to spread load.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        // A few odd steps so that neighbouring seeds do not begin alike; never zero.
        Self(
            seed.wrapping_add(0x9E37_79B9_7F4A_7C15)
                .wrapping_mul(0xBF58_476D_1CE4_E5B9)
                | 1,
        )
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Evenly from 0 to `bound` - 1; `bound` is at least 1.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.next()) * u128::try_from(bound).expect("a length fits");
        usize::try_from(wide >> 64).expect("below a length")
    }

    /// From 0 (exclusive) to 1.
    fn unit(&mut self) -> f64 {
        let mantissa = u32::try_from(self.next() >> 32).expect("half of the bits");
        (f64::from(mantissa) + 1.0) / (f64::from(u32::MAX) + 1.0)
    }
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Pace {
    Constant,
    Poisson,
}

/// Intended times of an open loop, from its start.
pub(crate) struct Arrivals {
    pace: Pace,
    gap: Duration,
    next: Duration,
    end: Duration,
    dice: Dice,
}

impl Arrivals {
    pub(crate) fn new(pace: Pace, per_second: f64, end: Duration, seed: u64) -> Self {
        let gap = Duration::from_secs_f64(1.0 / per_second.max(0.001));
        Self {
            pace,
            gap,
            next: Duration::ZERO,
            end,
            dice: Dice::new(seed),
        }
    }
}

impl Iterator for Arrivals {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let due = self.next;
        if due >= self.end {
            return None;
        }
        self.next += match self.pace {
            Pace::Constant => self.gap,
            Pace::Poisson => self.gap.mul_f64(-self.dice.unit().ln()),
        };
        Some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_pace_is_even_and_bounded() {
        let due: Vec<_> = Arrivals::new(Pace::Constant, 100.0, Duration::from_secs(2), 1).collect();
        assert_eq!(due.len(), 200);
        assert!(
            due.windows(2)
                .all(|pair| pair[1].abs_diff(pair[0]) == Duration::from_millis(10))
        );
    }

    #[test]
    fn poisson_pace_keeps_its_mean_and_order() {
        let due: Vec<_> = Arrivals::new(Pace::Poisson, 1000.0, Duration::from_mins(1), 7).collect();
        assert!((58_000..62_000).contains(&due.len()), "{}", due.len());
        assert!(due.is_sorted());
        let short = due
            .windows(2)
            .filter(|pair| pair[1].abs_diff(pair[0]) < Duration::from_millis(1));
        // 1 - 1/e of exponential gaps are shorter than their mean.
        let share = short.count() * 1000 / due.len();
        assert!((610..655).contains(&share), "{share}");
    }

    #[test]
    fn same_seed_gives_the_same_arrivals() {
        let arrivals = |seed| -> Vec<_> {
            Arrivals::new(Pace::Poisson, 500.0, Duration::from_secs(1), seed).collect()
        };
        assert_eq!(arrivals(3), arrivals(3));
        assert_ne!(arrivals(3), arrivals(4));
    }

    #[test]
    fn dice_reach_every_side() {
        let mut dice = Dice::new(5);
        let mut seen = [0_u32; 6];
        for _ in 0..6000 {
            seen[dice.below(6)] += 1;
        }
        assert!(
            seen.iter().all(|&count| (850..1150).contains(&count)),
            "{seen:?}"
        );
    }
}
