//! One-time codes: their secret, the last step that was accepted, and codes for when the device is lost.
//!
//! Keeps: a step is accepted once, a recovery code too, whoever asks at the same time.

use engine::{clock::Timestamp, ids::PersonId, vault::Sealed};

use super::find::lock;
use crate::{Database, Error, database::commit, error::at_most_one, owned};

/// Stores a secret that counts once it is confirmed. False if another one counts already.
pub async fn offer_totp(db: &Database, id: PersonId, secret: Sealed) -> Result<bool, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let stored = sqlx::query(
            "UPDATE persons SET totp_secret = $2
             WHERE person_id = $1 AND totp_confirmed_at IS NULL",
        )
        .bind(id.uuid())
        .bind(secret.as_bytes())
        .execute(&mut *tx)
        .await?;
        let stored = at_most_one(&stored, "a person with a new secret")?;
        commit(tx).await?;
        Ok(stored)
    })
    .await
}

/// From now on signing in takes a code, later than this step. False if the secret is not the one that
/// the code was checked with, or counts already.
pub async fn confirm_totp(
    db: &Database,
    id: PersonId,
    (secret, step): (Sealed, u64),
    recovery: Vec<[u8; 32]>,
    now: Timestamp,
) -> Result<bool, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let open = lock(&mut tx, id)
            .await?
            .is_some_and(|found| !found.person.totp && found.totp_secret == Some(secret));
        if !open {
            return Ok(false);
        }
        sqlx::query(
            "UPDATE persons SET totp_confirmed_at = $2, totp_step = $3, updated_at = $2
             WHERE person_id = $1",
        )
        .bind(id.uuid())
        .bind(now)
        .bind(i64::try_from(step).unwrap_or(i64::MAX))
        .execute(&mut *tx)
        .await?;
        let digests: Vec<&[u8]> = recovery.iter().map(<[u8; 32]>::as_slice).collect();
        sqlx::query("DELETE FROM recovery_codes WHERE person_id = $1")
            .bind(id.uuid())
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "INSERT INTO recovery_codes (person_id, digest) SELECT $1, UNNEST($2::bytea[])",
        )
        .bind(id.uuid())
        .bind(digests)
        .execute(&mut *tx)
        .await?;
        commit(tx).await?;
        Ok(true)
    })
    .await
}

/// Signing in takes no code any more.
pub async fn remove_totp(db: &Database, id: PersonId, now: Timestamp) -> Result<(), Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        sqlx::query(
            "UPDATE persons SET totp_secret = NULL, totp_confirmed_at = NULL, updated_at = $2
             WHERE person_id = $1",
        )
        .bind(id.uuid())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        sqlx::query("DELETE FROM recovery_codes WHERE person_id = $1")
            .bind(id.uuid())
            .execute(&mut *tx)
            .await?;
        commit(tx).await
    })
    .await
}

/// Accepts the code of a step; false if that step, or a later one, was accepted before.
pub async fn accept_step(db: &Database, id: PersonId, step: u64) -> Result<bool, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let accepted = sqlx::query(
            "UPDATE persons SET totp_step = $2 WHERE person_id = $1 AND totp_step < $2",
        )
        .bind(id.uuid())
        .bind(i64::try_from(step).unwrap_or(i64::MAX))
        .execute(&mut *tx)
        .await?;
        let accepted = at_most_one(&accepted, "a person whose code is accepted")?;
        commit(tx).await?;
        Ok(accepted)
    })
    .await
}

/// Uses up a recovery code; false if it is none of this person's, or was used.
pub async fn use_recovery_code(
    db: &Database,
    id: PersonId,
    digest: [u8; 32],
) -> Result<bool, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let used = sqlx::query("DELETE FROM recovery_codes WHERE person_id = $1 AND digest = $2")
            .bind(id.uuid())
            .bind(&digest[..])
            .execute(&mut *tx)
            .await?;
        let used = at_most_one(&used, "a recovery code")?;
        commit(tx).await?;
        Ok(used)
    })
    .await
}
