//! The order of the whole comparison: start, tune, stages by turns, audits, stop.
//!
//! Keeps: what is running is owned here, so that an error anywhere still ends every process.

use std::{path::PathBuf, sync::Arc};

use ::auditor::Before;
use anyhow::{Context as _, bail};

use super::{
    Arguments, machine,
    plan::{self, Stage},
    run::{self, Measurement, Name},
    slow_disk, solo, start,
    subject::{self, EngineSettings, Side, Subject},
};
use crate::{
    answers::Answers,
    auditor,
    auditor::cluster::Cluster,
    cast::Cast,
    report::{comparison::Comparison, say},
};

pub(crate) struct Bench<'a> {
    pub(super) arguments: &'a Arguments,
    pub(super) directory: PathBuf,
    engine: Option<Subject>,
    pub(super) database_url: String,
    pub(super) peer_cast: Option<Arc<Cast>>,
    pub(super) found: Comparison,
    runs: usize,
}

impl<'a> Bench<'a> {
    pub(super) fn new(arguments: &'a Arguments, directory: PathBuf) -> Self {
        let window = plan::window(arguments.quick, plan::shape(false, 64, 1));
        let found = Comparison {
            commit: machine::commit(),
            turns: arguments.turns(),
            window_seconds: window.measured.as_secs_f64(),
            warm_up_seconds: window.warm_up.as_secs_f64(),
            notes: notes(),
            ..Comparison::default()
        };
        Self {
            arguments,
            directory,
            engine: None,
            database_url: String::new(),
            peer_cast: None,
            found,
            runs: 0,
        }
    }

    pub(super) async fn everything(&mut self) -> anyhow::Result<()> {
        self.begin().await?;
        if self.engine.is_some() && self.arguments.wants("memory") {
            self.stop_engine()?;
            self.found.memory = Some(solo::memory(&self.engine_settings()?).await?);
            self.start_engine(None).await?;
        }
        self.seed_peers().await?;
        self.tune().await?;
        for stage in plan::STAGES {
            self.stage(stage).await?;
        }
        if self.arguments.database_url.is_none() {
            self.open_loop().await?;
            self.slow_disks().await?;
            self.recovery().await?;
        }
        Ok(())
    }

    /// Ends all processes and gives what was found.
    pub(super) fn finish(mut self) -> Comparison {
        if let Some(mut engine) = self.engine.take() {
            drop(engine.cluster.take());
            engine.process.stop().ok();
        } else if !self.database_url.is_empty() {
            say("the peers' databases stay on the cluster they were given");
        }
        self.found
    }

    pub(super) fn engine(&mut self) -> anyhow::Result<&mut Subject> {
        self.engine.as_mut().context("there is no engine")
    }

    async fn begin(&mut self) -> anyhow::Result<()> {
        if let Some(url) = &self.arguments.database_url {
            self.database_url.clone_from(url);
        } else {
            say("starting the engine and filling its database ...");
            self.start_engine(None).await?;
        }
        let mut cluster = Cluster::connect(&self.database_url).await?;
        self.found.notes.extend(machine::busy());
        self.found.machine = machine::describe(&self.directory)?;
        self.found.machine.extend(cluster.describe().await?);
        Ok(())
    }

    fn engine_settings(&self) -> anyhow::Result<EngineSettings> {
        let state_dir = self.directory.join("engine");
        Ok(EngineSettings {
            serials_per_product: self.arguments.serials_per_product(),
            hot_serials: self.arguments.hot_serials(),
            ..EngineSettings::of(self.arguments.consign.as_deref(), state_dir)?
        })
    }

    async fn start_engine(&mut self, postgres_bin: Option<PathBuf>) -> anyhow::Result<()> {
        let settings = EngineSettings {
            postgres_bin,
            ..self.engine_settings()?
        };
        let (engine, demo) = subject::engine(&settings).await?;
        self.database_url = demo.database_url;
        self.engine = Some(engine);
        Ok(())
    }

