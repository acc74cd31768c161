//! `loadtest compare`: the engine and its peers by turns on one cluster, audited, with a verdict.
//!
//! Keeps: equal durability for all sides; a stage without its audit has no figures; every process
//! and database it made is gone afterwards, unless asked to stay.

mod bench;
pub(crate) mod machine;
mod measure;
mod peers;
mod plan;
pub(crate) mod process;
pub(crate) mod run;
mod slow_disk;
mod solo;
mod start;
pub(crate) mod subject;

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::report::{self, comparison::Comparison, say};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The binary to measure; by default the one beside this binary.
    #[arg(long)]
    consign: Option<PathBuf>,
    /// Runs the peers only, on this cluster.
    #[arg(long)]
    database_url: Option<String>,
    /// Where clusters and logs live while it runs; a temporary directory by default.
    #[arg(long)]
    state_dir: Option<PathBuf>,
    /// Leaves the state directory behind.
    #[arg(long)]
    keep: bool,
    /// Two short runs of each, no tuning of pools.
    #[arg(long)]
    quick: bool,
    /// Runs of each side in each stage.
    #[arg(long)]
    runs: Option<usize>,
    /// Only these stages (by name, comma-separated); see the report for the names.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Milliseconds added to each flush in further stages, comma-separated; 1 and 4 have goals.
    #[arg(
        long,
        env = "SLOW_DISK_MS",
        value_delimiter = ',',
        default_value = "1,4"
    )]
    slow_disk_ms: Vec<u64>,
    /// Pool of the peers; tuned by a short trial if absent.
    #[arg(long)]
    pool: Option<u32>,
    /// The engine's schema, for the raw writer.
    #[arg(long, default_value = "migrations")]
    migrations: PathBuf,
    /// Stock of each product; by default enough for all stages.
    #[arg(long)]
    serials_per_product: Option<u64>,
    #[arg(long)]
    hot_serials: Option<u64>,
    #[arg(long, default_value = "docs/performance/compare.json")]
    json: PathBuf,
    #[arg(long, default_value = "docs/performance/compare.md")]
    markdown: PathBuf,
}

impl Arguments {
    fn turns(&self) -> usize {
        self.runs.unwrap_or(if self.quick { 2 } else { 5 })
    }

    fn serials_per_product(&self) -> u64 {
        let enough = if self.quick { 1800 } else { 4500 };
        self.serials_per_product.unwrap_or(enough)
    }

    fn hot_serials(&self) -> u64 {
        let enough = if self.quick { 900_000 } else { 3_500_000 };
        self.hot_serials.unwrap_or(enough)
    }

    fn wants(&self, stage: &str) -> bool {
        self.only.is_empty()
            || self
                .only
                .iter()
                .any(|name| stage.starts_with(name.as_str()))
    }
}

pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(compare(arguments))
}

async fn compare(arguments: Arguments) -> anyhow::Result<()> {
    let directory = match &arguments.state_dir {
        Some(directory) => directory.clone(),
        None => std::env::temp_dir().join(format!("consign-compare-{}", std::process::id())),
    };
    std::fs::create_dir_all(&directory)?;
    let directory = directory.canonicalize()?;
    let mut bench = bench::Bench::new(&arguments, directory.clone());
    let outcome = bench.everything().await;
    // Written even if something failed half-way: an hour's figures are not thrown away.
    let found = bench.finish();
    write(&arguments, &found)?;
    if !arguments.keep {
        std::fs::remove_dir_all(&directory).ok();
    }
    outcome?;
    if let Some(judged) = found.audits.iter().find(|judged| !judged.verdict.good()) {
        bail!(
            "the audit of `{}` does not hold: these figures are worth nothing",
            judged.stage
        );
    }
    Ok(())
}

fn write(arguments: &Arguments, found: &Comparison) -> anyhow::Result<()> {
    for path in [&arguments.json, &arguments.markdown] {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)
                .with_context(|| format!("creating {}", parent.display()))?;
        }
    }
    report::json::write(&arguments.json, found)?;
    report::markdown::write(&arguments.markdown, found)?;
    say(&report::markdown::page(found)?);
    Ok(())
}
