//! The real engine, actors included, in a simulated world: `make sim`.
//!
//! One thread runs one seed at a time: a current-thread runtime whose clock jumps to whatever is waited
//! for, and an actix system on it. Everything else, the database first of all, follows from the seed.
//! Same seed, same trace.

mod alarms;
mod cast;
mod clients;
mod contract;
mod database;
mod dice;
mod history;
mod judge;
mod nemesis;
mod notebook;
mod panics;
mod power;
mod report;
mod reservations;
mod restored;
mod run;
mod stage;
mod tally;
mod weather;
mod withdrawals;

use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use tally::{Call, Kind, Sometimes, Tally};

/// From so many seeds on, a kind that never struck or a state that was never reached fails the runs.
const EVERY_KIND_FROM: u64 = 10_000;
/// Seeds that failed once: `seed commit sentence`.
const KEPT: &str = include_str!("seeds.txt");
/// In real time; a seed takes some milliseconds.
const SEED_MAX: Duration = Duration::from_mins(1);
/// Every so many seeds one runs twice.
const TWICE_EVERY: u64 = 100;

/// What the command line asks for.
struct Wanted {
    from: u64,
    seeds: u64,
    threads: usize,
    telling: bool,
    commit: String,
}

fn wanted() -> Wanted {
    let mut wanted = Wanted {
        from: 1,
        seeds: 2000,
        threads: thread::available_parallelism().map_or(1, usize::from),
        telling: false,
        commit: "unknown".to_owned(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        let number = || {
            value
                .parse::<u64>()
                .unwrap_or_else(|_| panic!("{name} takes a number"))
        };
        match name.as_str() {
            "--seed" => {
                (wanted.from, wanted.seeds, wanted.telling) = (number(), 1, true);
            }
            "--from" => wanted.from = number(),
            "--seeds" => wanted.seeds = number(),
            "--threads" => wanted.threads = usize::try_from(number()).expect("few threads"),
            "--commit" => wanted.commit = value,
            _ => panic!("unknown argument {name}"),
        }
    }
    wanted
}

/// The seeds to run: first those that failed once, unless one is asked for.
fn seeds(wanted: &Wanted) -> Vec<u64> {
    let lines = KEPT
        .lines()
        .filter(|line| !line.starts_with('#') && !wanted.telling);
    let kept = lines.map(|line| {
        let seed = line.split(' ').next().and_then(|seed| seed.parse().ok());
        seed.expect("a line begins with its seed")
    });
    kept.chain(wanted.from..wanted.from + wanted.seeds)
        .collect()
}

/// What all threads share.
struct Runs {
    seeds: Vec<u64>,
    next: AtomicUsize,
    failed: AtomicBool,
    tally: Tally,
}

fn main() -> ExitCode {
    let wanted = Arc::new(wanted());
    panics::note();
    let began = began();
    if !wanted.telling
        && let Err(broken) = contract::keep()
    {
        report::complain(&format!("sim: {broken}"));
        return ExitCode::FAILURE;
    }
    let runs = Arc::new(Runs {
        seeds: seeds(&wanted),
        next: AtomicUsize::new(0),
        failed: AtomicBool::new(false),
        tally: Tally::new(),
    });
    let (begins, begun) = mpsc::channel();
    let thread = |number| {
        let (wanted, runs, begins) = (Arc::clone(&wanted), Arc::clone(&runs), begins.clone());
        thread::spawn(move || {
            // Whoever watched has given up, and the process ends.
            work(&wanted, &runs, |seed| begins.send((number, seed)).is_ok());
        })
    };
    let threads: Vec<_> = (0..wanted.threads).map(thread).collect();
    drop(begins);
    if let Err(hanging) = watch(&begun) {
        report::complain(&format!("sim: it hangs, at one of {hanging:?}"));
        return ExitCode::FAILURE;
    }
    let joined = threads.into_iter().all(|thread| thread.join().is_ok());
    if !joined || runs.failed.load(Ordering::Relaxed) {
        return ExitCode::FAILURE;
    }
    if wanted.telling {
        report::say("all promises kept");
        return ExitCode::SUCCESS;
    }
    report::summary(&runs.tally);
    let (first, last) = (wanted.from, wanted.from + wanted.seeds - 1);
    report::say(&format!(
        "\nsim: {} seeds ({first} to {last}) at commit {}, in {:.1} s on {} threads: all promises kept",
        wanted.seeds,
        wanted.commit,
        began.elapsed().as_secs_f64(),
        wanted.threads,
    ));
    every_kind(&wanted, &runs.tally)
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long the runs took in real time"
)]
fn began() -> Instant {
    Instant::now()
}

/// What never struck, was never reached or was never interrupted proves nothing.
fn every_kind(wanted: &Wanted, tally: &Tally) -> ExitCode {
    let never = Kind::ALL.iter().filter(|kind| tally.strikes(**kind) == 0);
    let states = Sometimes::ALL.iter();
    let unseen = states.filter(|state| tally.visits(**state) == 0);
    let never = never.map(|kind| kind.name());
    let unseen = unseen.map(|state| state.name());
    let calls = Call::ALL.iter().filter(|call| tally.deaths(**call) == 0);
    let calls = calls.map(|call| call.name());
    let never: Vec<_> = never.chain(unseen).chain(calls).collect();
    if wanted.seeds < EVERY_KIND_FROM || never.is_empty() {
        return ExitCode::SUCCESS;
    }
    report::complain(&format!(
        "never struck, reached or interrupted: {}",
        never.join(", ")
    ));
    ExitCode::FAILURE
}

/// Returns when all threads have ended. Err: the seeds that run when none has begun for long; one whose
/// callers ask for ever lets no time pass, so no deadline of its own ends it.
fn watch(begun: &mpsc::Receiver<(usize, u64)>) -> Result<(), Vec<u64>> {
    let mut running = BTreeMap::new();
    loop {
        match begun.recv_timeout(SEED_MAX) {
            Ok((thread, seed)) => drop(running.insert(thread, seed)),
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => return Err(running.into_values().collect()),
        }
    }
}

fn work(wanted: &Wanted, runs: &Runs, begins: impl Fn(u64) -> bool) {
    while !runs.failed.load(Ordering::Relaxed) {
        let next = runs.next.fetch_add(1, Ordering::Relaxed);
        let Some(&seed) = runs.seeds.get(next) else {
            return;
        };
        panics::seed(seed);
        if !begins(seed) {
            return;
        }
        let ran = run::seed(seed, wanted.telling);
        runs.tally.add(&ran.weather.tally);
        let failure = ran.failure.or_else(|| {
            let seeded = cfg!(tokio_unstable) && !wanted.telling;
            let again = seeded && seed.is_multiple_of(TWICE_EVERY);
            let same = || run::seed(seed, false).weather.trace() == ran.weather.trace();
            (again && !same()).then(|| "two runs of one seed differ".to_owned())
        });
        if let Some(failure) = failure {
            runs.failed.store(true, Ordering::Relaxed);
            report::complain(&format!("sim: {failure}\nmake sim SEED={seed}"));
        }
    }
}