    /// All turns of one stage, then the audit of what the engine stored in it.
    async fn stage(&mut self, stage: &Stage) -> anyhow::Result<()> {
        if !self.arguments.wants(stage.name) {
            return Ok(());
        }
        say(&format!("{}: {}", stage.name, stage.what));
        self.found
            .stages
            .push((stage.name.to_owned(), stage.what.to_owned()));
        let with_engine = self.engine.is_some();
        let mut stubbed = None;
        if with_engine && stage.sides.contains(&Side::Memory) {
            stubbed = Some(self.stubbed_engine().await?);
        }
        let mut raw = None;
        if with_engine && stage.sides.contains(&Side::Raw) {
            raw = Some(solo::Raw::create(self).await?);
        }
        let (before, mut answers) = self.warm(stage, &mut stubbed).await?;
        for turn in 0..self.arguments.turns() {
            for &side in stage.sides {
                match side {
                    Side::Engine if with_engine => {
                        answers.extend(self.engine_run(stage, turn).await?);
                    }
                    Side::Memory => {
                        if let Some(subject) = &mut stubbed {
                            self.other_run(stage, turn, subject).await?;
                        }
                    }
                    Side::Raw => {
                        if let Some(raw) = &mut raw {
                            let quick = self.arguments.quick;
                            self.keep(raw.measure(stage.name, turn, quick).await?);
                        }
                    }
                    Side::Engine => {}
                    // Started for its turn only: idle connections cost everybody's snapshots.
                    Side::Transaction | Side::Procedure | Side::Echo => {
                        let pool = self.pool(side, stage.shape.hot);
                        let mut peer = self.peer(side, pool).await?;
                        self.other_run(stage, turn, &mut peer).await?;
                    }
                }
            }
        }
        drop(stubbed);
        self.audit(stage.name, before, &answers).await
    }

    /// Loads every actor and lets the windows of serials settle before a stage: what a cold start
    /// costs is measured by itself.
    async fn warm(
        &mut self,
        stage: &Stage,
        stubbed: &mut Option<Subject>,
    ) -> anyhow::Result<(Before, Vec<Answers>)> {
        let runs = [self.next_run(), self.next_run()];
        let (mut before, mut answers) = (Before::Nothing, Vec::new());
        let subjects = [self.engine.as_mut(), stubbed.as_mut()];
        for (subject, run) in subjects.into_iter().flatten().zip(runs) {
            solo::touch_all(subject.target, &subject.wide, &format!("{run}t")).await?;
            if subject.side == Side::Engine {
                before = auditor::before(&self.database_url).await?;
            }
            let name = Name {
                stage: "warm-up",
                turn: 0,
                run,
            };
            let window = plan::window(true, stage.shape);
            let (_, sent) = run::once(subject, stage.shape, window, name).await?;
            if subject.side == Side::Engine {
                answers = sent;
            }
        }
        Ok((before, answers))
    }

    async fn stubbed_engine(&self) -> anyhow::Result<Subject> {
        let settings = EngineSettings {
            stubbed: true,
            state_dir: self.directory.join("memory"),
            serials_per_product: self.arguments.serials_per_product() / 2,
            hot_serials: 10_000,
            ..self.engine_settings()?
        };
        Ok(subject::engine(&settings).await?.0)
    }

    async fn other_run(
        &mut self,
        stage: &Stage,
        turn: usize,
        subject: &mut Subject,
    ) -> anyhow::Result<()> {
        let name = Name {
            stage: stage.name,
            turn,
            run: self.next_run(),
        };
        let window = plan::window(self.arguments.quick, stage.shape);
        let (measured, _) = run::once(subject, stage.shape, window, name).await?;
        self.keep(measured);
        Ok(())
    }

    async fn engine_run(&mut self, stage: &Stage, turn: usize) -> anyhow::Result<Vec<Answers>> {
        let name = Name {
            stage: stage.name,
            turn,
            run: self.next_run(),
        };
        let window = plan::window(self.arguments.quick, stage.shape);
        let (measured, answers) = run::once(self.engine()?, stage.shape, window, name).await?;
        self.keep(measured);
        Ok(answers)
    }

    pub(super) fn next_run(&mut self) -> String {
        self.runs += 1;
        format!("c{}r{}", std::process::id(), self.runs)
    }

