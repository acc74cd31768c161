//! One cluster: met when it runs, started when it does not, made when there is none.
//!
//! Keeps: committed rows survive every way of meeting it, and the process that ends last ends it.

use std::{
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{Connection, postgres::PgConnectOptions};
use tokio::time::{sleep, timeout};

use super::{
    Binaries, Error, Options, Server,
    account::Account,
    conf, find,
    home::{Home, socket_path},
    lock::{self, Hold},
    postmaster::{self, Postmaster, Stop},
};

const ANSWER_DEADLINE: Duration = Duration::from_mins(5);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// How a start found the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// There was none; it was made.
    Created,
    /// It was there and stopped, or crashed; it was started.
    Started,
    /// It ran with other settings and was restarted with these.
    Restarted,
    /// It ran and was left as it is.
    Running,
}

/// A running cluster that this process uses.
///
/// Dropped or stopped, it ends the cluster unless another process uses it too. A killed process
/// leaves it running for the next start to meet.
#[derive(Debug)]
pub struct Cluster {
    postmaster: Postmaster,
    server: Server,
    socket_dir: PathBuf,
    met: Met,
    /// Held shared for as long as this process uses the cluster; taken out to end that use.
    in_use: Option<File>,
}

impl Cluster {
    /// Meets, starts or makes the cluster of `options.state_dir`.
    ///
    /// May be dropped at any point: the next start goes on from what it finds.
    pub async fn start(options: &Options) -> Result<Self, Error> {
        let account = Account::choose().await?;
        let home = Home::settle(&options.state_dir, &account).await?;
        let starting = lock::open(&home.start_lock())?;
        lock::take(&starting, &home.start_lock(), Hold::Alone).await?;

        let kept = postmaster::major(&home.data_dir());
        let binaries = find::find(options, &account, kept).await?;
        let postmaster = Postmaster {
            account,
            binaries,
            home,
        };
        let path = postmaster.home.use_lock();
        let in_use = lock::open(&path)?;
        let alone = lock::try_take(&in_use, &path, Hold::Alone)?;
        let (met, socket_dir) = meet(&postmaster, options, alone).await?;
        // Nobody else takes it alone in between: that needs the lock `starting` first.
        lock::take(&in_use, &path, Hold::Shared).await?;

        let server = Server::at_socket(&socket_dir);
        postmaster.home.record_url(&server.url("postgres"))?;
        tracing::info!(
            postgres.major = postmaster.binaries.major,
            socket = %socket_dir.display(),
            "Postgres {} is ready ({met:?})",
            postmaster.binaries.major
        );
        Ok(Self {
            postmaster,
            server,
            socket_dir,
            met,
            in_use: Some(in_use),
        })
    }

    /// The address of its databases.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// See [`Server::url`].
    pub fn url(&self, database: &str) -> String {
        self.server.url(database)
    }

    /// See [`Server::connect_options`].
    pub fn connect_options(&self, database: &str) -> PgConnectOptions {
        self.server.connect_options(database)
    }

    /// How this start found it.
    pub fn met(&self) -> Met {
        self.met
    }

    /// The programs it runs with.
    pub fn binaries(&self) -> &Binaries {
        &self.postmaster.binaries
    }

    /// The data directory; it may lie outside the state directory.
    pub fn data_dir(&self) -> PathBuf {
        self.postmaster.home.data_dir()
    }

    /// Where the server logs to.
    pub fn log_file(&self) -> PathBuf {
        self.postmaster.home.log_file()
    }

    /// The directory of its socket.
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// The postmaster's process number while it lives.
    pub async fn postmaster_pid(&self) -> Result<Option<u32>, Error> {
        Ok(self.postmaster.running().await?.map(|running| running.pid))
    }

    /// Ends the postmaster as a crash does (`pg_ctl stop -m immediate`); see [`Cluster::resume`].
    pub async fn crash(&self) -> Result<(), Error> {
        self.postmaster.stop(Stop::Immediate).await
    }

    /// Starts the postmaster again after a crash or a kill, with the settings it had.
    pub async fn resume(&self) -> Result<(), Error> {
        let path = self.postmaster.home.start_lock();
        let starting = lock::open(&path)?;
        lock::take(&starting, &path, Hold::Alone).await?;
        if self.postmaster.running().await?.is_none() {
            let file = self.data_dir().join(conf::FILE);
            let conf = std::fs::read_to_string(&file).map_err(Error::file("read", &file))?;
            self.postmaster.start(&conf).await?;
        }
        answers(&self.postmaster, &self.socket_dir).await
    }

    /// Stops the cluster unless another process uses it.
    pub async fn stop(self) -> Result<(), Error> {
        self.end(Stop::Fast).await.map(drop)
    }

    /// Stops the cluster and deletes its files with every row in them, unless another process uses
    /// it. For tests and rigs.
    pub async fn destroy(self) -> Result<(), Error> {
        let directory = self.postmaster.home.directory.clone();
        let Some(_starting) = self.end(Stop::Immediate).await? else {
            return Ok(());
        };
        std::fs::remove_dir_all(&directory).map_err(Error::file("delete", &directory))
    }

