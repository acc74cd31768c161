//! The built binary as processes: one serves, others may wait or be frozen.
//!
//! Keeps: every engine has one of a few fixed addresses, which all shops know, and reaches Postgres
//! through the proxy only.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::ExitStatus,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use super::process::{Process, Signal, bound_to_us, wait_for};
use crate::compare::process::free_address;

/// Places for engines: one that serves, one that waits, one too many.
pub(super) const PLACES: usize = 3;
const ANSWER_WITHIN: Duration = Duration::from_millis(500);
const ANSWER_AT_REST_WITHIN: Duration = Duration::from_secs(30);

/// How an engine ends that must not be started again.
pub(super) const HALTED: i32 = 3;

/// What all engines of a run have in common.
pub(super) struct Settings {
    pub(super) program: PathBuf,
    pub(super) database_url: String,
    pub(super) root_key_file: PathBuf,
    pub(super) lanes: u16,
    /// Where this machine remembers how far its lanes are.
    pub(super) remembered: PathBuf,
    /// Where the first standby is, if there is one: only an engine with a broken rule asks it.
    pub(super) standby: PathBuf,
    pub(super) log: PathBuf,
}

/// One engine.
struct Engine {
    process: Process,
    frozen: bool,
}

/// Engines by their places.
pub(super) struct Engines {
    settings: Settings,
    addresses: [(SocketAddr, SocketAddr); PLACES],
    places: [Option<Engine>; PLACES],
    pub(super) starts: u64,
    /// Alarms that were caused on purpose.
    pub(super) provoked: u64,
    /// The longest time from a start to readiness.
    pub(super) slowest_start: Duration,
}

impl Engines {
    pub(super) fn new(settings: Settings) -> anyhow::Result<Self> {
        let address = || anyhow::Ok((free_address()?, free_address()?));
        Ok(Self {
            settings,
            addresses: [address()?, address()?, address()?],
            places: [const { None }; PLACES],
            starts: 0,
            provoked: 0,
            slowest_start: Duration::ZERO,
        })
    }

