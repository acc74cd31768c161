//! The goals P1 to P16 of the performance plan, computed from what was measured.
//!
//! Keeps: a goal whose figures are missing has no value and is not met; of two figures the one
//! farther from its floor decides.

use serde::Serialize;

use super::comparison::{Comparison, OpenLoop, Start, median};
use crate::compare::{
    run::Measurement,
    subject::Side::{Echo, Engine, Memory, Procedure, Raw, Transaction},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Better {
    Higher,
    Lower,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Part {
    pub(crate) what: &'static str,
    pub(crate) value: Option<f64>,
    pub(crate) floor: f64,
    pub(crate) goal: f64,
    pub(crate) better: Better,
}

#[derive(Clone, Debug)]
pub(crate) struct Goal {
    pub(crate) id: &'static str,
    pub(crate) what: &'static str,
    pub(crate) parts: Vec<Part>,
}

impl Part {
    fn reaches(&self, mark: f64) -> bool {
        self.value.is_some_and(|value| match self.better {
            Better::Higher => value >= mark,
            Better::Lower => value <= mark,
        })
    }

    /// How many times the floor is surpassed; below 1 it is missed.
    fn margin(&self) -> f64 {
        match (self.value, self.better) {
            (None, _) => 0.0,
            (Some(value), Better::Higher) => value / self.floor,
            (Some(value), Better::Lower) if value <= self.floor => f64::INFINITY,
            (Some(value), Better::Lower) => self.floor / value,
        }
    }
}

impl Goal {
    pub(crate) fn floor_met(&self) -> bool {
        self.parts.iter().all(|part| part.reaches(part.floor))
    }

    pub(crate) fn goal_met(&self) -> bool {
        self.parts.iter().all(|part| part.reaches(part.goal))
    }

    pub(crate) fn measured(&self) -> bool {
        self.parts.iter().all(|part| part.value.is_some())
    }

    /// The part that decides.
    pub(crate) fn worst(&self) -> &Part {
        self.parts
            .iter()
            .min_by(|one, other| one.margin().total_cmp(&other.margin()))
            .expect("a goal has parts")
    }
}

fn at_least(what: &'static str, value: Option<f64>, floor: f64, goal: f64) -> Part {
    Part {
        what,
        value,
        floor,
        goal,
        better: Better::Higher,
    }
}

fn at_most(what: &'static str, value: Option<f64>, floor: f64, goal: f64) -> Part {
    Part {
        what,
        value,
        floor,
        goal,
        better: Better::Lower,
    }
}

pub(crate) fn goals(found: &Comparison) -> Vec<Goal> {
    let mut goals = rates_against_peers(found);
    goals.extend(costs_against_peers(found));
    goals.extend(against_ceilings(found));
    goals.extend(of_its_own(found));
    goals
}

fn goal(id: &'static str, what: &'static str, parts: impl Into<Vec<Part>>) -> Goal {
    Goal {
        id,
        what,
        parts: parts.into(),
    }
}

fn rates_against_peers(found: &Comparison) -> Vec<Goal> {
    let rate = |stage, peer| found.ratio(stage, (Engine, peer), |run| run.per_second);
    let uniform = |peer| rate("uniform-64", peer);
    let hot = |peer| rate("hot-64", peer);
    let by_transaction = at_least("times", uniform(Transaction), 10.0, 16.0);
    let by_procedure = at_least("times", uniform(Procedure), 7.0, 12.0);
    let hot_by_both = [
        at_least("times the transaction peer", hot(Transaction), 20.0, 40.0),
        at_least("times the procedure peer", hot(Procedure), 15.0, 30.0),
    ];
    let own = at_least("times", hot_against_uniform(found), 0.95, 1.1);
    let slow_1 = [
        at_least(
            "times, uniform",
            rate("slow-1-uniform-64", Transaction),
            8.0,
            12.0,
        ),
        at_least("times, hot", rate("slow-1-hot-64", Transaction), 25.0, 35.0),
    ];
    let slow_4 = at_least(
        "times, uniform",
        rate("slow-4-uniform-64", Transaction),
        4.0,
        6.0,
    );
    vec![
        goal(
            "P1",
            "throughput against the transaction peer, 1000 x 1000, 64 connections",
            [by_transaction],
        ),
        goal(
            "P2",
            "throughput against the procedure peer, 1000 x 1000, 64 connections",
            [by_procedure],
        ),
        goal(
            "P3",
            "throughput, one hot product and reseller, 64 connections",
            hot_by_both,
        ),
        goal(
            "P4",
            "hot against uniform, Consign itself, 64 connections",
            [own],
        ),
        goal(
            "P13",
            "+1 ms a flush, 64 connections, against the transaction peer",
            slow_1,
        ),
        goal(
            "P14",
            "+4 ms a flush, 64 connections, against the transaction peer",
            [slow_4],
        ),
    ]
}

fn costs_against_peers(found: &Comparison) -> Vec<Goal> {
    let uniform =
        |figure: fn(&Measurement) -> f64| found.ratio("uniform-64", (Engine, Transaction), figure);
    let single = found.ratio("single", (Engine, Procedure), |run| run.p50_ms);
    let cpu = at_most(
        "of the peer's",
        uniform(|run| run.postgres_us),
        1.0 / 25.0,
        1.0 / 40.0,
    );
    // Of the two ways to count the log, the one that flatters Consign less.
    let wal = [
        uniform(|run| run.wal_bytes),
        uniform(|run| run.wal_bytes_without_images.unwrap_or(run.wal_bytes)),
    ];
    let wal = wal.into_iter().flatten().max_by(f64::total_cmp);
    let wal = at_most("of the peer's", wal, 1.0 / 2.0, 1.0 / 3.0);
    let latency = [
        at_most(
            "of the peer's p50",
            uniform(|run| run.p50_ms),
            1.0 / 8.0,
            1.0 / 12.0,
        ),
        at_most(
            "of the peer's p99",
            uniform(|run| run.p99_ms),
            1.0 / 4.0,
            1.0 / 8.0,
        ),
    ];
    vec![
        goal(
            "P7",
            "Postgres CPU per fulfilment against the transaction peer",
            [cpu],
        ),
        goal(
            "P8",
            "WAL bytes per fulfilment against the transaction peer",
            [wal],
        ),
        goal(
            "P9",
            "latency against the transaction peer, 64 connections",
            latency,
        ),
        goal(
            "P10",
            "one connection: p50 against the procedure peer",
            [at_most("of the peer's", single, 1.0, 0.5)],
        ),
    ]
}

fn against_ceilings(found: &Comparison) -> Vec<Goal> {
    let share = |stage, ceiling| found.ratio(stage, (Engine, ceiling), |run| run.per_second);
    vec![
        goal(
            "P5",
            "share of the same server with its journal stubbed out, 256 connections",
            [at_least(
                "of the ceiling",
                share("uniform-256", Memory),
                0.5,
                0.75,
            )],
        ),
        goal(
            "P6",
            "share of a bare JSON echo on the same stack, 256 connections",
            [at_least(
                "of the echo",
                share("uniform-256", Echo),
                0.35,
                0.6,
            )],
        ),
        goal(
            "P11",
            "batch endpoint, 100 orders a request, against Postgres alone",
            [at_least(
                "of Postgres alone",
                share("batch", Raw),
                0.6,
                0.85,
            )],
        ),
    ]
}

fn of_its_own(found: &Comparison) -> Vec<Goal> {
    let start =
        |pick: fn(&Start) -> &Vec<f64>| median(found.start.as_ref().map(pick)?.iter().copied());
    let open = |pick: fn(&OpenLoop) -> &Vec<f64>| {
        median(found.open_loop.as_ref().map(pick)?.iter().copied())
    };
    vec![
        goal(
            "P12",
            "start on 3 M serials and 2 M orders",
            [
                at_most(
                    "s to the first delivery",
                    start(|s| &s.first_delivery_seconds),
                    2.0,
                    1.0,
                ),
                at_most(
                    "s until everything is hot",
                    start(|s| &s.everything_hot_seconds),
                    10.0,
                    5.0,
                ),
            ],
        ),
        goal(
            "P15",
            "open loop at 70 % of the peak",
            [
                at_most("ms p99", open(|o| &o.p99_ms), 10.0, 5.0),
                at_most("ms p99.9", open(|o| &o.p999_ms), 40.0, 15.0),
            ],
        ),
        goal(
            "P16",
            "resident memory",
            [
                at_most(
                    "bytes per idle reseller",
                    per_idle_reseller(found),
                    0.0,
                    0.0,
                ),
                at_most(
                    "bytes per loaded product and reseller beyond the window",
                    per_loaded_pair(found),
                    4096.0,
                    4096.0,
                ),
            ],
        ),
    ]
}

fn hot_against_uniform(found: &Comparison) -> Option<f64> {
    let rate = |stage| found.figures(stage, Engine, |run| run.per_second);
    Some(median(rate("hot-64"))? / median(rate("uniform-64"))?)
}

fn per_idle_reseller(found: &Comparison) -> Option<f64> {
    let memory = found.memory.as_ref()?;
    let kept = memory.idle_bytes.saturating_sub(memory.before_bytes);
    spread(kept, memory.resellers)
}

fn per_loaded_pair(found: &Comparison) -> Option<f64> {
    let memory = found.memory.as_ref()?;
    let loaded = memory.loaded_bytes.saturating_sub(memory.before_bytes);
    let each = spread(loaded, memory.products)?;
    Some((each - crate::compare::run::as_float(memory.window_bytes)).max(0.0))
}

fn spread(bytes: u64, over: usize) -> Option<f64> {
    let over = u32::try_from(over).ok().filter(|&over| over > 0)?;
    Some(crate::compare::run::as_float(bytes) / f64::from(over))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::tests::measured;

    #[test]
    fn missing_figures_meet_nothing() {
        let goals = goals(&Comparison::default());
        assert_eq!(goals.len(), 16);
        assert!(
            goals
                .iter()
                .all(|goal| !goal.floor_met() && !goal.measured())
        );
    }

    #[test]
    fn floor_and_goal_are_told_apart() {
        let mut found = Comparison::default();
        found.runs.push(measured("uniform-64", Engine, 0, 12_000.0));
        found
            .runs
            .push(measured("uniform-64", Transaction, 0, 1_000.0));
        let goals = goals(&found);
        let first = goals.iter().find(|goal| goal.id == "P1").unwrap();
        assert!(first.floor_met() && !first.goal_met());
        assert_eq!(first.worst().value, Some(12.0));
    }

    #[test]
    fn part_that_misses_its_floor_decides() {
        let parts = [
            at_most("a", Some(1.0), 2.0, 1.0),
            at_most("b", Some(20.0), 10.0, 5.0),
        ];
        let both = goal("P", "two parts", parts);
        assert!(!both.floor_met());
        assert_eq!(both.worst().what, "b");
    }
}
