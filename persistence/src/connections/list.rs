//! The connections of a relationship, newest first.

use engine::{connections::Connection, ids::ConnectionId};

use super::{
    Scope,
    rows::{Row, select_connection},
};
use crate::{
    Database, Error, owned,
    page::{self, Page},
};

/// One page of connections, below `before` if there is one.
pub async fn list(
    db: &Database,
    scope: Scope,
    before: Option<ConnectionId>,
    limit: u32,
) -> Result<Page<Connection>, Error> {
    let db = db.clone();
    owned(async move {
        let found: Vec<Row> = sqlx::query_as(select_connection!(
            "WHERE c.merchant_id = $1 AND c.relationship_id = $2
               AND ($3::uuid IS NULL OR c.connection_id < $3)
             ORDER BY c.connection_id DESC LIMIT $4"
        ))
        .bind(scope.merchant.uuid())
        .bind(scope.relationship.uuid())
        .bind(before.map(ConnectionId::uuid))
        .bind(page::asked(limit))
        .fetch_all(&mut *db.scoped(scope.read()).await?)
        .await?;
        Page::cut(found, limit).try_map(Connection::try_from)
    })
    .await
}

/// One connection of this scope.
pub async fn find(
    db: &Database,
    scope: Scope,
    id: ConnectionId,
) -> Result<Option<Connection>, Error> {
    let db = db.clone();
    owned(async move {
        let row: Option<Row> = sqlx::query_as(select_connection!(
            "WHERE c.merchant_id = $1 AND c.relationship_id = $2 AND c.connection_id = $3"
        ))
        .bind(scope.merchant.uuid())
        .bind(scope.relationship.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *db.scoped(scope.read()).await?)
        .await?;
        row.map(Connection::try_from).transpose()
    })
    .await
}
