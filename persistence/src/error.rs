//! What can go wrong at the database, in a form that may be logged.
//!
//! Keeps: no value of a row is in an error. Postgres puts them into its messages and details, so
//! only the code and the names of constraint and table are taken over.

use std::fmt;

use engine::fault::Fault;
use sqlx::postgres::{PgDatabaseError, PgQueryResult, PgSeverity};

/// A failure of storage.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, no answer, no room in the pool: nothing was changed, because only a commit
    /// changes anything.
    #[error("storage is not available: {reason}")]
    Unavailable { reason: String },
    /// A commit got no answer that says what became of it.
    #[error("a commit may or may not have happened: {reason}")]
    Unknown { reason: String },
    /// Postgres refused a statement; nothing of its transaction was done.
    #[error("storage refused a statement: {0}")]
    Rejected(Rejection),
    /// What is stored does not fit the domain.
    #[error("stored rows are inconsistent: {what}")]
    Inconsistent { what: &'static str },
    /// A statement met another number of rows than it must.
    #[error("{what} met {found} rows")]
    Affected { what: &'static str, found: u64 },
}

/// Why Postgres refused a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    pub code: String,
    pub constraint: Option<String>,
    pub table: Option<String>,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        for (what, name) in [("constraint", &self.constraint), ("table", &self.table)] {
            if let Some(name) = name {
                write!(f, ", {what} \"{name}\"")?;
            }
        }
        Ok(())
    }
}

impl Error {
    /// The constraint that a statement violated: code matches on names, never on messages.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Rejected(rejection) => rejection.constraint.as_deref(),
            Self::Unavailable { .. }
            | Self::Unknown { .. }
            | Self::Inconsistent { .. }
            | Self::Affected { .. } => None,
        }
    }

    /// What an error means that came instead of the answer to a commit.
    ///
    /// Definite only if the server said, on a connection that goes on, that the transaction was undone.
    pub(crate) fn of_commit(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(refusal) = &error {
            let known = refusal.try_downcast_ref::<PgDatabaseError>();
            if known.is_some_and(|known| undone(known.severity(), known.code())) {
                return error.into();
            }
        }
        Self::Unknown {
            reason: Self::from(error).to_string(),
        }
    }

    /// What the engine may know of it. Logged here, because a fault carries no context.
    pub(crate) fn into_fault(self, what: &'static str) -> Fault {
        tracing::error!(error = %self, "could not {what}: {self}");
        Fault::Unavailable
    }
}

/// Connection exceptions, operators' interventions and a primary that became a standby leave it open.
fn undone(severity: PgSeverity, code: &str) -> bool {
    let open =
        matches!(code.get(..2), None | Some("08" | "57")) || matches!(code, "25006" | "40003");
    severity == PgSeverity::Error && !open
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let reason = match error {
            sqlx::Error::Database(refusal) => {
                let known = refusal.try_downcast_ref::<PgDatabaseError>();
                let code = known.map_or("unknown", PgDatabaseError::code);
                if is_of_the_server(code) {
                    let reason = format!("the server cannot work: {code}");
                    return Self::Unavailable { reason };
                }
                return Self::Rejected(Rejection {
                    code: code.to_owned(),
                    constraint: refusal.constraint().map(str::to_owned),
                    table: refusal.table().map(str::to_owned),
                });
            }
            sqlx::Error::RowNotFound => {
                return Self::Inconsistent {
                    what: "a row is missing",
                };
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                return Self::Inconsistent {
                    what: "a column does not decode",
                };
            }
            sqlx::Error::Io(source) => source.to_string(),
            sqlx::Error::PoolTimedOut => "no connection became free in time".to_owned(),
            sqlx::Error::PoolClosed => "shutting down".to_owned(),
            sqlx::Error::Tls(_) => "TLS failed".to_owned(),
            sqlx::Error::Protocol(_) => "the server spoke nonsense".to_owned(),
            _ => "the driver failed".to_owned(),
        };
        Self::Unavailable { reason }
    }
}

/// Whether a refusal is about the server and not about the statement: a disk is full, connections ran
/// out, an operator or a crash intervened; or about the moment: a bound of time was over, for a
/// statement, a lock, or a transaction whose own process had no turn between two statements, or another
/// transaction stood in the way. Its transaction is undone, and the same may succeed later.
fn is_of_the_server(code: &str) -> bool {
    code.starts_with("53")
        || code.starts_with("57")
        || code.starts_with("08")
        || code.starts_with("40")
        || matches!(code, "25P03" | "55P03")
}

/// Checks that a conditional change met its one row.
pub(crate) fn exactly_one(result: &PgQueryResult, what: &'static str) -> Result<(), Error> {
    match result.rows_affected() {
        1 => Ok(()),
        found => Err(Error::Affected { what, found }),
    }
}

pub(crate) fn exactly(
    result: &PgQueryResult,
    wanted: usize,
    what: &'static str,
) -> Result<(), Error> {
    match result.rows_affected() {
        found if found == wanted as u64 => Ok(()),
        found => Err(Error::Affected { what, found }),
    }
}

/// Whether a conditional change met its row; more than one is a defect.
pub(crate) fn at_most_one(result: &PgQueryResult, what: &'static str) -> Result<bool, Error> {
    match result.rows_affected() {
        0 => Ok(false),
        1 => Ok(true),
        found => Err(Error::Affected { what, found }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commit_without_an_answer_is_unknown_whatever_broke() {
        let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        for error in [sqlx::Error::Io(broken), sqlx::Error::WorkerCrashed] {
            assert!(matches!(Error::of_commit(error), Error::Unknown { .. }));
        }
    }

    #[test]
    fn commit_is_undone_only_if_the_server_says_so_and_goes_on() {
        for code in ["23505", "40001", "55P03"] {
            assert!(undone(PgSeverity::Error, code), "{code}");
            assert!(!undone(PgSeverity::Fatal, code), "{code}");
        }
        for code in ["57P01", "57014", "08006", "25006", "40003", ""] {
            assert!(!undone(PgSeverity::Error, code), "{code:?}");
        }
    }

    #[test]
    fn full_disk_and_shutdown_and_want_of_time_are_no_defects_of_a_statement() {
        for code in ["53100", "53300", "57P01", "57P03", "08006"] {
            assert!(is_of_the_server(code), "{code}");
        }
        for code in ["25P03", "40001", "40P01", "55P03", "57014"] {
            assert!(is_of_the_server(code), "{code}");
        }
        for code in ["23505", "25006", "42P01", "unknown"] {
            assert!(!is_of_the_server(code), "{code}");
        }
    }
}
