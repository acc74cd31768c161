//! Connections of a peer to its own database on the shared cluster.
//!
//! Keeps: the server is reached over a unix socket or loopback, never farther.

use std::{str::FromStr as _, time::Duration};

use anyhow::ensure;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// The address of `database` on the cluster named by `url`.
pub(crate) fn options(url: &str, database: &str) -> anyhow::Result<PgConnectOptions> {
    Ok(near(url)?
        .database(database)
        // Terms and claims are the same shape for every caller: planning each call anew would cost
        // the peers a tenth of their speed.
        .options([("plan_cache_mode", "force_generic_plan")])
        .statement_cache_capacity(64))
}

/// The database named by `url` itself.
pub(crate) fn near(url: &str) -> anyhow::Result<PgConnectOptions> {
    let options = PgConnectOptions::from_str(url)?;
    let host = options.get_host();
    let near = options.get_socket().is_some()
        || host.starts_with('/')
        || matches!(host, "localhost" | "127.0.0.1" | "::1");
    ensure!(near, "`{host}` is neither loopback nor a unix socket");
    Ok(options)
}

/// A pool without idle checks: each would be a round trip for every request.
pub(crate) async fn open(url: &str, database: &str, size: u32) -> anyhow::Result<PgPool> {
    Ok(PgPoolOptions::new()
        .max_connections(size)
        .min_connections(size)
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_secs(8))
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options(url, database)?)
        .await?)
}

/// Makes `database` anew on the cluster, from `template` if one is named.
pub(crate) async fn recreate(
    url: &str,
    database: &str,
    template: Option<&str>,
) -> anyhow::Result<()> {
    let mut connection: PgConnection = options(url, "postgres")?.connect().await?;
    let plain = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    ensure!(
        plain(database) && template.is_none_or(plain),
        "database names are plain words"
    );
    let template = template.unwrap_or("template1");
    for sql in [
        format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"),
        format!("CREATE DATABASE {database} TEMPLATE {template}"),
    ] {
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await?;
    }
    connection.close().await?;
    Ok(())
}
