//! A key gets a successor with the same rights, and works beside it for a while.
//!
//! Keeps: of a chain at most two keys are alive, also if two calls rotate at once: a key has one
//! successor.

use engine::{
    api_keys::{KeyText, NotRotated, State},
    audit::Actor,
    clock::Timestamp,
    ids::KeyId,
    vault::{Opened, Vault},
};
use sqlx::PgConnection;

use super::{Changed, KeyScope, NewKey, Refusal, StoredKey, insert_in, owner};
use crate::{
    Database, Error, database::commit, error::exactly_one, owned, relationships::rows::kept,
};

/// What the successor has of its own.
#[derive(Debug, Clone)]
pub struct Successor {
    /// Of the same kind, live or test, as the key it replaces.
    pub text: KeyText,
    /// Counts if the key may use dynamic URLs.
    pub url_secret: Opened,
    pub overlap_hours: u32,
}

/// A key of this scope, as it is now.
pub async fn find_own(
    db: &Database,
    scope: KeyScope,
    id: KeyId,
) -> Result<Option<StoredKey>, Error> {
    let db = db.clone();
    owned(async move { super::list::find(&mut *db.scoped(scope.read()).await?, scope, id).await })
        .await
}

/// Gives a key of this scope a successor; none if there is no such key.
pub async fn rotate(
    db: &Database,
    vault: &Vault,
    (scope, actor): (KeyScope, Actor),
    (id, successor): (KeyId, Successor),
    now: Timestamp,
) -> Result<Option<Result<Changed, Refusal>>, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let owner = owner::lock(&mut tx, scope).await?;
        let Some(old) = owner::lock_key(&mut tx, scope, id).await? else {
            return Ok(None);
        };
        match owner {
            None => return Ok(None),
            Some(Err(refusal)) => return Ok(Some(Err(refusal))),
            Some(Ok(_)) => {}
        }
        let before = match old.key.replaces {
            Some(before) => super::list::find(&mut tx, scope, before).await?,
            None => None,
        };
        let before = before.as_ref().map(|stored| &stored.key);
        let retires_at = match old.key.rotated(before, successor.overlap_hours, now) {
            Ok(retires_at) => retires_at,
            Err(NotRotated::State(over)) if over != State::Retiring => {
                return Ok(Some(Err(Refusal::Ended(over))));
            }
            Err(refused) => return Ok(Some(Err(Refusal::NotRotated(refused)))),
        };
        let new = successor.of(&old);
        let new_id = new.text.id;
        let digest = owner::digest(&mut tx, id).await?;
        insert_in(&mut tx, scope, &new, &vault, now).await?;
        replace(&mut tx, id, new_id, retires_at).await?;
        owner::raise_version(&mut tx, scope, now).await?;
        let balances = owner::balances(&mut tx, scope).await?;
        let told = (actor, "key.rotate", id);
        owner::tell_created(&mut tx, scope, new_id, now).await?;
        owner::tell(&mut tx, scope, told, Some(digest), now).await?;
        let changed = Changed::read(&mut tx, scope, new_id, balances).await?;
        commit(tx).await?;
        Ok(Some(Ok(changed)))
    })
    .await
}

async fn replace(
    connection: &mut PgConnection,
    old: KeyId,
    new: KeyId,
    retires_at: Timestamp,
) -> Result<(), Error> {
    let named = sqlx::query("UPDATE api_keys SET replaces = $2 WHERE key_id = $1")
        .bind(new.uuid())
        .bind(old.uuid())
        .execute(&mut *connection)
        .await?;
    exactly_one(&named, "the successor of a key")?;
    let retired =
        sqlx::query("UPDATE api_keys SET replaced_by = $2, retires_at = $3 WHERE key_id = $1")
            .bind(old.uuid())
            .bind(new.uuid())
            .bind(retires_at)
            .execute(connection)
            .await?;
    exactly_one(&retired, "a key that is replaced")
}

impl Successor {
    fn of(self, old: &StoredKey) -> NewKey {
        let key = &old.key;
        NewKey {
            text: self.text,
            name: key.name.clone(),
            scopes: key.scopes,
            terms: old.terms.clone(),
            ip_allow_list: key.ip_allow_list.iter().map(ToString::to_string).collect(),
            rate_limit_per_second: key.rate_limit_per_second,
            expires_at: key.expires_at,
            url_secret: key.url_secret.as_ref().map(|_| self.url_secret),
        }
    }
}