    /// Stops the cluster if this process is its last user; then nobody starts it before the lock
    /// returned here is gone.
    async fn end(mut self, how: Stop) -> Result<Option<File>, Error> {
        let in_use = self.in_use.take().expect("only the end of a use takes it");
        let path = self.postmaster.home.start_lock();
        let starting = lock::open(&path)?;
        lock::take(&starting, &path, Hold::Alone).await?;
        if !self.is_last(&in_use)? {
            return Ok(None);
        }
        if self.postmaster.running().await?.is_some() {
            self.postmaster.stop(how).await?;
        }
        // Empty now; if it is not, it is not ours alone.
        let _ = std::fs::remove_dir(&self.socket_dir);
        Ok(Some(starting))
    }

    /// Ends the use of the cluster and lets it run on.
    pub fn leave_running(mut self) {
        self.in_use = None;
    }

    pub(super) fn postmaster(&self) -> &Postmaster {
        &self.postmaster
    }

    fn is_last(&self, in_use: &File) -> Result<bool, Error> {
        let path = self.postmaster.home.use_lock();
        in_use.unlock().map_err(Error::file("unlock", &path))?;
        lock::try_take(in_use, &path, Hold::Alone)
    }

    fn stop_now(&self, in_use: &File) -> Result<(), Error> {
        let path = self.postmaster.home.start_lock();
        let starting = lock::open(&path)?;
        // Whoever starts it at this moment is its next user.
        if !lock::try_take(&starting, &path, Hold::Alone)? || !self.is_last(in_use)? {
            return Ok(());
        }
        let mut command = self.postmaster.stop_command(Stop::Fast);
        command.as_std_mut().output().map_err(|source| Error::Run {
            program: "pg_ctl stop".to_owned(),
            source,
        })?;
        let _ = std::fs::remove_dir(&self.socket_dir);
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let Some(in_use) = self.in_use.take() else {
            return;
        };
        if let Err(error) = self.stop_now(&in_use) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "left Postgres running"
            );
        }
    }
}

/// Brings the cluster to where it answers.
async fn meet(
    postmaster: &Postmaster,
    options: &Options,
    alone: bool,
) -> Result<(Met, PathBuf), Error> {
    let data_dir = postmaster.home.data_dir();
    let fits = postmaster::major(&data_dir).is_none_or(|major| major == postmaster.binaries.major);
    let mut met = Met::Started;
    if let Some(running) = postmaster.running().await? {
        let conf = conf::text(&running.socket_dir, &options.settings)?;
        let as_wanted = fits && postmaster.has_conf(&conf) && reachable(&running.socket_dir);
        if as_wanted || !alone {
            if !as_wanted {
                tracing::warn!("Postgres runs with other settings and is in use: left as it is");
            }
            answers(postmaster, &running.socket_dir).await?;
            return Ok((Met::Running, running.socket_dir));
        }
        postmaster.stop(Stop::Fast).await?;
        met = Met::Restarted;
    }
    if let (false, Some(major)) = (fits, postmaster::major(&data_dir)) {
        let aside = postmaster.home.set_aside(major)?;
        tracing::warn!(
            "the cluster was of Postgres {major}, not {}: moved aside to `{}`, starting an empty one",
            postmaster.binaries.major,
            aside.display()
        );
    }
    if postmaster::major(&data_dir).is_none() {
        postmaster.initialize().await?;
        met = Met::Created;
    }
    let socket_dir = postmaster.home.socket_dir(&postmaster.account).await?;
    postmaster
        .start(&conf::text(&socket_dir, &options.settings)?)
        .await?;
    answers(postmaster, &socket_dir).await?;
    Ok((met, socket_dir))
}

/// Temporary directories are swept now and then, and a server without its socket is lost.
fn reachable(socket_dir: &Path) -> bool {
    socket_path(socket_dir).exists()
}

/// Waits until the server at the socket answers, and shows that it is the one of this directory.
async fn answers(postmaster: &Postmaster, socket_dir: &Path) -> Result<(), Error> {
    let server = Server::at_socket(socket_dir);
    let asking = async {
        loop {
            match data_directory(&server).await {
                Ok(found) => return Ok(found),
                Err(error) if is_passing(&error) => sleep(ASK_AGAIN_AFTER).await,
                Err(error) => return Err(Error::sql("connect")(error)),
            }
        }
    };
    let found = timeout(ANSWER_DEADLINE, asking).await.unwrap_or_else(|_| {
        Err(Error::Deadline {
            what: "waiting for Postgres to take connections",
            seconds: ANSWER_DEADLINE.as_secs(),
            log: postmaster.home.log_file(),
        })
    })?;
    let wanted = postmaster.home.data_dir();
    if Path::new(&found).canonicalize().ok() == wanted.canonicalize().ok() {
        return Ok(());
    }
    Err(Error::Stranger {
        socket: socket_dir.to_owned(),
        found,
        wanted: wanted.display().to_string(),
    })
}

async fn data_directory(server: &Server) -> Result<String, sqlx::Error> {
    let mut connection = server.connect("postgres").await?;
    let found = sqlx::query_scalar("SHOW data_directory")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(found)
}

/// Whether a server that is starting up or recovering answers like this.
fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(refusal) => refusal
            .code()
            .is_some_and(|code| code == "57P03" || code == "53300"),
        _ => false,
    }
}
