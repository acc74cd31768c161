//! Processes the comparison starts: the engine and the peers.
//!
//! Keeps: whatever is started is ended, by its own pid, first politely (the engine must stop its
//! cluster) and by force only after [`PATIENCE`].

use std::{
    ffi::OsStr,
    fs::File,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use crate::client::Connection;

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts `program`; what it prints goes to `log`.
    pub(crate) fn start<I, S>(
        program: &Path,
        arguments: I,
        environment: &[(&str, String)],
        log: &Path,
    ) -> anyhow::Result<Self>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let output = File::options().create(true).append(true).open(log)?;
        let child = Command::new(program)
            .args(arguments)
            .envs(
                environment
                    .iter()
                    .map(|(name, value)| (*name, value.as_str())),
            )
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        Ok(Self {
            child,
            name: program.display().to_string(),
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// An error once the process has ended.
    pub(crate) fn check(&mut self, log: &Path) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!(
                "{} ended with {status}; its output is in {}",
                self.name,
                log.display()
            );
        }
        Ok(())
    }

    /// Ends it as a crash would.
    pub(crate) fn crash(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()?;
        let until = Instant::now() + PATIENCE;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > until {
                self.child.kill()?;
                self.child.wait()?;
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop().ok();
    }
}

/// A port nobody listens on at this moment.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

/// Whether `GET path` answers 200.
pub(crate) async fn answers(target: SocketAddr, path: &str) -> bool {
    let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    let ask = async {
        let mut connection = Connection::open(target).await.ok()?;
        Some(connection.call(request.as_bytes()).await.ok()?.status)
    };
    let answer = tokio::time::timeout(Duration::from_secs(2), ask).await;
    answer.ok().flatten() == Some(200)
}
