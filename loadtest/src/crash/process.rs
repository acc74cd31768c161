//! Processes that the rig starts.
//!
//! Keeps: whatever is started is ended by its own number, on every way out: a value that is dropped
//! kills and collects its process, and the kernel kills it if the rig itself is killed.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

/// How often something that is waited for is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

pub(super) struct Process {
    child: Child,
    log: PathBuf,
}

/// What a process can be told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signal {
    /// To end in order.
    Term,
    /// Of Postgres: to end at once, as a crash.
    Quit,
    /// Of Postgres: to end without waiting for its clients.
    Int,
    Stop,
    Continue,
    Kill,
}

impl Signal {
    const fn name(self) -> &'static str {
        match self {
            Self::Term => "TERM",
            Self::Quit => "QUIT",
            Self::Int => "INT",
            Self::Stop => "STOP",
            Self::Continue => "CONT",
            Self::Kill => "KILL",
        }
    }
}

/// A command whose process does not outlive the rig.
///
/// The kernel watches the thread that starts it, so it is started from the rig's main thread only.
pub(super) fn bound_to_us(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

impl Process {
    /// Starts `command`; what it prints is added to `log`.
    pub(super) fn start(mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        Self::spawn(command, log)
    }

    /// Starts `command` with the streams it already has.
    pub(super) fn spawn(mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let child = command
            .spawn()
            .with_context(|| format!("starting {command:?}"))?;
        Ok(Self {
            child,
            log: log.to_owned(),
        })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Its end, if it has come.
    pub(super) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    pub(super) fn tell(&mut self, signal: Signal) -> anyhow::Result<()> {
        if self.ended()?.is_none() {
            signal_to(self.id(), signal)?;
        }
        Ok(())
    }

    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        if self.ended()?.is_none() {
            self.child.kill()?;
            self.child.wait()?;
        }
        Ok(())
    }

    /// Waits for its end, and kills it when that does not come in time.
    pub(super) fn end_within(&mut self, time: Duration) -> anyhow::Result<ExitStatus> {
        let until = Instant::now() + time;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if Instant::now() > until {
                let (id, log) = (self.id(), self.log.display().to_string());
                self.kill()?;
                bail!("process {id} did not end within {time:?}; its output is in {log}");
            }
            sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill().ok();
    }
}

/// Tells a process that the rig started, or a child of one, something.
pub(super) fn signal_to(id: u32, signal: Signal) -> anyhow::Result<()> {
    let status = Command::new("kill")
        .args([format!("-{}", signal.name()), id.to_string()])
        .stderr(Stdio::null())
        .status()
        .context("running kill")?;
    // A process that ended by itself in the meantime is as good as told.
    let _ = status;
    Ok(())
}

/// Looks until `done` says so or the time is over, and returns whether it did.
pub(super) fn wait_for(time: Duration, mut done: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + time;
    loop {
        if done() {
            return true;
        }
        if Instant::now() > until {
            return false;
        }
        sleep(LOOK_EVERY);
    }
}

/// The parent of a process, while it lives.
pub(super) fn parent(id: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let fields = stat.rsplit(')').next()?;
    fields.split_whitespace().nth(1)?.parse().ok()
}
