//! An owner makes a key.

use engine::{api_keys::check, audit::Actor, clock::Timestamp, vault::Vault};
use sqlx::PgConnection;

use super::{Changed, KeyScope, NewKey, Refusal, insert_in, owner};
use crate::{Database, Error, database::commit, owned, relationships::rows::kept};

/// Makes a key; none if there is no such owner.
pub async fn create(
    db: &Database,
    vault: &Vault,
    (scope, actor): (KeyScope, Actor),
    key: NewKey,
    now: Timestamp,
) -> Result<Option<Result<Changed, Refusal>>, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let holder = match owner::lock(&mut tx, scope).await? {
            None => return Ok(None),
            Some(Err(refusal)) => return Ok(Some(Err(refusal))),
            Some(Ok(holder)) => holder,
        };
        if let Err(unfit) = check(
            holder,
            key.scopes,
            key.terms.daily_spend_cap,
            key.expires_at,
            now,
        ) {
            return Ok(Some(Err(Refusal::Unfit(unfit))));
        }
        if let Some(refusal) = refusal(&mut tx, scope, &key, now).await? {
            return Ok(Some(Err(refusal)));
        }
        let id = key.text.id;
        if key.text.test {
            open_test_balance(&mut tx, scope).await?;
        }
        insert_in(&mut tx, scope, &key, &vault, now).await?;
        owner::raise_version(&mut tx, scope, now).await?;
        let balances = owner::balances(&mut tx, scope).await?;
        owner::tell_created(&mut tx, scope, id, now).await?;
        owner::tell(&mut tx, scope, (actor, "key.create", id), None, now).await?;
        let changed = Changed::read(&mut tx, scope, id, balances).await?;
        commit(tx).await?;
        Ok(Some(Ok(changed)))
    })
    .await
}

async fn refusal(
    connection: &mut PgConnection,
    scope: KeyScope,
    key: &NewKey,
    now: Timestamp,
) -> Result<Option<Refusal>, Error> {
    let unknown = owner::unknown_product(connection, scope, &key.terms.products).await?;
    if let Some(product) = unknown {
        return Ok(Some(Refusal::UnknownProduct(product)));
    }
    if key.text.test && scope.relationship.is_none() {
        return Ok(Some(Refusal::NoTestMode));
    }
    let full = owner::has_all_keys(connection, scope, now).await?;
    Ok(full.then_some(Refusal::TooMany))
}

/// What keys of test mode spend from: one balance for all of a relationship.
async fn open_test_balance(connection: &mut PgConnection, scope: KeyScope) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO balances (relationship_id, merchant_id, test) VALUES ($1, $2, true)
         ON CONFLICT ON CONSTRAINT balances_relationship_id_test_key DO NOTHING",
    )
    .bind(scope.relationship.map(engine::ids::RelationshipId::uuid))
    .bind(scope.merchant.uuid())
    .execute(connection)
    .await?;
    Ok(())
}
