//! Whether the root key is the one that sealed this database.
//!
//! Keeps: a database has one canary, sealed when the first process met it, and no process with
//! another root key gets past its start. Otherwise it would seal serials that nobody can open.

use engine::vault::{Sealed, Vault};
use sha2::{Digest as _, Sha256};

use crate::{Database, Error, owned};

/// What a start found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canary {
    /// The database is new; it holds this key's canary from now on.
    Sealed,
    /// This root key is the one.
    Opened,
    /// This root key is not the one that sealed this database.
    Foreign,
}

/// Opens the database's canary, or seals one if nothing was ever sealed here.
pub async fn check_canary(db: &Database, vault: &Vault) -> Result<Canary, Error> {
    let (db, vault) = (db.clone(), vault.clone());
    owned(async move {
        let mut tx = db.begin().await?;
        // A database that has merchants but no canary was restored in part: its keys are unknown.
        let sealed = sqlx::query(
            "INSERT INTO installation (canary)
             SELECT $1 WHERE NOT EXISTS (SELECT FROM merchants)
             ON CONFLICT ON CONSTRAINT installation_pkey DO NOTHING",
        )
        .bind(vault.seal_canary().as_bytes())
        .execute(&mut *tx)
        .await?
        .rows_affected()
            == 1;
        let stored: Option<Vec<u8>> = sqlx::query_scalar("SELECT canary FROM installation")
            .fetch_optional(&mut *tx)
            .await?;
        tx.commit().await?;
        let opens = |canary: Vec<u8>| vault.opens_canary(&Sealed::from_bytes(canary));
        Ok(match stored.map(opens) {
            Some(true) if sealed => Canary::Sealed,
            Some(true) => Canary::Opened,
            Some(false) | None => Canary::Foreign,
        })
    })
    .await
}

/// A name for this installation that no other has, and that a copy of its database keeps: of what is
/// sealed in the canary. None before the first start.
pub async fn identity(db: &Database) -> Result<Option<String>, Error> {
    let db = db.clone();
    owned(async move {
        let canary: Option<Vec<u8>> = sqlx::query_scalar("SELECT canary FROM installation")
            .fetch_optional(&mut *db.read().await?)
            .await?;
        let name = |canary: Vec<u8>| {
            let digest = Sha256::digest(&canary);
            let digits = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
            digits.collect()
        };
        Ok(canary.map(name))
    })
    .await
}
