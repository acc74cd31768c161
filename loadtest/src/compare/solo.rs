//! What is measured without a counterpart by turns: Postgres alone, the open loop, memory.

use std::{collections::HashSet, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::ensure;

use super::{
    bench::Bench,
    measure,
    run::{Measurement, as_float},
    subject::{self, EngineSettings, Side, Subject},
};
use crate::{
    answers::Answers,
    auditor::cluster::{self, Cluster},
    cast::{Cast, HotPair, Orders},
    client::Connection,
    open::{self, Open, Repeat},
    peer::raw::Writer,
    report::comparison::{Memory, OpenLoop},
    schedule::Pace,
};

const RAW_SIZES: [usize; 3] = [100, 256, 512];
const TOUCH_CONNECTIONS: usize = 32;
/// The engine's smallest window of a product.
const WINDOW_SERIALS: u64 = 64;
const IDLE_MS: u64 = 3000;
const OPEN_IN_FLIGHT_MAX: usize = 1024;

/// Postgres alone, on the cluster all others use.
pub(crate) struct Raw {
    writer: Writer,
    cluster: Cluster,
}

impl Raw {
    pub(crate) async fn create(bench: &Bench<'_>) -> anyhow::Result<Self> {
        let url = &bench.database_url;
        Ok(Self {
            writer: Writer::create(url, bench.migrations()).await?,
            cluster: Cluster::connect(url).await?,
        })
    }

    /// The best of several batch sizes.
    pub(crate) async fn measure(
        &mut self,
        stage: &str,
        turn: usize,
        quick: bool,
    ) -> anyhow::Result<Measurement> {
        let time = Duration::from_secs(if quick { 1 } else { 2 });
        let mut best: Option<Measurement> = None;
        for size in RAW_SIZES {
            self.cluster.checkpoint().await?;
            let from = self.cluster.wal_position().await?;
            let cpu = measure::cluster_cpu(self.cluster.postmaster);
            let (rows, took) = self.writer.write(size, time).await?;
            let cpu = measure::cluster_cpu(self.cluster.postmaster).saturating_sub(cpu);
            let to = self.cluster.wal_position().await?;
            let wal = self.cluster.wal_between(&from, &to).await?;
            let rows_each = |total: f64| total / as_float(rows.max(1));
            let measured = Measurement {
                stage: stage.to_owned(),
                side: Side::Raw,
                turn,
                seconds: took.as_secs_f64(),
                delivered: rows,
                per_second: as_float(rows) / took.as_secs_f64(),
                requests: rows / u64::try_from(size)?,
                p50_ms: f64::NAN,
                p99_ms: f64::NAN,
                p999_ms: f64::NAN,
                server_us: 0.0,
                postgres_us: rows_each(cpu.as_secs_f64() * 1e6),
                generator_us: 0.0,
                wal_bytes: rows_each(as_float(wal.total)),
                wal_bytes_without_images: wal
                    .without_images
                    .map(|bytes| rows_each(as_float(bytes))),
                resident_bytes: 0,
                refused: std::collections::BTreeMap::new(),
                failed: std::collections::BTreeMap::new(),
            };
            if best
                .as_ref()
                .is_none_or(|best| measured.per_second > best.per_second)
            {
                best = Some(measured);
            }
        }
        Ok(best.expect("there are sizes to try"))
    }
}

/// Poisson arrivals at a fixed rate against the running engine.
pub(crate) async fn open_loop(
    engine: &mut Subject,
    per_second: f64,
    run: String,
    found: &mut Option<OpenLoop>,
) -> anyhow::Result<Option<Answers>> {
    let open = Open {
        target: engine.target,
        cast: engine.wide.clone(),
        pace: Pace::Poisson,
        per_second,
        warm_up: Duration::from_secs(2),
        measured: Duration::from_secs(8),
        in_flight_max: OPEN_IN_FLIGHT_MAX,
        requests_max: 1_000_000,
        repeat: Repeat::Never,
        run,
    };
    let outcome = tokio::task::spawn_blocking(move || open::run(open)).await??;
    let found = found.get_or_insert_with(|| OpenLoop {
        per_second,
        samples: Vec::new(),
        capped: 0,
        p50_ms: Vec::new(),
        p99_ms: Vec::new(),
        p999_ms: Vec::new(),
    });
    let recorder = &outcome.recorder;
    found.samples.push(recorder.samples());
    found.capped += outcome.capped;
    found.p50_ms.push(recorder.quantile_ms(0.5));
    found.p99_ms.push(recorder.quantile_ms(0.99));
    found.p999_ms.push(recorder.quantile_ms(0.999));
    Ok(outcome.answers)
}

/// Resident memory of an engine whose first resellers have come and gone, with as many others loaded, and when
/// those are idle again: what a process keeps from its first orders on is no reseller's share.
pub(crate) async fn memory(settings: &EngineSettings) -> anyhow::Result<Memory> {
    let settings = EngineSettings {
        idle_ms: Some(IDLE_MS),
        ..settings.clone()
    };
    let (mut engine, demo) = subject::engine(&settings).await?;
    let pid = engine.process.id();
    let at_start_bytes = measure::resident(pid);
    let pairs = engine.wide.everyone_once();
    let (first, others) = pairs.split_at(pairs.len() / 2);
    let run = std::process::id();
    let become_idle = || tokio::time::sleep(Duration::from_millis(IDLE_MS * 4));
    touch(engine.target, first, &format!("m{run}")).await?;
    become_idle().await;
    let before_bytes = measure::resident(pid);
    touch(engine.target, others, &format!("n{run}")).await?;
    let loaded_bytes = measure::resident(pid);
    become_idle().await;
    let idle_bytes = measure::resident(pid);
    let serial_bytes = cluster::serial_bytes(&demo.database_url).await?;
    drop(engine.cluster.take());
    engine.process.stop()?;
    let products: HashSet<_> = others.iter().map(|pair| &pair.product_id).collect();
    Ok(Memory {
        at_start_bytes,
        before_bytes,
        loaded_bytes,
        idle_bytes,
        window_bytes: WINDOW_SERIALS * serial_bytes,
        products: products.len(),
        resellers: others.len(),
    })
}

/// Uses every reseller and product of a cast once ([`touch`]).
pub(crate) async fn touch_all(target: SocketAddr, cast: &Cast, run: &str) -> anyhow::Result<()> {
    touch(target, &cast.everyone_once(), run).await
}

/// Orders once for each of these, over some connections at a time. A product that is sold out counts as used.
async fn touch(target: SocketAddr, pairs: &[HotPair], run: &str) -> anyhow::Result<()> {
    let share = pairs.len().div_ceil(TOUCH_CONNECTIONS).max(1);
    let touches = pairs
        .chunks(share)
        .enumerate()
        .map(async |(number, pairs)| {
            let mut connection = Connection::open(target).await?;
            for (place, pair) in pairs.iter().enumerate() {
                let cast = Arc::new(Cast::of_one(pair));
                let mut orders = Orders::new(cast, format!("{run}-{number}-{place}"), 1, 1);
                let answer = connection.call(orders.next()).await?;
                ensure!(
                    matches!(answer.status, 201 | 409),
                    "a warm-up order was answered {}",
                    answer.status
                );
            }
            anyhow::Ok(())
        });
    futures_util::future::try_join_all(touches).await?;
    Ok(())
}

/// Commits of single rows a second over one connection: what a flush costs here.
pub(crate) async fn flush_rate(url: &str) -> anyhow::Result<f64> {
    cluster::commit_rate(url, Duration::from_secs(1)).await
}
