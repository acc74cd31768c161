//! The processes of shops, seen from the rig: how many orders were acknowledged, and their end.
//!
//! Keeps: a process of shops that ends before it is told to fails the run.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use super::{
    process::{Process, bound_to_us},
    shop::Stage,
};

const SUPERVISED_EVERY: Duration = Duration::from_millis(50);

pub(super) struct Crowd {
    processes: Vec<(Process, Arc<Told>)>,
    notes: File,
    started: Instant,
}

/// What a process of shops last said of itself.
#[derive(Default)]
struct Told {
    acknowledged: AtomicU64,
    calls: AtomicU64,
}

impl Crowd {
    /// Starts a process for each stage.
    pub(super) fn open(directory: &Path, stages: &[Stage]) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this binary's own path")?;
        let mut processes = Vec::with_capacity(stages.len());
        for stage in stages {
            let file = directory.join(format!("shops-{}.json", stage.process));
            std::fs::write(&file, serde_json::to_vec(stage)?)?;
            let log = directory.join("shops.log");
            let mut command = bound_to_us(&program);
            command
                .arg("shops")
                .arg(&file)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(File::options().create(true).append(true).open(&log)?);
            let mut process = Process::spawn(command, &log)?;
            let told = Arc::new(Told::default());
            let lines = process.child().stdout.take().context("piped")?;
            let listening = Arc::clone(&told);
            std::thread::spawn(move || {
                for line in BufReader::new(lines).lines().map_while(Result::ok) {
                    listening.hear(&line);
                }
            });
            processes.push((process, told));
        }
        Ok(Self {
            processes,
            notes: File::options()
                .create(true)
                .append(true)
                .open(directory.join("nemesis.log"))?,
            started: Instant::now(),
        })
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.sum(|told| &told.acknowledged)
    }

    pub(super) fn calls(&self) -> u64 {
        self.sum(|told| &told.calls)
    }

    fn sum(&self, of: impl Fn(&Told) -> &AtomicU64) -> u64 {
        let all = self.processes.iter();
        all.map(|(_, told)| of(told).load(Ordering::Relaxed)).sum()
    }

    /// An error once a process of shops has ended.
    pub(super) fn check(&mut self) -> anyhow::Result<()> {
        for (process, _) in &mut self.processes {
            if let Some(status) = process.ended()? {
                bail!("a process of shops ended with {status}; see shops.log");
            }
        }
        Ok(())
    }

    /// Adds a line to the log of what was done.
    pub(super) fn note(&mut self, line: &str) {
        let (at, acknowledged) = (self.started.elapsed().as_secs_f64(), self.acknowledged());
        writeln!(self.notes, "{at:9.3} {acknowledged:8} {line}").ok();
    }

    /// Tells the shops to end, which they do when they know what became of every call. Meanwhile
    /// `supervise` keeps what they call alive.
    pub(super) fn heal(
        &mut self,
        within: Duration,
        mut supervise: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let until = Instant::now() + within;
        for (process, _) in &mut self.processes {
            drop(process.child().stdin.take());
        }
        for (process, _) in &mut self.processes {
            while process.ended()?.is_none() && Instant::now() < until {
                supervise()?;
                std::thread::sleep(SUPERVISED_EVERY);
            }
            let status = process.end_within(Duration::ZERO)?;
            ensure!(
                status.success(),
                "shops did not learn what became of their calls ({status}); see shops.log"
            );
        }
        Ok(())
    }

    /// Ends them at once: what they wrote so far is all there is.
    pub(super) fn end(&mut self) -> anyhow::Result<()> {
        for (process, _) in &mut self.processes {
            process.kill()?;
        }
        Ok(())
    }
}

impl Told {
    fn hear(&self, line: &str) {
        let mut numbers = line.split(' ').map(str::parse::<u64>);
        if let (Some(Ok(acknowledged)), Some(Ok(calls))) = (numbers.next(), numbers.next()) {
            self.acknowledged.store(acknowledged, Ordering::Relaxed);
            self.calls.store(calls, Ordering::Relaxed);
        }
    }
}
