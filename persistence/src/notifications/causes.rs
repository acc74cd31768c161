//! Facts that somebody is to be mailed about, stored when they get their numbers.

use engine::{
    clock::Timestamp,
    events::Fact,
    notifications::{Whom, causes},
};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::Error;

/// Stores what follows from a fact of this merchant, and of this relationship if it concerns one.
pub(crate) async fn note(
    connection: &mut PgConnection,
    (merchant, relationship): (Uuid, Option<Uuid>),
    fact: &Fact,
    occurred_at: Timestamp,
) -> Result<(), Error> {
    for (whom, group) in causes(fact) {
        let relationship = match whom {
            Whom::Merchant => None,
            Whom::Reseller if relationship.is_some() => relationship,
            // There is nobody else.
            Whom::Reseller => continue,
        };
        sqlx::query(
            "INSERT INTO mail_causes
               (side_id, merchant_id, relationship_id, topic, fact, occurred_at)
             VALUES (COALESCE($2::uuid, $1), $1, $2, $3, $4, $5)",
        )
        .bind(merchant)
        .bind(relationship)
        .bind(group.name())
        .bind(Json(fact))
        .bind(occurred_at)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
