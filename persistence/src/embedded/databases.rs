//! Databases of a server: made by name, or for a test as a copy of a migrated template.
//!
//! Keeps: a template is whole or not marked as one, so no test starts from half a schema, and each
//! test's database is its own and gone after it.

use std::{error::Error as StdError, future::Future, time::Duration};

use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::time::timeout;

use super::{Error, Server};

/// Holds nothing of ours; where databases are made and dropped from.
const MAINTENANCE: &str = "postgres";

const DROP_DEADLINE: Duration = Duration::from_mins(1);

/// Makes the database unless it exists.
pub async fn create_database(server: &Server, name: &str) -> Result<(), Error> {
    let name = checked(name)?;
    let mut connection = connect(server).await?;
    let made = execute(&mut connection, format!("CREATE DATABASE {name}")).await;
    close(connection).await;
    match made {
        Err(sqlx::Error::Database(refusal))
            // Two at once: the slower one meets the name, or the index that keeps it unique.
            if refusal.code().is_some_and(|code| code == "42P04" || code == "23505") =>
        {
            Ok(())
        }
        made => made.map_err(Error::sql("create a database")),
    }
}

/// Drops the database if it exists, cutting its connections.
pub async fn drop_database(server: &Server, name: &str) -> Result<(), Error> {
    let name = checked(name)?;
    let mut connection = connect(server).await?;
    let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    let dropped = execute(&mut connection, statement).await;
    close(connection).await;
    dropped.map_err(Error::sql("drop a database"))
}

/// A migrated database to copy from. Nobody can connect to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    name: String,
}

/// Makes the template `template_<fingerprint>` unless it exists.
///
/// `migrate` gets the options of an empty database and runs at most once per server and
/// fingerprint, however many processes ask; the fingerprint must change with the migrations.
pub async fn ensure_template<Migrate, Migrated, Failure>(
    server: &Server,
    fingerprint: &str,
    migrate: Migrate,
) -> Result<Template, Error>
where
    Migrate: FnOnce(PgConnectOptions) -> Migrated,
    Migrated: Future<Output = Result<(), Failure>>,
    Failure: Into<Box<dyn StdError + Send + Sync>>,
{
    let template = Template {
        name: checked(&format!("template_{fingerprint}"))?.to_owned(),
    };
    let mut connection = connect(server).await?;
    sqlx::query("SELECT pg_advisory_lock(hashtext($1))")
        .bind(&template.name)
        .execute(&mut connection)
        .await
        .map_err(Error::sql("lock the template"))?;
    if !is_whole(&mut connection, &template)
        .await
        .map_err(Error::sql("look for the template"))?
    {
        remake(&mut connection, &template)
            .await
            .map_err(Error::sql("create the template"))?;
        migrate(server.connect_options(&template.name))
            .await
            .map_err(|source| Error::Migrate {
                template: template.name.clone(),
                source: source.into(),
            })?;
        seal(&mut connection, &template)
            .await
            .map_err(Error::sql("finish the template"))?;
    }
    close(connection).await;
    Ok(template)
}

async fn is_whole(connection: &mut PgConnection, template: &Template) -> sqlx::Result<bool> {
    let found: Option<bool> =
        sqlx::query_scalar("SELECT datistemplate FROM pg_database WHERE datname = $1")
            .bind(&template.name)
            .fetch_optional(connection)
            .await?;
    Ok(found.unwrap_or(false))
}

/// An empty database in the place of what a failed migration left.
async fn remake(connection: &mut PgConnection, template: &Template) -> sqlx::Result<()> {
    let name = &template.name;
    execute(
        connection,
        format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
    )
    .await?;
    execute(connection, format!("CREATE DATABASE {name}")).await
}

/// Marks the template as whole. A session left in it would make every copy wait.
async fn seal(connection: &mut PgConnection, template: &Template) -> sqlx::Result<()> {
    let name = &template.name;
    execute(
        connection,
        format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"),
    )
    .await?;
    sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
        .bind(name)
        .execute(&mut *connection)
        .await?;
    execute(
        connection,
        format!("ALTER DATABASE {name} WITH IS_TEMPLATE true"),
    )
    .await
}

/// A database of one test; dropping the value drops it.
#[derive(Debug)]
pub struct TestDatabase {
    server: Server,
    name: String,
}

/// Copies the template to a database of a new name.
///
/// The copy goes through the WAL (the server's default): copying files needs two checkpoints and
/// took twice as long.
pub async fn create_from_template(
    server: &Server,
    template: &Template,
) -> Result<TestDatabase, Error> {
    let mut connection = connect(server).await?;
    // A counter that every process of this server shares.
    let count: String = sqlx::query_scalar("SELECT pg_current_xact_id()::text")
        .fetch_one(&mut connection)
        .await
        .map_err(Error::sql("number a test's database"))?;
    let name = format!("test_{count}");
    execute(
        &mut connection,
        format!("CREATE DATABASE {name} TEMPLATE {}", template.name),
    )
    .await
    .map_err(Error::sql("copy the template"))?;
    close(connection).await;
    Ok(TestDatabase {
        server: server.clone(),
        name,
    })
}

impl TestDatabase {
    pub fn name(&self) -> &str {
        &self.name
    }

    /// See [`Server::url`].
    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// See [`Server::connect_options`].
    pub fn connect_options(&self) -> PgConnectOptions {
        self.server.connect_options(&self.name)
    }
}

impl Drop for TestDatabase {
    /// Waits for the server on a thread of its own, because the test's runtime is blocked here or
    /// has ended already.
    fn drop(&mut self) {
        let dropped = std::thread::scope(|scope| {
            scope
                .spawn(|| drop_under_deadline(&self.server, &self.name))
                .join()
        });
        if !matches!(dropped, Ok(Ok(()))) {
            tracing::warn!(
                database = self.name,
                "left a test's database behind: {dropped:?}"
            );
        }
    }
}

fn drop_under_deadline(server: &Server, name: &str) -> Result<(), Box<dyn StdError + Send + Sync>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let dropping = async { timeout(DROP_DEADLINE, drop_database(server, name)).await };
    Ok(runtime.block_on(dropping)??)
}

/// Names are ours, but a typing error must not become SQL.
fn checked(name: &str) -> Result<&str, Error> {
    let starts = name.starts_with(|letter: char| letter.is_ascii_lowercase());
    let letters =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if starts && name.len() <= 63 && name.chars().all(letters) {
        return Ok(name);
    }
    Err(Error::DatabaseName {
        name: name.to_owned(),
    })
}

async fn connect(server: &Server) -> Result<PgConnection, Error> {
    server
        .connect(MAINTENANCE)
        .await
        .map_err(Error::sql("connect"))
}

async fn execute(connection: &mut PgConnection, statement: String) -> sqlx::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(connection)
        .await
        .map(drop)
}

/// Says goodbye; a connection that cannot is closed all the same.
async fn close(connection: PgConnection) {
    let _ = connection.close().await;
}

#[cfg(test)]
mod tests {
    use super::checked;

    #[test]
    fn name_that_would_need_escaping_is_refused() {
        assert!(checked("consign_2").is_ok());
        for name in [
            "",
            "2nd",
            "Consign",
            "a\"; DROP DATABASE b",
            &"a".repeat(64),
        ] {
            assert!(checked(name).is_err(), "{name}");
        }
    }
}
