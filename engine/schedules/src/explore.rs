//! Runs a scene under many schedules.

use std::panic::{AssertUnwindSafe, catch_unwind};

use shuttle::{
    Config, Runner,
    scheduler::{PctScheduler, RandomScheduler},
};

use crate::sabotage;

/// Schedules of each kind: uniformly random, and with few but well placed changes of the task.
const SCHEDULES: usize = 6000;
/// How many places a schedule of the second kind changes the task at.
const CHANGES: usize = 3;
/// What all of them follow from, so that every run is the same.
const SEED: u64 = 1;

fn config() -> Config {
    let mut config = Config::new();
    // Futures of an unoptimized build are large.
    config.stack_size = 256 * 1024;
    config
}

fn random() -> RandomScheduler {
    RandomScheduler::new_from_seed(SEED, SCHEDULES)
}

/// Runs the scene under every schedule, and says how many they were.
#[expect(clippy::print_stderr, reason = "how much was looked at is said")]
pub(crate) fn explore(what: &str, scene: fn()) {
    let random = Runner::new(random(), config()).run(scene);
    let placed = PctScheduler::new_from_seed(SEED, CHANGES, SCHEDULES);
    let placed = Runner::new(placed, config()).run(scene);
    eprintln!("{what}: {} schedules", random + placed);
    assert!(random + placed >= 10_000, "fewer schedules than there were");
}

/// The schedules show that a rule is broken: some of them end in a failed assertion or a deadlock.
pub(crate) fn notices(rule: &'static str, scene: fn()) {
    let run = || Runner::new(random(), config()).run(scene);
    let ran = sabotage::broken(rule, || catch_unwind(AssertUnwindSafe(run)));
    assert!(ran.is_err(), "`{rule}` can be broken and nothing shows it");
}
