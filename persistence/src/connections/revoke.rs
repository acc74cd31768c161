//! The end of a connection.

use engine::{
    audit::Actor,
    clock::Timestamp,
    connections::{Connection, Status},
    ids::{BalanceId, ConnectionId, RelationshipId},
};
use sqlx::PgConnection;

use super::{Scope, owner};
use crate::{
    Database, Error,
    database::commit,
    error::exactly_one,
    owned,
    relationships::rows::{balances, kept},
};

/// A revoked connection, and whose actors must hear of it.
#[derive(Debug, Clone)]
pub struct Revoked {
    pub connection: Connection,
    /// It was revoked before: nothing was changed.
    pub already: bool,
    pub balances: Vec<BalanceId>,
}

/// Revokes a connection, whatever the status of its relationship; none if there is no such one. Its secrets
/// are forgotten.
pub async fn revoke(
    db: &Database,
    (scope, actor): (Scope, Actor),
    id: ConnectionId,
    now: Timestamp,
) -> Result<Option<Revoked>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        // Before the connection, as everybody does who changes one.
        let _relationship = owner::lock(&mut tx, scope).await?;
        let Some(found) = owner::lock_one(&mut tx, scope, id).await? else {
            return Ok(None);
        };
        if found.status == Status::Revoked {
            let balances = balances(&mut tx, scope.relationship).await?;
            commit(tx).await?;
            return Ok(Some(Revoked {
                connection: found,
                already: true,
                balances,
            }));
        }
        let before = owner::digest(&mut tx, id).await?;
        let done = sqlx::query(
            "UPDATE connections SET status = 'REVOKED', secret = '', old_secret = NULL,
               old_secret_until = NULL, updated_at = $2
             WHERE connection_id = $1",
        )
        .bind(id.uuid())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        exactly_one(&done, "a locked connection")?;
        let deed = ("connection.revoke", id);
        let changed = owner::changed(&mut tx, (scope, actor), deed, Some(before), now).await?;
        commit(tx).await?;
        Ok(Some(Revoked {
            connection: changed.connection,
            already: false,
            balances: changed.balances,
        }))
    })
    .await
}

/// Those of a relationship that ends, in its transaction.
pub(crate) async fn revoke_all(
    connection: &mut PgConnection,
    relationship: RelationshipId,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE connections SET status = 'REVOKED', secret = '', old_secret = NULL,
           old_secret_until = NULL, updated_at = $2
         WHERE relationship_id = $1 AND status <> 'REVOKED'",
    )
    .bind(relationship.uuid())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
