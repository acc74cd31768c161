//! One run from its ground to its verdict.
//!
//! Keeps: what was done is healed and everything unanswered is asked again before anybody judges; what
//! is needed to look at a failure stays.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use super::{
    Arguments,
    cast::Cast,
    crowd::Crowd,
    disk::Mounts,
    engine::Engines,
    ground::{Ground, Size},
    nemesis::{self, Act, Nemesis},
    rest,
    shop::Stage,
    summary::Summary,
    verdict,
};
use crate::{report::say, schedule::Dice};

/// Processes of shops.
const STREETS: u32 = 2;
const HEAL_WITHIN: Duration = Duration::from_mins(4);
/// Serials of the load cast at the start, and for each act: more than shops can buy until it is over.
const SERIALS_MIN: u32 = 50_000;
const SERIALS_PER_ACT: u32 = 2700;
const SERIALS_MAX: u32 = 6_000_000;
const PRODUCTS: u32 = 40;
const RESELLERS: u32 = 48;
/// Resellers beside them that lose their keys while the run lasts.
const REVOCABLE_PER_CYCLE: usize = 2;
const REVOCABLE_MAX: usize = 24;

/// One run.
pub(super) struct Run {
    pub(super) arguments: Arguments,
    pub(super) seed: u64,
    pub(super) program: PathBuf,
    pub(super) directory: PathBuf,
    pub(super) mounts: Mounts,
}

impl Run {
    /// How a person looks at it and does it again.
    pub(super) fn repeat(&self) -> String {
        format!(
            "kept in {}; repeat it with: make crash SEED={} CYCLES={}",
            self.directory.display(),
            self.seed,
            self.arguments.cycles
        )
    }

    fn size(&self) -> Size {
        let cycles = u32::try_from(self.arguments.cycles).unwrap_or(u32::MAX);
        let acts = self.acts().iter().map(Vec::len).sum::<usize>();
        let acts = u32::try_from(acts).unwrap_or(u32::MAX);
        let serials = SERIALS_PER_ACT.saturating_mul(acts);
        let serials = serials.saturating_add(SERIALS_MIN).min(SERIALS_MAX);
        let revocable = (self.arguments.cycles * REVOCABLE_PER_CYCLE).min(REVOCABLE_MAX);
        Size {
            products: PRODUCTS,
            resellers: RESELLERS + u32::try_from(revocable).unwrap_or_default(),
            revocable,
            serials_per_product: serials / PRODUCTS,
            tables_megabytes: 512 + u64::from(cycles) * 100,
        }
    }

    pub(super) fn whole(&self) -> anyhow::Result<Summary> {
        let started = Instant::now();
        let programs = postgres_programs(self.arguments.postgres_bin.as_deref())?;
        let size = self.size();
        let mut ground = Ground::prepare(&self.directory, &programs, self.mounts, size)?;
        say(&format!(
            "crash: seed {}, {} cycles, in {}",
            self.seed,
            self.arguments.cycles,
            self.directory.display()
        ));
        if self.mounts == Mounts::Forbidden {
            say("crash: mounting is forbidden here, so no disk is filled");
        }
        let finished = self.on(&mut ground, started);
        if !finished.as_ref().is_ok_and(Summary::good) {
            ground.keep()?;
        }
        ground.forget_histories();
        finished
    }

