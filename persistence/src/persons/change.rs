//! Changes that a person makes, and failed sign-ins.

use engine::{
    clock::Timestamp,
    fulfillments::Email,
    ids::{PersonId, SessionId},
    persons::Attempts,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Credentials,
    find::lock,
    rows::{Row, select_person},
};
use crate::{Database, Error, database::commit, error::exactly_one, owned};

/// What a person changes of itself; none stays.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    pub name: Option<String>,
    pub locale: Option<String>,
}

/// Stores an edit.
pub async fn edit(db: &Database, id: PersonId, edit: Edit, now: Timestamp) -> Result<(), Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let edited = sqlx::query(
            "UPDATE persons SET name = COALESCE($2, name), locale = COALESCE($3, locale),
               updated_at = $4
             WHERE person_id = $1",
        )
        .bind(id.uuid())
        .bind(edit.name)
        .bind(edit.locale)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        exactly_one(&edited, "an edited person")?;
        commit(tx).await
    })
    .await
}

/// Counts a failed sign-in, if somebody has this address. Both cases run the same statements.
pub async fn record_failure(db: &Database, email: &Email, now: Timestamp) -> Result<(), Error> {
    let (db, email) = (db.clone(), email.clone());
    owned(async move {
        let mut tx = db.begin().await?;
        let row: Option<Row> = sqlx::query_as(select_person!("WHERE p.email = $1 FOR UPDATE"))
            .bind(email.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        let found = row.map(Credentials::try_from).transpose()?;
        let id = found
            .as_ref()
            .map_or(Uuid::nil(), |found| found.person.id.uuid());
        let attempts = found.map(|found| found.attempts).unwrap_or_default();
        store_attempts(&mut tx, id, attempts.failed(now)).await?;
        commit(tx).await
    })
    .await
}

pub(super) async fn store_attempts(
    connection: &mut PgConnection,
    id: Uuid,
    attempts: Attempts,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE persons SET failures = $2, failures_since = $3, locked_until = $4
         WHERE person_id = $1",
    )
    .bind(id)
    .bind(i64::from(attempts.failures))
    .bind(attempts.since)
    .bind(attempts.locked_until)
    .execute(connection)
    .await
    .map(drop)
}

/// Replaces the password, if it is still the one that was checked, and ends all sessions but this one.
pub async fn change_password(
    db: &Database,
    (id, kept): (PersonId, SessionId),
    checked_hash: &str,
    new_hash: String,
    now: Timestamp,
) -> Result<bool, Error> {
    let (db, checked_hash) = (db.clone(), checked_hash.to_owned());
    owned(async move {
        let mut tx = db.begin().await?;
        let found = lock(&mut tx, id).await?;
        if found.is_none_or(|found| found.password_hash != checked_hash) {
            return Ok(false);
        }
        store_password(&mut tx, id, &new_hash, now).await?;
        sqlx::query("DELETE FROM sessions WHERE person_id = $1 AND session_id <> $2")
            .bind(id.uuid())
            .bind(kept.uuid())
            .execute(&mut *tx)
            .await?;
        commit(tx).await?;
        Ok(true)
    })
    .await
}

/// The new password counts from now on, and links that were mailed to set one do not.
pub(super) async fn store_password(
    connection: &mut PgConnection,
    id: PersonId,
    hash: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let stored = sqlx::query(
        "UPDATE persons SET password_hash = $2, failures = 0, failures_since = NULL,
           locked_until = NULL, updated_at = $3
         WHERE person_id = $1",
    )
    .bind(id.uuid())
    .bind(hash)
    .bind(now)
    .execute(&mut *connection)
    .await?;
    exactly_one(&stored, "a person with a new password")?;
    sqlx::query("DELETE FROM password_resets WHERE person_id = $1")
        .bind(id.uuid())
        .execute(connection)
        .await?;
    Ok(())
}
