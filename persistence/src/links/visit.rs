//! Visits are counted once per visitor and hour.

use chrono::TimeDelta;
use engine::{
    clock::Timestamp,
    ids::LinkId,
    links::{VISITOR_HOURS, Visitor},
};

use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Database, Error, database::commit, error::at_most_one, owned};

/// Counts a visitor of a link; false if this one was counted in this hour.
pub async fn count(
    db: &Database,
    link: LinkId,
    visitor: Visitor,
    now: Timestamp,
) -> Result<bool, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin_behind().await?;
        if !is_fresh(&mut tx, link.uuid(), visitor, now).await? {
            return Ok(false);
        }
        sqlx::query("UPDATE links SET clicks = clicks + 1 WHERE link_id = $1")
            .bind(link.uuid())
            .execute(&mut *tx)
            .await?;
        commit(tx).await?;
        Ok(true)
    })
    .await
}

/// Notes a visitor of a link, or of another thing with an id; false if this one was noted in this hour.
pub(crate) async fn is_fresh(
    connection: &mut PgConnection,
    visited: Uuid,
    visitor: Visitor,
    now: Timestamp,
) -> Result<bool, Error> {
    let noted = sqlx::query(
        "INSERT INTO link_visitors (link_id, visitor, created_at) VALUES ($1, $2, $3)
         ON CONFLICT ON CONSTRAINT link_visitors_pkey DO NOTHING",
    )
    .bind(visited)
    .bind(&visitor[..])
    .bind(now)
    .execute(connection)
    .await?;
    at_most_one(&noted, "a visitor of this hour")
}

/// Forgets visitors whose hour is over; says how many.
pub async fn sweep(db: &Database, now: Timestamp) -> Result<u64, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin_behind().await?;
        let gone = sqlx::query("DELETE FROM link_visitors WHERE created_at < $1")
            .bind(now - TimeDelta::hours(VISITOR_HOURS))
            .execute(&mut *tx)
            .await?;
        commit(tx).await?;
        Ok(gone.rows_affected())
    })
    .await
}
