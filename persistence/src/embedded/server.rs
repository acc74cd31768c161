//! The address of a Postgres: what a program needs to connect to one of its databases.
//!
//! Keeps: a value of this type names a whole server, so a database's name is always an argument.

use std::{
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use tokio::time::timeout;

use super::{Error, home::PORT};

/// The superuser of an embedded cluster; the socket directory is the access control.
pub(super) const SUPERUSER: &str = "postgres";

const CONNECT_DEADLINE: Duration = Duration::from_secs(30);

/// A Postgres that can be connected to.
#[derive(Debug, Clone)]
pub struct Server {
    address: Address,
}

#[derive(Debug, Clone)]
enum Address {
    Socket(PathBuf),
    Given(Box<PgConnectOptions>),
}

impl Server {
    /// The server somebody else runs, as in `DATABASE_URL`; the database in it is ignored.
    pub fn given(url: &str) -> Result<Self, Error> {
        let options = PgConnectOptions::from_str(url).map_err(Error::sql("read DATABASE_URL"))?;
        Ok(Self {
            address: Address::Given(Box::new(options)),
        })
    }

    pub(super) fn at_socket(directory: &Path) -> Self {
        Self {
            address: Address::Socket(directory.to_owned()),
        }
    }

    /// Options to connect to one database.
    pub fn connect_options(&self, database: &str) -> PgConnectOptions {
        match &self.address {
            Address::Socket(directory) => PgConnectOptions::new_without_pgpass()
                .host("localhost")
                .socket(directory)
                .port(PORT)
                .username(SUPERUSER)
                .ssl_mode(PgSslMode::Disable)
                .database(database),
            Address::Given(options) => options.as_ref().clone().database(database),
        }
    }

    /// The URL of one database, as sqlx and libpq read it.
    pub fn url(&self, database: &str) -> String {
        match &self.address {
            Address::Socket(directory) => format!(
                "postgres:///{database}?host={}&port={PORT}&user={SUPERUSER}&sslmode=disable",
                escaped(directory)
            ),
            Address::Given(_) => self.connect_options(database).to_url_lossy().into(),
        }
    }

    pub(super) async fn connect(&self, database: &str) -> Result<PgConnection, sqlx::Error> {
        let options = self.connect_options(database);
        let connecting = Box::pin(PgConnection::connect_with(&options));
        timeout(CONNECT_DEADLINE, connecting)
            .await
            .unwrap_or_else(|elapsed| Err(sqlx::Error::Io(elapsed.into())))
    }
}

/// A path as the value of a URL's query.
fn escaped(path: &Path) -> String {
    let escape = |byte: &u8| {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(byte) {
            char::from(*byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    path.as_os_str().as_bytes().iter().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use std::{path::Path, str::FromStr};

    use sqlx::postgres::PgConnectOptions;

    use super::Server;

    #[test]
    fn url_of_a_socket_is_read_back_whole() {
        let url = Server::at_socket(Path::new("/run/a b&c/consign-1")).url("consign");
        let read = PgConnectOptions::from_str(&url).unwrap();
        assert_eq!(
            read.get_socket().unwrap(),
            Path::new("/run/a b&c/consign-1")
        );
        assert_eq!(read.get_database(), Some("consign"));
        assert_eq!(read.get_username(), "postgres");
    }

    #[test]
    fn given_server_keeps_its_address_for_every_database() {
        let server = Server::given("postgres://me@db.example:6432/first").unwrap();
        let read = PgConnectOptions::from_str(&server.url("second")).unwrap();
        assert_eq!((read.get_host(), read.get_port()), ("db.example", 6432));
        assert_eq!(read.get_database(), Some("second"));
    }
}
