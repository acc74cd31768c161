//! All figures of a comparison, and the two ways to condense them: median and paired ratio.
//!
//! Keeps: ratios are medians of the ratios of runs taken in turn; nothing is rounded here.

use serde::Serialize;

use crate::{
    auditor::Judged,
    compare::{run::Measurement, subject::Side},
};

#[derive(Default, Serialize)]
pub(crate) struct Comparison {
    pub(crate) commit: String,
    pub(crate) machine: Vec<(String, String)>,
    pub(crate) turns: usize,
    pub(crate) window_seconds: f64,
    pub(crate) warm_up_seconds: f64,
    pub(crate) stages: Vec<(String, String)>,
    pub(crate) pools: Vec<Pool>,
    pub(crate) runs: Vec<Measurement>,
    pub(crate) audits: Vec<Judged>,
    pub(crate) start: Option<Start>,
    pub(crate) open_loop: Option<OpenLoop>,
    pub(crate) memory: Option<Memory>,
    pub(crate) notes: Vec<String>,
}

/// The pool size a peer runs best with, and what was tried.
#[derive(Clone, Serialize)]
pub(crate) struct Pool {
    pub(crate) side: Side,
    pub(crate) hot: bool,
    pub(crate) size: u32,
    pub(crate) tried: Vec<(u32, f64)>,
}

#[derive(Clone, Serialize)]
pub(crate) struct Start {
    pub(crate) serials: i64,
    pub(crate) orders: i64,
    pub(crate) first_delivery_seconds: Vec<f64>,
    pub(crate) everything_hot_seconds: Vec<f64>,
}

#[derive(Clone, Serialize)]
pub(crate) struct OpenLoop {
    pub(crate) per_second: f64,
    pub(crate) samples: Vec<u64>,
    pub(crate) capped: u64,
    pub(crate) p50_ms: Vec<f64>,
    pub(crate) p99_ms: Vec<f64>,
    pub(crate) p999_ms: Vec<f64>,
}

#[derive(Clone, Serialize)]
pub(crate) struct Memory {
    pub(crate) at_start_bytes: u64,
    /// When others had been loaded and were idle again.
    pub(crate) before_bytes: u64,
    pub(crate) loaded_bytes: u64,
    pub(crate) idle_bytes: u64,
    /// What the serials of one product's window take.
    pub(crate) window_bytes: u64,
    pub(crate) products: usize,
    pub(crate) resellers: usize,
}

impl Comparison {
    /// One figure of all runs of a side in a stage, by turns.
    pub(crate) fn figures(
        &self,
        stage: &str,
        side: Side,
        figure: impl Fn(&Measurement) -> f64,
    ) -> Vec<f64> {
        self.runs
            .iter()
            .filter(|run| run.stage == stage && run.side == side)
            .map(figure)
            .collect()
    }

    /// The median ratio of two sides of one stage, turn by turn.
    pub(crate) fn ratio(
        &self,
        stage: &str,
        (one, other): (Side, Side),
        figure: impl Fn(&Measurement) -> f64 + Copy,
    ) -> Option<f64> {
        let (one, other) = (
            self.figures(stage, one, figure),
            self.figures(stage, other, figure),
        );
        median(
            one.iter()
                .zip(&other)
                .filter(|(_, other)| **other > 0.0)
                .map(|(a, b)| a / b),
        )
    }
}

pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(values[values.len() / 2 - 1], upper))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;

    pub(crate) fn measured(stage: &str, side: Side, turn: usize, per_second: f64) -> Measurement {
        Measurement {
            stage: stage.to_owned(),
            side,
            turn,
            seconds: 1.0,
            delivered: 1,
            per_second,
            requests: 1,
            p50_ms: 1.0,
            p99_ms: 2.0,
            p999_ms: 3.0,
            server_us: 1.0,
            postgres_us: 1.0,
            generator_us: 1.0,
            wal_bytes: 1.0,
            wal_bytes_without_images: None,
            resident_bytes: 1,
            refused: BTreeMap::new(),
            failed: BTreeMap::new(),
        }
    }

    #[test]
    fn median_of_even_and_odd_counts() {
        assert_eq!(median([]), None);
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn ratio_is_the_median_of_paired_ratios() {
        let mut comparison = Comparison::default();
        for (turn, (one, other)) in [(10.0, 1.0), (30.0, 2.0), (20.0, 1.0)]
            .into_iter()
            .enumerate()
        {
            comparison.runs.push(measured("s", Side::Engine, turn, one));
            comparison
                .runs
                .push(measured("s", Side::Transaction, turn, other));
        }
        let ratio = comparison.ratio("s", (Side::Engine, Side::Transaction), |run| run.per_second);
        assert_eq!(ratio, Some(15.0));
    }
}
