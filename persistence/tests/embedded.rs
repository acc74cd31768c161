//! The embedded Postgres, with real programs and real clusters.
//!
//! Each test has a state directory of its own and destroys its cluster; the shared test cluster is
//! used where the subject is databases and not the cluster.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as expected"
)]

use std::{
    convert::Infallible,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use persistence::embedded::{
    Cluster, Error, Fetch, Met, Options, create_database, create_from_template, drop_database,
    ensure_template, test_cluster,
};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A directory of one test, deleted with it.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("consign-embedded-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn options(&self) -> Options {
        let mut options = Options::new(self.0.join("state")).with("shared_buffers", "32MB");
        options.fetch = Fetch::Never;
        options
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn connect(cluster: &Cluster) -> PgConnection {
    PgConnection::connect_with(&cluster.connect_options("postgres"))
        .await
        .unwrap()
}

async fn setting(connection: &mut PgConnection, name: &str) -> String {
    sqlx::query_scalar("SELECT current_setting($1)")
        .bind(name)
        .fetch_one(connection)
        .await
        .unwrap()
}

async fn remember(cluster: &Cluster) {
    let mut connection = connect(cluster).await;
    sqlx::query("CREATE TABLE remembered AS SELECT 7 AS row")
        .execute(&mut connection)
        .await
        .unwrap();
}

async fn remembered(cluster: &Cluster) -> i32 {
    let mut connection = connect(cluster).await;
    sqlx::query_scalar("SELECT row FROM remembered")
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

async fn migrate(options: PgConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect_with(&options).await?;
    sqlx::query("CREATE TABLE kept (id bigint PRIMARY KEY)")
        .execute(&mut connection)
        .await?;
    // Left open on purpose: a template must not be held up by a session its migration forgot.
    std::mem::drop(connection);
    Ok(())
}

async fn exists(options: &PgConnectOptions, database: &str) -> bool {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(database)
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

fn kill(pid: u32) {
    assert!(
        Command::new("kill")
            .args(["-9", &pid.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

fn we_are_root() -> bool {
    let place = Place::new();
    place.0.metadata().unwrap().uid() == 0
}

#[tokio::test]
async fn cluster_is_durable_quiet_and_reachable_by_its_socket_only() {
    let place = Place::new();
    let cluster = Cluster::start(&place.options().with("commit_delay", "100"))
        .await
        .unwrap();
    assert_eq!(cluster.met(), Met::Created);
    let mut connection = connect(&cluster).await;
    for (name, expected) in [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("listen_addresses", ""),
        ("log_parameter_max_length", "0"),
        ("log_parameter_max_length_on_error", "0"),
        ("lc_messages", "C"),
        ("wal_compression", "off"),
        ("max_wal_size", "4GB"),
        ("max_connections", "100"),
        ("shared_buffers", "32MB"),
        ("commit_delay", "100"),
    ] {
        assert_eq!(setting(&mut connection, name).await, expected, "{name}");
    }
    let by_url = PgConnection::connect(&cluster.url("postgres")).await;
    assert!(by_url.is_ok());
    let mode = cluster
        .socket_dir()
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    assert!(cluster.log_file().is_file());
    cluster.destroy().await.unwrap();
}

#[tokio::test]
async fn second_start_meets_the_running_cluster_and_last_user_stops_it() {
    let place = Place::new();
    let first = Cluster::start(&place.options()).await.unwrap();
    remember(&first).await;
    let pid = first.postmaster_pid().await.unwrap();
    let second = Cluster::start(&place.options()).await.unwrap();
    assert_eq!(second.met(), Met::Running);
    assert_eq!(second.postmaster_pid().await.unwrap(), pid);

    first.stop().await.unwrap();
    assert_eq!(
        second.postmaster_pid().await.unwrap(),
        pid,
        "the second still uses it"
    );
    assert_eq!(remembered(&second).await, 7);
    let socket_dir = second.socket_dir().to_owned();
    second.stop().await.unwrap();
    assert!(!socket_dir.exists());

    let third = Cluster::start(&place.options()).await.unwrap();
    assert_eq!(third.met(), Met::Started);
    assert_eq!(remembered(&third).await, 7);
    third.destroy().await.unwrap();
}

#[tokio::test]
async fn cluster_of_a_killed_process_is_met_again() {
    let place = Place::new();
    let killed = Cluster::start(&place.options()).await.unwrap();
    remember(&killed).await;
    let pid = killed.postmaster_pid().await.unwrap();
    // What the kernel does for a killed process: its locks are gone, nothing else happens.
    killed.leave_running();
    let next = Cluster::start(&place.options()).await.unwrap();
    assert_eq!(
        (next.met(), next.postmaster_pid().await.unwrap()),
        (Met::Running, pid)
    );
    assert_eq!(remembered(&next).await, 7);
    next.destroy().await.unwrap();
}

#[tokio::test]
async fn committed_rows_survive_a_killed_postmaster() {
    let place = Place::new();
    let cluster = Cluster::start(&place.options()).await.unwrap();
    remember(&cluster).await;
    kill(cluster.postmaster_pid().await.unwrap().unwrap());
    let again = Cluster::start(&place.options()).await.unwrap();
    assert_eq!(again.met(), Met::Started);
    assert_eq!(remembered(&again).await, 7);

    again.crash().await.unwrap();
    assert_eq!(again.postmaster_pid().await.unwrap(), None);
    again.resume().await.unwrap();
    assert_eq!(remembered(&again).await, 7);
    cluster.leave_running();
    again.destroy().await.unwrap();
}

#[tokio::test]
async fn dropping_the_last_user_stops_the_cluster() {
    let place = Place::new();
    let cluster = Cluster::start(&place.options()).await.unwrap();
    let pid_file = cluster.data_dir().join("postmaster.pid");
    assert!(pid_file.exists());
    drop(cluster);
    assert!(!pid_file.exists());
    Cluster::start(&place.options())
        .await
        .unwrap()
        .destroy()
        .await
        .unwrap();
}

#[tokio::test]
async fn watched_cluster_is_deleted_after_its_last_user() {
    let place = Place::new();
    let cluster = Cluster::start(&place.options()).await.unwrap();
    let data_dir = cluster.data_dir();
    cluster.destroy_when_unused(Duration::ZERO).unwrap();
    let mut witness = connect(&cluster).await;
    cluster.leave_running();
    let cut = sqlx::query("SELECT pg_sleep(60)")
        .execute(&mut witness)
        .await;
    assert!(cut.is_err(), "the watcher stops the server");

    // A start waits for the watcher's end, so what is found then is what it left.
    let next = Cluster::start(&place.options()).await.unwrap();
    assert_eq!((next.met(), next.data_dir()), (Met::Created, data_dir));
    next.destroy().await.unwrap();
}

#[tokio::test]
async fn other_settings_restart_the_cluster_when_nobody_else_uses_it() {
    let place = Place::new();
    let first = Cluster::start(&place.options()).await.unwrap();
    let wider = place.options().with("max_connections", "33");
    let refused = Cluster::start(&wider).await.unwrap();
    assert_eq!(refused.met(), Met::Running, "the first still uses it");
    first.leave_running();
    refused.leave_running();
    let restarted = Cluster::start(&wider).await.unwrap();
    assert_eq!(restarted.met(), Met::Restarted);
    let mut connection = connect(&restarted).await;
    assert_eq!(setting(&mut connection, "max_connections").await, "33");
    restarted.destroy().await.unwrap();
}

#[tokio::test]
async fn deep_state_directory_has_a_short_socket_path() {
    let place = Place::new();
    let mut options = place.options();
    options.state_dir = place.0.join("a-directory-with-a-name/".repeat(6));
    let cluster = Cluster::start(&options).await.unwrap();
    let socket = cluster.socket_dir().join(".s.PGSQL.5432");
    assert!(socket.exists());
    assert!(socket.as_os_str().len() <= 107, "{}", socket.display());
    cluster.destroy().await.unwrap();
}

#[tokio::test]
async fn state_directory_in_a_private_place_still_has_a_cluster() {
    let place = Place::new();
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(place.0.join("private"))
        .unwrap();
    let mut options = place.options();
    options.state_dir = place.0.join("private/state");
    let cluster = Cluster::start(&options).await.unwrap();
    remember(&cluster).await;
    // Root's private directory is closed to the account that runs Postgres; one's own is not.
    assert_eq!(cluster.data_dir().starts_with("/var/tmp"), we_are_root());
    let recorded = std::fs::read_to_string(options.state_dir.join("postgres.home")).unwrap();
    assert_eq!(cluster.data_dir().parent().unwrap(), Path::new(&recorded));
    cluster.stop().await.unwrap();

    let again = Cluster::start(&options).await.unwrap();
    assert_eq!(remembered(&again).await, 7);
    again.destroy().await.unwrap();
    assert!(!Path::new(&recorded).exists());
}

#[tokio::test]
async fn cluster_of_another_major_version_is_moved_aside() {
    let place = Place::new();
    let cluster = Cluster::start(&place.options()).await.unwrap();
    let data_dir = cluster.data_dir();
    remember(&cluster).await;
    cluster.stop().await.unwrap();
    std::fs::write(data_dir.join("PG_VERSION"), "9\n").unwrap();

    let fresh = Cluster::start(&place.options()).await.unwrap();
    assert_eq!(fresh.met(), Met::Created);
    let aside = data_dir.with_file_name("data-of-9-1");
    assert!(aside.join("base").is_dir(), "the old files are kept");
    fresh.destroy().await.unwrap();
}

#[tokio::test]
async fn named_directory_without_programs_is_refused_by_name() {
    let place = Place::new();
    let mut options = place.options();
    options.binaries_dir = Some(place.0.clone());
    let refused = Cluster::start(&options).await.unwrap_err();
    assert!(matches!(refused, Error::NamedBinaries { .. }), "{refused}");
    assert!(
        refused.to_string().contains(place.0.to_str().unwrap()),
        "{refused}"
    );
}

#[tokio::test]
async fn directory_open_to_others_is_not_trusted_with_the_socket() {
    let place = Place::new();
    let cluster = Cluster::start(&place.options()).await.unwrap();
    let socket_dir = cluster.socket_dir().to_owned();
    cluster.stop().await.unwrap();
    std::fs::create_dir(&socket_dir).unwrap();
    std::fs::set_permissions(&socket_dir, std::fs::Permissions::from_mode(0o777)).unwrap();

    let outcome = Cluster::start(&place.options()).await;
    std::fs::remove_dir_all(&socket_dir).unwrap();
    match outcome {
        Err(refused) => assert!(matches!(refused, Error::NoPlace { .. }), "{refused}"),
        Ok(elsewhere) => assert_ne!(elsewhere.socket_dir(), socket_dir),
    }
    Cluster::start(&place.options())
        .await
        .unwrap()
        .destroy()
        .await
        .unwrap();
}

#[tokio::test]
async fn template_is_migrated_once_and_copied_for_each_test() {
    let server = test_cluster().await.unwrap().server();
    let fingerprint = format!("once_{}", std::process::id());
    let runs = AtomicU32::new(0);
    let counted = |options| {
        runs.fetch_add(1, Ordering::Relaxed);
        migrate(options)
    };
    let (left, right) = tokio::join!(
        ensure_template(server, &fingerprint, counted),
        ensure_template(server, &fingerprint, counted)
    );
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    let template = left.unwrap();
    assert_eq!(template, right.unwrap());

    let first = create_from_template(server, &template).await.unwrap();
    let second = create_from_template(server, &template).await.unwrap();
    let mut connection = PgConnection::connect_with(&first.connect_options())
        .await
        .unwrap();
    sqlx::query("INSERT INTO kept VALUES (1)")
        .execute(&mut connection)
        .await
        .unwrap();
    let mut other = PgConnection::connect(&second.url()).await.unwrap();
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM kept")
        .fetch_one(&mut other)
        .await
        .unwrap();
    assert_eq!(rows, 0);

    let name = first.name().to_owned();
    drop(first);
    assert!(
        !exists(&second.connect_options(), &name).await,
        "open connections do not keep it"
    );
}

#[tokio::test]
async fn failed_migration_leaves_no_template_behind() {
    let server = test_cluster().await.unwrap().server();
    let fingerprint = format!("failed_{}", std::process::id());
    let failed = ensure_template(server, &fingerprint, async |_| Err("no such table")).await;
    assert!(matches!(failed, Err(Error::Migrate { .. })), "{failed:?}");
    let template = ensure_template(server, &fingerprint, migrate)
        .await
        .unwrap();
    let copy = create_from_template(server, &template).await.unwrap();
    let mut connection = PgConnection::connect_with(&copy.connect_options())
        .await
        .unwrap();
    assert!(
        sqlx::query("SELECT id FROM kept")
            .fetch_all(&mut connection)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn database_is_made_once_and_dropped_with_open_connections() {
    let server = test_cluster().await.unwrap().server();
    let name = format!("named_{}", std::process::id());
    let (left, right) = tokio::join!(
        create_database(server, &name),
        create_database(server, &name)
    );
    assert!(left.is_ok() && right.is_ok(), "{left:?} {right:?}");
    let _open = PgConnection::connect_with(&server.connect_options(&name))
        .await
        .unwrap();
    drop_database(server, &name).await.unwrap();
    assert!(!exists(&server.connect_options("postgres"), &name).await);
    assert!(drop_database(server, "no\"name").await.is_err());
}

#[tokio::test]
async fn cluster_of_tests_is_durable_and_shared_by_its_users() {
    let first = test_cluster().await.unwrap();
    let second = test_cluster().await.unwrap();
    assert!(std::ptr::eq(first, second));
    let copy = first
        .database("empty", async |_| Ok::<(), Infallible>(()))
        .await
        .unwrap();
    let mut connection = PgConnection::connect_with(&copy.connect_options())
        .await
        .unwrap();
    assert_eq!(setting(&mut connection, "fsync").await, "on");
}
