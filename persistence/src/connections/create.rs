//! A reseller makes a connection.

use engine::{
    clock::Timestamp,
    connections::{Custom, Kind, Namespace, ProductMap},
    ids::ConnectionId,
    money::Money,
    vault::{Opened, Vault},
};
use sqlx::PgConnection;

use super::{
    Changed, Refusal, Scope, Who, owner,
    rows::{CustomRow, lines},
};
use crate::{Database, Error, database::commit, owned, relationships::rows::kept};

/// What is made.
#[derive(Debug, Clone)]
pub struct NewConnection {
    pub id: ConnectionId,
    pub name: String,
    pub kind: Kind,
    pub namespace: Namespace,
    pub secret: Opened,
    pub map: ProductMap,
    /// Of kind `Custom`, and only of it.
    pub custom: Option<Custom>,
    pub daily_spend_cap: Money,
}

/// Makes a connection, which is in force at once; none if there is no such relationship.
pub async fn create(
    db: &Database,
    vault: &Vault,
    who: Who,
    new: NewConnection,
    now: Timestamp,
) -> Result<Option<Result<Changed, Refusal>>, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        match owner::lock(&mut tx, who.0).await? {
            None => return Ok(None),
            Some(Err(refusal)) => return Ok(Some(Err(refusal))),
            Some(Ok(())) => {}
        }
        if let Some(refusal) = owner::unknown(&mut tx, who.0, &new.map).await? {
            return Ok(Some(Err(refusal)));
        }
        if owner::has_all(&mut tx, who.0).await? {
            return Ok(Some(Err(Refusal::TooMany)));
        }
        insert(&mut tx, &vault, who.0, &new, now).await?;
        let deed = ("connection.create", new.id);
        let changed = owner::changed(&mut tx, who, deed, None, now).await?;
        commit(tx).await?;
        Ok(Some(Ok(changed)))
    })
    .await
}

async fn insert(
    connection: &mut PgConnection,
    vault: &Vault,
    scope: Scope,
    new: &NewConnection,
    now: Timestamp,
) -> Result<(), Error> {
    let secret = vault.seal_connection_secret(new.id, new.secret.expose());
    sqlx::query(
        "INSERT INTO connections (connection_id, merchant_id, relationship_id, name, kind, status,
           namespace, secret, product_map, custom, daily_spend_cap, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, 'ACTIVE', $6, $7, $8, $9, $10, $11, $11)",
    )
    .bind(new.id.uuid())
    .bind(scope.merchant.uuid())
    .bind(scope.relationship.uuid())
    .bind(&new.name)
    .bind(new.kind.name())
    .bind(new.namespace.name())
    .bind(secret.as_bytes())
    .bind(lines(&new.map))
    .bind(new.custom.as_ref().map(CustomRow::of))
    .bind(new.daily_spend_cap.minor())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