    fn on(&self, ground: &mut Ground, started: Instant) -> anyhow::Result<Summary> {
        let lanes = self.arguments.lanes;
        let cast = ground.seed(&self.program, self.size(), lanes)?;
        let settings = ground.engine_settings(&self.program, lanes);
        let mut engines = Engines::new(settings)?;
        let stages = self.stages(&cast, &engines, ground);
        engines.ensure_serving(Duration::from_mins(1))?;
        let mut crowd = Crowd::open(&self.directory, &stages)?;

        let mut nemesis = Nemesis::new(ground, &mut engines, &mut crowd, self.seed);
        nemesis.recover()?;
        let struck = self.strike(&mut nemesis);
        if let Err(failure) = &struck {
            // What was told until then is judged all the same.
            say(&format!("crash: {failure:#}"));
        }
        let mut summary = Summary::new(self.seed, &nemesis);
        let healed = crowd.heal(HEAL_WITHIN + Duration::from_mins(1), || {
            ground.postgres.recover()?;
            engines.ensure_serving(HEAL_WITHIN).map(drop)
        });
        if let Err(failure) = &healed {
            say(&format!("crash: {failure:#}"));
            crowd.end()?;
        }
        summary.acknowledged = crowd.acknowledged();
        summary.calls = crowd.calls();
        summary.engine_starts = engines.starts;
        let rested = match &healed {
            Ok(()) => rest::memory(&mut engines, &ground.postgres, &cast).map(Some),
            Err(_) => Ok(None),
        };
        let (memory, rested) = match rested {
            Ok(memory) => (memory, Ok(())),
            Err(failure) => {
                say(&format!("crash: {failure:#}"));
                (None, Err(failure))
            }
        };
        let run = verdict::told(&engines, cast.before, memory)?;
        engines.end_all()?;
        let (changes, verdict) = verdict::judge(ground, &run)?;
        summary.terms_changed = changes;
        summary.judge(verdict);
        summary.seconds = started.elapsed().as_secs();
        self.tell(&summary)?;
        struck.and(healed).and(rested).map(|()| summary)
    }

    /// What is to be done in each cycle.
    fn acts(&self) -> Vec<Vec<Act>> {
        let mut dice = Dice::new(self.seed);
        let cycle = |number| {
            let mut acts = nemesis::cycle(number, &mut dice);
            acts.retain(|act| self.wanted(&act.to_string()));
            acts
        };
        (0..self.arguments.cycles).map(cycle).collect()
    }

    fn strike(&self, nemesis: &mut Nemesis<'_>) -> anyhow::Result<()> {
        let until = Instant::now() + Duration::from_secs(self.arguments.minutes * 60);
        for (number, acts) in self.acts().into_iter().enumerate() {
            for act in acts {
                if Instant::now() > until {
                    say(&format!("crash: time is up in cycle {number}"));
                    return Ok(());
                }
                nemesis.strike(act)?;
            }
            let acknowledged = nemesis.crowd.acknowledged();
            say(&format!(
                "crash: cycle {number} done, {acknowledged} orders"
            ));
        }
        Ok(())
    }

    fn wanted(&self, name: &str) -> bool {
        let only = self.arguments.only.as_deref();
        only.is_none_or(|part| name.contains(part))
    }

    fn stages(&self, cast: &Cast, engines: &Engines, ground: &Ground) -> Vec<Stage> {
        let stage = |process| Stage {
            seed: self.seed,
            process,
            shops: self.arguments.shops.div_ceil(STREETS),
            engines: engines.addresses(),
            histories: ground.histories.clone(),
            heal_within: HEAL_WITHIN,
            resellers: cast.resellers.clone(),
            supplier: cast.supplier.clone(),
            merchant: (process == 0).then(|| cast.merchant.clone()),
        };
        (0..STREETS).map(stage).collect()
    }

    fn tell(&self, summary: &Summary) -> anyhow::Result<()> {
        say(&summary.to_string());
        let json = serde_json::to_vec_pretty(summary)?;
        fs::write(self.directory.join("summary.json"), &json)?;
        if let Some(path) = &self.arguments.summary {
            fs::write(path, &json).with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(())
    }
}

/// The named programs, or the newest where the packages of the system put them.
fn postgres_programs(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    let mut found: Vec<PathBuf> = match named {
        Some(named) => vec![named.to_owned()],
        None => fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
            .collect(),
    };
    found.retain(|bin| bin.join("postgres").exists());
    found.sort_by_key(|bin| {
        let major = bin.parent().and_then(|path| path.file_name()?.to_str());
        major.and_then(|text| text.parse::<u32>().ok())
    });
    let newest = found.pop();
    ensure!(
        newest.is_some(),
        "no Postgres is installed; CONSIGN_POSTGRES_BIN names its programs' directory"
    );
    newest.context("checked above")
}
