//! Commits a batch: one prepared statement in autocommit, arrays in, one row out.
//!
//! Keeps: a batch counts as committed when the lane's new number came back *and* the server is ready
//! for the next query, never before. The connection is out of the writer's hands while a statement is
//! under way: a commit that is given up, for whatever reason, closes it.

use engine::{
    journal::{Batch, Failure, Rows, Writer},
    sabotage::breaks,
};
use futures_util::future::BoxFuture;
use sqlx::{
    Row,
    postgres::{PgArguments, PgRow},
};

use super::{Tails, arguments, class, connection::LaneConnection, reader::Health};

/// The connection that writes a lane.
pub(super) struct PgWriter {
    connection: Option<LaneConnection>,
    reader: Health,
    tails: Tails,
}

impl PgWriter {
    pub(super) fn new(connection: LaneConnection, reader: Health, tails: Tails) -> Self {
        Self {
            connection: Some(connection),
            reader,
            tails,
        }
    }

    /// Runs a statement and classes what came of it. After an unknown outcome there is no connection.
    async fn run<T>(
        &mut self,
        sql: &'static str,
        arguments: Result<PgArguments, Failure>,
        read: impl FnOnce(&[PgRow]) -> Result<T, sqlx::Error>,
    ) -> Result<T, Failure> {
        let arguments = arguments?;
        // A lane whose reader is gone is as lost as one whose writer is: it must be fenced again.
        let Some(mut connection) = self.connection.take().filter(|_| self.reader.is_well()) else {
            return Err(Failure::Unknown);
        };
        let answered = if breaks("trust_first_row") && sql.contains("UPDATE lanes") {
            connection.fetch_first(sql, arguments).await
        } else {
            connection.fetch_all(sql, arguments).await
        };
        match answered {
            Ok(rows) => {
                let answer = read(&rows).map_err(|_| Failure::Unknown)?;
                self.connection = Some(connection);
                Ok(answer)
            }
            Err(error) => {
                let failure = class::failure(&error);
                log(&error, failure);
                if breaks("unknown_is_not_executed") && failure == Failure::Unknown {
                    return Err(Failure::Full);
                }
                if failure == Failure::Unknown || !connection.resynchronizes().await {
                    return Err(Failure::Unknown);
                }
                self.connection = Some(connection);
                Err(failure)
            }
        }
    }
}

impl Writer for PgWriter {
    fn commit<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let sql = match &batch.rows {
                Rows::Fulfillments(_) => include_str!("commit_fulfillments.sql"),
                Rows::Credits(_) => include_str!("commit_credits.sql"),
                Rows::Restocks(_) => include_str!("commit_restocks.sql"),
                Rows::Withdrawals(_) => include_str!("commit_withdrawals.sql"),
            };
            let seqs: Vec<i64> = self
                .run(sql, arguments::commit(batch), first_column)
                .await?;
            match seqs.as_slice() {
                [] => Err(Failure::Fenced),
                [seq] if *seq == batch.seq => {
                    self.tails.put(batch);
                    Ok(())
                }
                _ => {
                    self.connection = None;
                    Err(Failure::Unknown)
                }
            }
        })
    }

    fn existing<'a>(&'a mut self, rows: &'a Rows) -> BoxFuture<'a, Result<Vec<bool>, Failure>> {
        Box::pin(async move {
            let sql = match rows {
                Rows::Fulfillments(_) | Rows::Credits(_) => {
                    include_str!("existing_references.sql")
                }
                Rows::Restocks(_) => include_str!("existing_numbers.sql"),
                Rows::Withdrawals(_) => include_str!("existing_withdrawals.sql"),
            };
            let existing: Vec<bool> = self
                .run(sql, arguments::existing(rows), first_column)
                .await?;
            // Fewer answers than questions would be taken for free references.
            if existing.len() == rows.len() {
                Ok(existing)
            } else {
                Err(Failure::Unknown)
            }
        })
    }
}

fn first_column<T>(rows: &[PgRow]) -> Result<Vec<T>, sqlx::Error>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    rows.iter().map(|row| row.try_get(0)).collect()
}

fn log(error: &sqlx::Error, failure: Failure) {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    let code = code.as_deref().unwrap_or("none");
    // A repeated order is everyday; everything else is worth a look.
    if failure == Failure::Duplicate {
        return tracing::debug!("a batch repeats a reference");
    }
    tracing::warn!(
        code,
        "a lane's statement failed with code {code}: {failure}"
    );
}
