//! `loadtest run` and `loadtest load`: one scenario in open loop, audited afterwards.
//!
//! Keeps: bounded in time and count; loopback only; a run whose audit fails, or whose answers its
//! scenario does not expect, ends with an error.

mod scenario;
mod verdict;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{bail, ensure};
use clap::Args;

use self::scenario::Scenario;
use crate::{
    cast::Demo,
    compare::subject::{self, EngineSettings},
    open::{self, Open},
    report::say,
    schedule::Pace,
    target,
};

#[derive(Args)]
pub(crate) struct Arguments {
    #[arg(long, value_enum, default_value = "steady")]
    scenario: Scenario,
    /// Requests a second.
    #[arg(long, default_value_t = 1000.0)]
    rate: f64,
    #[arg(long, value_enum, default_value = "poisson")]
    pace: Pace,
    #[arg(long, default_value_t = 2)]
    warm_up_seconds: u64,
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    #[arg(long, default_value_t = 512)]
    in_flight_max: usize,
    #[arg(long, default_value_t = 1_000_000)]
    requests_max: u64,
    /// Skips the audit, for a server whose database is out of reach.
    #[arg(long)]
    no_audit: bool,
}

/// Against a server that runs already.
#[derive(Args)]
pub(crate) struct Run {
    #[arg(long, default_value = ".consign/demo.json")]
    demo: PathBuf,
    #[command(flatten)]
    arguments: Arguments,
}

/// Against a server of its own.
#[derive(Args)]
pub(crate) struct Load {
    /// The binary to start; by default the one beside this binary.
    #[arg(long)]
    consign: Option<PathBuf>,
    #[command(flatten)]
    arguments: Arguments,
}

pub(crate) fn run(run: &Run) -> anyhow::Result<()> {
    execute(&run.arguments, &Demo::read(&run.demo)?)
}

pub(crate) fn load(load: &Load) -> anyhow::Result<()> {
    let directory = std::env::temp_dir().join(format!("consign-load-{}", std::process::id()));
    let settings = EngineSettings {
        serials_per_product: 500,
        hot_serials: 100_000,
        ..EngineSettings::of(load.consign.as_deref(), directory.join("engine"))?
    };
    say("starting a server and filling its database ...");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (mut engine, demo) = runtime.block_on(subject::engine(&settings))?;
    let outcome = execute(&load.arguments, &demo);
    drop(engine.cluster.take());
    engine.process.stop()?;
    std::fs::remove_dir_all(&directory).ok();
    outcome
}

fn execute(arguments: &Arguments, demo: &Demo) -> anyhow::Result<()> {
    let scenario = arguments.scenario;
    let before = if arguments.no_audit {
        None
    } else {
        Some(verdict::before(&demo.database_url)?)
    };
    let outcome = open::run(Open {
        target: target::parse(&demo.base_url)?,
        cast: Arc::new(scenario.cast(demo)?),
        pace: arguments.pace,
        per_second: arguments.rate,
        warm_up: Duration::from_secs(arguments.warm_up_seconds),
        measured: Duration::from_secs(arguments.seconds),
        in_flight_max: arguments.in_flight_max,
        requests_max: arguments.requests_max,
        repeat: scenario.repeat(),
        run: format!("l{}", chrono::Utc::now().timestamp_millis()),
    })?;
    verdict::tell(arguments, &outcome);
    if let Some(before) = before {
        verdict::judge(&demo.database_url, before, &outcome)?;
    }
    if let Some(code) = outcome
        .recorder
        .refused
        .keys()
        .find(|code| !scenario.expects(code))
    {
        bail!("answers the scenario does not expect, such as `{code}`");
    }
    ensure!(
        outcome.recorder.failures() == 0,
        "requests without an answer"
    );
    Ok(())
}
