//! Opens a lane's connections and raises its fence.
//!
//! Keeps: once the fence is raised, nothing that an earlier session of the lane sent can commit: it
//! either held the lane's row and is awaited, or it meets another fence and changes nothing. Raising
//! it twice is harmless, so whatever goes wrong is answered by trying again.

use std::sync::Arc;

use engine::{
    journal::{FenceFailure, LanePosition, Owner, Session},
    sabotage::{breaks, standby},
};
use sqlx::Row;

use super::{
    Tails, commit::PgWriter, connection::LaneConnection, ownership::Terms, reader::PgReader,
};
use crate::settings;

/// How often the row's lock is asked for, each time for as long as `lock_timeout` says.
const ATTEMPTS_MAX: u32 = 3;

pub(super) async fn fence(
    terms: &Terms,
    tails: Tails,
    owner: Owner,
    lane: u16,
) -> Result<Session, FenceFailure> {
    let (options, deadline) = (&terms.options, terms.deadline);
    let number = i16::try_from(lane).map_err(|_| FenceFailure::Disowned)?;
    let opened = tokio::try_join!(
        LaneConnection::open(options, deadline),
        LaneConnection::open(options, deadline),
    );
    let (mut writer, mut reader) = opened.map_err(|error| unavailable(lane, &error.into()))?;
    for connection in [&mut writer, &mut reader] {
        let checks = settings::server(connection.raw(), terms.durability);
        let checks = super::connection::timely(deadline, async { Ok(checks.await) }).await;
        let checks = checks.map_err(Into::into).and_then(|checks| checks);
        let checks = checks.map_err(|error| unavailable(lane, &error))?;
        if let Some(broken) = settings::broken(&checks) {
            tracing::error!(lane, "lane {lane} refuses the server's settings: {broken}");
            return Err(FenceFailure::Unavailable);
        }
    }
    let position = raise(&mut writer, owner, number).await?;
    if let (true, Some(socket)) = (breaks("read_from_standby"), standby()) {
        let elsewhere = options.clone().socket(socket);
        if let Ok(other) = LaneConnection::open(&elsewhere, deadline).await {
            reader = other;
        }
    }
    let (reader, health) = PgReader::start(reader, deadline);
    Ok(Session {
        position,
        writer: Box::new(PgWriter::new(writer, health, tails)),
        reader: Arc::new(reader),
    })
}

async fn raise(
    writer: &mut LaneConnection,
    owner: Owner,
    lane: i16,
) -> Result<LanePosition, FenceFailure> {
    let number = lane.unsigned_abs();
    for _ in 0..ATTEMPTS_MAX {
        let raised = writer
            .fetch(
                sqlx::query(include_str!("fence.sql"))
                    .bind(lane)
                    .bind(owner.0),
            )
            .await
            .and_then(|rows| {
                rows.first()
                    .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
                    .transpose()
            });
        match raised {
            Ok(Some((fence, seq))) => {
                return Ok(LanePosition {
                    lane: number,
                    fence,
                    seq,
                });
            }
            Ok(None) => return Err(FenceFailure::Disowned),
            Err(error) if is_lock_timeout(&error) => {
                tracing::warn!(
                    lane,
                    "lane {lane} is locked by an earlier session: ending it"
                );
                let ended = writer.fetch(
                    sqlx::query(include_str!("end_session.sql"))
                        .bind(lane)
                        .bind(owner.0),
                );
                ended
                    .await
                    .map_err(|error| unavailable(number, &error.into()))?;
            }
            Err(error) => return Err(unavailable(number, &error.into())),
        }
    }
    Err(FenceFailure::Unavailable)
}

pub(super) fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .as_deref()
        == Some("55P03")
}

fn unavailable(lane: u16, error: &crate::Error) -> FenceFailure {
    tracing::warn!(lane, %error, "lane {lane} could not be fenced: {error}");
    FenceFailure::Unavailable
}
