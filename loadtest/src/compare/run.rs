//! One measured run of one subject.
//!
//! Keeps: the machine is quiet and the log checkpointed before the first request; the warm-up is
//! cut; counters are read at the edges of the window while the load goes on, so that neither
//! starting nor stopping is part of a figure.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{
    measure,
    subject::{Side, Subject},
};
use crate::{
    answers::Answers,
    load::{Load, Running},
};

/// The shape of a run: what is asked, over how many connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Shape {
    pub(crate) hot: bool,
    pub(crate) connections: usize,
    pub(crate) rows: usize,
}

#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measurement {
    pub(crate) stage: String,
    pub(crate) side: Side,
    pub(crate) turn: usize,
    pub(crate) seconds: f64,
    pub(crate) delivered: u64,
    pub(crate) per_second: f64,
    pub(crate) requests: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    pub(crate) server_us: f64,
    pub(crate) postgres_us: f64,
    pub(crate) generator_us: f64,
    pub(crate) wal_bytes: f64,
    pub(crate) wal_bytes_without_images: Option<f64>,
    pub(crate) resident_bytes: u64,
    pub(crate) refused: BTreeMap<String, u64>,
    pub(crate) failed: BTreeMap<String, u64>,
}

struct Snapshot {
    at: Instant,
    delivered: u64,
    server: Duration,
    postgres: Duration,
    generator: Duration,
    wal: Option<String>,
}

/// Which run this is, for its figures and its order ids.
pub(crate) struct Name<'a> {
    pub(crate) stage: &'a str,
    pub(crate) turn: usize,
    /// Unique over all runs against one database.
    pub(crate) run: String,
}

pub(crate) async fn once(
    subject: &mut Subject,
    shape: Shape,
    window: Window,
    name: Name<'_>,
) -> anyhow::Result<(Measurement, Vec<Answers>)> {
    quiet(subject).await;
    if let Some(cluster) = &mut subject.cluster {
        cluster.checkpoint().await?;
    }
    let cast = if shape.hot {
        &subject.hot
    } else {
        &subject.wide
    };
    let load = Load {
        target: subject.target,
        cast: cast.clone(),
        connections: shape.connections,
        rows: shape.rows,
        run: name.run.clone(),
    };
    let running = load.start().await?;
    tokio::time::sleep(window.warm_up).await;
    let before = snapshot(subject, &running).await?;
    running.measure();
    tokio::time::sleep(window.measured).await;
    let after = snapshot(subject, &running).await?;
    let finished = running.finish()?;

    let wal = match (&mut subject.cluster, &before.wal, &after.wal) {
        (Some(cluster), Some(from), Some(to)) => cluster.wal_between(from, to).await?,
        _ => crate::auditor::cluster::Wal::default(),
    };
    let seconds = (after.at - before.at).as_secs_f64();
    let delivered = after.delivered - before.delivered;
    let each = |total: f64| {
        if delivered == 0 {
            0.0
        } else {
            total / as_float(delivered)
        }
    };
    let micros = |from: Duration, to: Duration| each(to.saturating_sub(from).as_secs_f64() * 1e6);
    let recorder = &finished.recorder;
    let measurement = Measurement {
        stage: name.stage.to_owned(),
        side: subject.side,
        turn: name.turn,
        seconds,
        delivered,
        per_second: as_float(delivered) / seconds,
        requests: recorder.samples(),
        p50_ms: recorder.quantile_ms(0.5),
        p99_ms: recorder.quantile_ms(0.99),
        p999_ms: recorder.quantile_ms(0.999),
        server_us: micros(before.server, after.server),
        postgres_us: micros(before.postgres, after.postgres),
        generator_us: micros(before.generator, after.generator),
        wal_bytes: each(as_float(wal.total)),
        wal_bytes_without_images: wal.without_images.map(|bytes| each(as_float(bytes))),
        resident_bytes: measure::resident(subject.process.id()),
        refused: recorder.refused.clone(),
        failed: recorder
            .failed
            .iter()
            .map(|(class, count)| (class.to_string(), *count))
            .collect(),
    };
    Ok((measurement, finished.answers))
}

async fn snapshot(subject: &mut Subject, running: &Running) -> anyhow::Result<Snapshot> {
    let wal = match &mut subject.cluster {
        Some(cluster) => Some(cluster.wal_position().await?),
        None => None,
    };
    Ok(Snapshot {
        at: Instant::now(),
        delivered: running.delivered(),
        server: measure::process_cpu(subject.process.id()),
        postgres: subject.cluster.as_ref().map_or(Duration::ZERO, |cluster| {
            measure::cluster_cpu(cluster.postmaster)
        }),
        generator: measure::process_cpu(std::process::id()),
        wal,
    })
}

/// Waits until server and cluster have finished what the run before left them, a few seconds at
/// most: vacuum and the engine's own feed may go on for a while.
async fn quiet(subject: &Subject) {
    const STEP: Duration = Duration::from_millis(250);
    let busy = || {
        let postgres = subject.cluster.as_ref().map(|cluster| cluster.postmaster);
        measure::process_cpu(subject.process.id())
            + postgres.map_or(Duration::ZERO, measure::cluster_cpu)
    };
    let mut last = busy();
    for _ in 0..20 {
        tokio::time::sleep(STEP).await;
        let now = busy();
        if now.saturating_sub(last) < STEP / 10 {
            return;
        }
        last = now;
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a run are far below 2^52"
)]
pub(crate) fn as_float(count: u64) -> f64 {
    count as f64
}