    fn keep(&mut self, measured: Measurement) {
        let lost: u64 = measured
            .refused
            .values()
            .chain(measured.failed.values())
            .sum();
        say(&format!(
            "  {:<28} {:>7.0}/s  p50 {:>6.2} ms  p99 {:>6.2} ms  server {:>4.0} µs  Postgres {:>5.0} µs  \
             generator {:>3.0} µs  WAL {:>5.0} B{}",
            measured.side.name(),
            measured.per_second,
            measured.p50_ms,
            measured.p99_ms,
            measured.server_us,
            measured.postgres_us,
            measured.generator_us,
            measured.wal_bytes,
            if lost == 0 {
                String::new()
            } else {
                format!(
                    "  NOT DELIVERED {:?} {:?}",
                    measured.refused, measured.failed
                )
            }
        ));
        self.found.runs.push(measured);
    }

    async fn audit(
        &mut self,
        stage: &str,
        before: Before,
        answers: &[Answers],
    ) -> anyhow::Result<()> {
        if answers.is_empty() {
            return Ok(());
        }
        let judged = auditor::audit(&self.database_url, stage, before, answers).await;
        judged.tell();
        let good = judged.verdict.good();
        self.found.audits.push(judged);
        if !good {
            bail!("the audit of `{stage}` does not hold");
        }
        Ok(())
    }

    async fn open_loop(&mut self) -> anyhow::Result<()> {
        if !self.arguments.wants("open") {
            return Ok(());
        }
        let peak = ["uniform-64", "uniform-256"].iter().filter_map(|stage| {
            let rates = self
                .found
                .figures(stage, Side::Engine, |run| run.per_second);
            crate::report::comparison::median(rates)
        });
        let Some(peak) = peak.max_by(f64::total_cmp) else {
            return Ok(());
        };
        say(&format!("open loop at 70 % of {peak:.0} a second"));
        let before = auditor::before(&self.database_url).await?;
        let mut answers = Vec::new();
        let mut all = None;
        for _ in 0..self.arguments.turns().min(3) {
            let run = self.next_run();
            let engine = self.engine()?;
            answers.extend(solo::open_loop(engine, peak * 0.7, run, &mut all).await?);
        }
        self.found.open_loop = all;
        self.audit("open loop", before, &answers).await
    }

    async fn slow_disks(&mut self) -> anyhow::Result<()> {
        for &milliseconds in &self.arguments.slow_disk_ms {
            let stages = plan::slow(milliseconds);
            if !stages.iter().any(|stage| self.arguments.wants(stage.name)) {
                continue;
            }
            let bin = slow_disk::prepare(&self.directory, milliseconds)?;
            self.stop_engine()?;
            self.start_engine(Some(bin)).await?;
            let rate = solo::flush_rate(&self.database_url).await?;
            let note = format!(
                "With {milliseconds} ms added to each flush one connection commits {rate:.0} single \
                 rows a second."
            );
            say(&note);
            self.found.notes.push(note);
            for stage in &stages {
                self.stage(stage).await?;
            }
        }
        Ok(())
    }

    fn stop_engine(&mut self) -> anyhow::Result<()> {
        if let Some(mut engine) = self.engine.take() {
            drop(engine.cluster.take());
            engine.process.stop()?;
        }
        Ok(())
    }

    async fn recovery(&mut self) -> anyhow::Result<()> {
        if !self.arguments.wants("start") {
            return Ok(());
        }
        self.stop_engine()?;
        let settings = self.engine_settings()?;
        let turns = if self.arguments.quick {
            1
        } else {
            self.arguments.turns()
        };
        self.found.start = Some(start::measure(&settings, turns).await?);
        Ok(())
    }

    pub(super) fn migrations(&self) -> &std::path::Path {
        &self.arguments.migrations
    }
}

fn notes() -> Vec<String> {
    [
        "To the peers' advantage: keys are looked up in memory, no outbox row is written for an \
         order's event, tables hold fewer serials, plans are fixed, the pool is the best of those \
         tried, for each kind of load its own.",
        "Latency of the batch stage is that of a request of 100 orders; Postgres alone takes the \
         best of batches of 100, 256 and 512.",
        "A checkpoint precedes each run, so the log of short runs carries many page images; P8 is \
         judged by the less flattering of both ways to count.",
    ]
    .map(str::to_owned)
    .into()
}
