//! Whose connection is made or changed: what is locked first, and what is asked before.
//!
//! Keeps: the relationship's row is locked before its connections are counted or looked at, so two calls at
//! once cannot both make the last that is allowed.

use std::collections::BTreeSet;

use engine::{
    audit::{Deed, Digest},
    clock::Timestamp,
    connections::{Connection, LIVE_MAX, ProductMap, Status},
    ids::ConnectionId,
    relationships,
};
use sqlx::PgConnection;

use super::{
    Changed, Refusal, Scope, Who,
    rows::{Row, select_connection},
};
use crate::{Error, audit, error::exactly_one, relationships::rows};

/// Locks the relationship until the transaction ends; none if there is none, a refusal if nothing may be
/// bought in it.
pub(super) async fn lock(
    connection: &mut PgConnection,
    scope: Scope,
) -> Result<Option<Result<(), Refusal>>, Error> {
    let found = rows::lock(connection, scope.merchant, scope.relationship).await?;
    Ok(found.map(|found| {
        if found.status != relationships::Status::Active {
            Err(Refusal::Inactive(found.status))
        } else if found.mode.allows_fulfillment() {
            Ok(())
        } else {
            Err(Refusal::Mode)
        }
    }))
}

/// Whether one connection more would be one too many.
pub(super) async fn has_all(connection: &mut PgConnection, scope: Scope) -> Result<bool, Error> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM connections
         WHERE merchant_id = $1 AND relationship_id = $2 AND status <> 'REVOKED'",
    )
    .bind(scope.merchant.uuid())
    .bind(scope.relationship.uuid())
    .fetch_one(connection)
    .await?;
    Ok(usize::try_from(count).is_ok_and(|count| count >= LIVE_MAX))
}

/// The first product of a map that the merchant does not sell.
pub(super) async fn unknown(
    connection: &mut PgConnection,
    scope: Scope,
    map: &ProductMap,
) -> Result<Option<Refusal>, Error> {
    let wares = map.lines().iter();
    let wares: BTreeSet<_> = wares
        .map(|line| (line.sku.product, line.sku.variant))
        .collect();
    let unknown = rows::unknown_ware(connection, scope.merchant, &wares).await?;
    Ok(unknown.map(Refusal::UnknownWare))
}

/// A connection of this scope, locked until the transaction ends.
pub(super) async fn lock_one(
    connection: &mut PgConnection,
    scope: Scope,
    id: ConnectionId,
) -> Result<Option<Connection>, Error> {
    let row: Option<Row> = sqlx::query_as(select_connection!(
        "WHERE c.merchant_id = $1 AND c.relationship_id = $2 AND c.connection_id = $3 FOR UPDATE"
    ))
    .bind(scope.merchant.uuid())
    .bind(scope.relationship.uuid())
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(Connection::try_from).transpose()
}

/// The same of one that may be changed; none if there is none.
pub(super) async fn lock_live(
    connection: &mut PgConnection,
    scope: Scope,
    id: ConnectionId,
) -> Result<Option<Result<Connection, Refusal>>, Error> {
    let allowed = lock(connection, scope).await?;
    let found = lock_one(connection, scope, id).await?;
    Ok(match (found, allowed) {
        (None, _) | (_, None) => None,
        (Some(_), Some(Err(refusal))) => Some(Err(refusal)),
        (Some(found), Some(Ok(()))) => Some(match found.status {
            Status::Active | Status::Paused => Ok(found),
            Status::Revoked => Err(Refusal::Revoked),
        }),
    })
}

/// A digest over everything that is stored of a connection but its last call.
pub(super) async fn digest(
    connection: &mut PgConnection,
    id: ConnectionId,
) -> Result<Digest, Error> {
    let sum: Vec<u8> = sqlx::query_scalar(
        "SELECT sha256(convert_to((to_jsonb(c) - 'last_call_at' - 'updated_at')::text, 'UTF8'))
         FROM connections AS c WHERE c.connection_id = $1",
    )
    .bind(id.uuid())
    .fetch_one(connection)
    .await?;
    audit::digest(sum)
}

/// What follows a change that was stored: the relationship's version rises, the audit log is told, last.
pub(super) async fn changed(
    connection: &mut PgConnection,
    (scope, actor): Who,
    (action, id): (&'static str, ConnectionId),
    before: Option<Digest>,
    now: Timestamp,
) -> Result<Changed, Error> {
    let raised = sqlx::query(
        "UPDATE relationships SET version = version + 1, updated_at = $3
         WHERE merchant_id = $1 AND relationship_id = $2",
    )
    .bind(scope.merchant.uuid())
    .bind(scope.relationship.uuid())
    .bind(now)
    .execute(&mut *connection)
    .await?;
    exactly_one(&raised, "the relationship of a connection")?;
    let stored = lock_one(connection, scope, id).await?;
    let stored = stored.ok_or(Error::Inconsistent {
        what: "a connection that was just stored is missing",
    })?;
    let balances = rows::balances(connection, scope.relationship).await?;
    let deed = Deed {
        actor,
        action: action.to_owned(),
        target: id.to_string(),
        before,
        after: Some(digest(connection, id).await?),
        at: now,
    };
    audit::append(connection, scope.merchant, deed).await?;
    Ok(Changed {
        connection: stored,
        balances,
    })
}