    /// Where shops may ask.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.addresses.iter().map(|(http, _)| *http).collect()
    }

    /// Starts an engine in a free place.
    pub(super) fn start(&mut self) -> anyhow::Result<usize> {
        self.collect()?;
        let free = self.places.iter().position(Option::is_none);
        let place = free.context("more engines than places")?;
        let (http, ops) = self.addresses[place];
        let mut command = bound_to_us(&self.settings.program);
        command
            .arg("serve")
            .env("DATABASE_URL", &self.settings.database_url)
            .env("CONSIGN_VAULT__ROOT_KEY_FILE", &self.settings.root_key_file)
            .env(
                "CONSIGN_DATABASE__TRIPWIRE_DIRECTORY",
                &self.settings.remembered,
            )
            .env("CONSIGN_SABOTAGE_STANDBY", &self.settings.standby)
            .env("CONSIGN_HTTP__LISTEN", http.to_string())
            .env("CONSIGN_OPS__LISTEN", ops.to_string())
            .env("CONSIGN_ENGINE__LANES", self.settings.lanes.to_string());
        let process = Process::start(command, &self.settings.log)?;
        self.places[place] = Some(Engine {
            process,
            frozen: false,
        });
        self.starts += 1;
        Ok(place)
    }

    /// Forgets engines that have ended by themselves.
    pub(super) fn collect(&mut self) -> anyhow::Result<()> {
        for engine in &mut self.places {
            if let Some(found) = engine
                && found.process.ended()?.is_some()
            {
                *engine = None;
            }
        }
        Ok(())
    }

    /// The engine that serves now.
    pub(super) fn serving(&mut self) -> Option<usize> {
        (0..PLACES).find(|&place| self.is_ready(place))
    }

    pub(super) fn is_ready(&mut self, place: usize) -> bool {
        let awake = self.places[place]
            .as_ref()
            .is_some_and(|engine| !engine.frozen);
        awake && is_ready(self.addresses[place].1)
    }

    /// Makes sure that one engine serves, starting engines as a supervisor would: not after one that says
    /// it must not be started again.
    pub(super) fn ensure_serving(&mut self, within: Duration) -> anyhow::Result<usize> {
        let asked = Instant::now();
        loop {
            for place in 0..PLACES {
                let status = self.ended(place)?;
                ensure!(
                    status.and_then(|status| status.code()) != Some(HALTED),
                    "an engine halted; see {}",
                    self.settings.log.display()
                );
            }
            self.collect()?;
            if let Some(place) = self.serving() {
                return Ok(place);
            }
            if self.places.iter().all(Option::is_none) {
                self.start()?;
            }
            ensure!(
                asked.elapsed() < within,
                "no engine was ready within {within:?}; see {}",
                self.settings.log.display()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What the engine that serves answers under a key: status line, heads and body.
    pub(super) fn answer(&mut self, path: &str, key: &str) -> anyhow::Result<String> {
        let place = self.ensure_serving(ANSWER_AT_REST_WITHIN)?;
        get_as(self.addresses[place].0, path, Some(key))
    }

    /// Waits until the engine of this place serves.
    pub(super) fn becomes_ready(&mut self, place: usize, within: Duration) -> bool {
        let started = Instant::now();
        let ready = wait_for(within, || self.is_ready(place));
        if ready {
            self.slowest_start = self.slowest_start.max(started.elapsed());
        }
        ready
    }

    pub(super) fn kill(&mut self, place: usize) -> anyhow::Result<()> {
        if let Some(mut engine) = self.places[place].take() {
            engine.process.kill()?;
        }
        Ok(())
    }

    /// The number of an engine's process.
    pub(super) fn process(&self, place: usize) -> Option<u32> {
        let engine = self.places[place].as_ref();
        engine.map(|engine| engine.process.id())
    }

    pub(super) fn freeze(&mut self, place: usize) -> anyhow::Result<()> {
        if let Some(engine) = &mut self.places[place] {
            engine.process.tell(Signal::Stop)?;
            engine.frozen = true;
        }
        Ok(())
    }

    pub(super) fn thaw(&mut self, place: usize) -> anyhow::Result<()> {
        if let Some(engine) = &mut self.places[place] {
            engine.process.tell(Signal::Continue)?;
            engine.frozen = false;
        }
        Ok(())
    }

    /// Asks an engine to drain and waits for its end.
    pub(super) fn drain(&mut self, place: usize, within: Duration) -> anyhow::Result<ExitStatus> {
        let engine = self.places[place].take();
        let mut engine = engine.context("there is no engine to drain")?;
        engine.process.tell(Signal::Term)?;
        engine.process.end_within(within)
    }

    /// Waits for an engine to end by itself.
    pub(super) fn ends(&mut self, place: usize, within: Duration) -> anyhow::Result<bool> {
        let ended = wait_for(within, || {
            self.places[place]
                .as_mut()
                .is_none_or(|engine| !matches!(engine.process.ended(), Ok(None)))
        });
        self.collect()?;
        Ok(ended)
    }

    /// Its status, if an engine has ended by itself.
    pub(super) fn ended(&mut self, place: usize) -> anyhow::Result<Option<ExitStatus>> {
        match &mut self.places[place] {
            Some(engine) => engine.process.ended(),
            None => Ok(None),
        }
    }

    /// Waits for an engine to end by itself; the code it ended with, if it did and had one.
    pub(super) fn ends_with(
        &mut self,
        place: usize,
        within: Duration,
    ) -> anyhow::Result<Option<i32>> {
        wait_for(within, || !matches!(self.ended(place), Ok(None)));
        let status = self.ended(place)?;
        self.collect()?;
        Ok(status.and_then(|status| status.code()))
    }

    pub(super) fn end_all(&mut self) -> anyhow::Result<()> {
        for place in 0..PLACES {
            self.kill(place)?;
        }
        Ok(())
    }

    pub(super) fn log(&self) -> &Path {
        &self.settings.log
    }
}

fn is_ready(ops: SocketAddr) -> bool {
    get(ops, "/readyz").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// One plain GET: head and body as text.
fn get(address: SocketAddr, path: &str) -> anyhow::Result<String> {
    get_as(address, path, None)
}

fn get_as(address: SocketAddr, path: &str, key: Option<&str>) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_WITHIN)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.set_write_timeout(Some(ANSWER_WITHIN))?;
    let key = key.map_or_else(String::new, |key| {
        format!("authorization: Bearer {key}\r\n")
    });
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{key}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(4 << 20).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
