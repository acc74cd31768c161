//! Test mode begun anew: another balance in the place of the one that was tried on.
//!
//! Keeps: nothing that a lane wrote is changed. The balance that was is retired with its entries, so that its
//! number is never anybody's again, and its records of other tables are taken away.

use engine::{
    audit::{Actor, Deed},
    clock::Timestamp,
    ids::KeyId,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::KeyScope;
use crate::{Database, Error, audit, database::commit, error::exactly_one, owned};

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reset {
    /// These keys spend from another balance now.
    Done(Vec<KeyId>),
    /// Nothing was tried since the last time.
    Already,
}

/// Begins the test mode of a relationship anew; none if it has none.
pub async fn reset_test(
    db: &Database,
    (scope, actor): (KeyScope, Actor),
    now: Timestamp,
) -> Result<Option<Reset>, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let Some((balance, used)) = lock(&mut tx, scope).await? else {
            return Ok(None);
        };
        if !used {
            return Ok(Some(Reset::Already));
        }
        let retired = sqlx::query(
            "WITH gone AS (DELETE FROM balances WHERE balance_id = $1
               RETURNING balance_id, relationship_id, merchant_id)
             INSERT INTO retired_balances (balance_id, relationship_id, merchant_id, retired_at)
             SELECT balance_id, relationship_id, merchant_id, $2 FROM gone",
        )
        .bind(balance)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        exactly_one(&retired, "a locked balance")?;
        let relationship = scope.relationship.map(engine::ids::RelationshipId::uuid);
        for statement in [
            "DELETE FROM replacements WHERE relationship_id = $1 AND test AND merchant_id = $2",
            "DELETE FROM event_spans WHERE feed_id IN (SELECT feed_id FROM event_feeds
               WHERE relationship_id = $1 AND test AND merchant_id = $2)",
            "INSERT INTO balances (relationship_id, merchant_id, test) VALUES ($1, $2, true)",
        ] {
            sqlx::query(statement)
                .bind(relationship)
                .bind(scope.merchant.uuid())
                .execute(&mut *tx)
                .await?;
        }
        let keys: Vec<Uuid> =
            sqlx::query_scalar("SELECT key_id FROM api_keys WHERE relationship_id = $1 AND test")
                .bind(relationship)
                .fetch_all(&mut *tx)
                .await?;
        let deed = Deed {
            actor,
            action: "test.reset".to_owned(),
            target: scope
                .relationship
                .map(|id| id.to_string())
                .unwrap_or_default(),
            before: None,
            after: None,
            at: now,
        };
        audit::append(&mut tx, scope.merchant, deed).await?;
        commit(tx).await?;
        Ok(Some(Reset::Done(
            keys.into_iter().map(KeyId::from_uuid).collect(),
        )))
    })
    .await
}

/// The test balance in force, and whether there is more in it than what it was opened with.
async fn lock(
    connection: &mut PgConnection,
    scope: KeyScope,
) -> Result<Option<(i64, bool)>, Error> {
    Ok(sqlx::query_as(
        "SELECT b.balance_id, EXISTS (SELECT FROM ledger_entries AS e
           WHERE e.balance_id = b.balance_id AND e.version > 1)
         FROM balances AS b
         WHERE b.merchant_id = $1 AND b.relationship_id = $2 AND b.test
         FOR UPDATE OF b",
    )
    .bind(scope.merchant.uuid())
    .bind(scope.relationship.map(engine::ids::RelationshipId::uuid))
    .fetch_optional(connection)
    .await?)
}
