//! Facts that somebody is to be mailed about, stored when they get their numbers.

use engine::{
    clock::Timestamp,
    events::Fact,
    notifications::{Whom, causes},
};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::Error;

/// Stores what follows from a fact of this merchant, and of these relationships if it concerns some.
pub(crate) async fn note(
    connection: &mut PgConnection,
    (merchant, relationships): (Uuid, Vec<Uuid>),
    fact: &Fact,
    occurred_at: Timestamp,
) -> Result<(), Error> {
    for (whom, group) in causes(fact) {
        let sides = match whom {
            Whom::Merchant => vec![None],
            Whom::Reseller => relationships.iter().copied().map(Some).collect(),
        };
        sqlx::query(
            "INSERT INTO mail_causes
               (side_id, merchant_id, relationship_id, topic, fact, occurred_at)
             SELECT COALESCE(side.relationship_id, $1), $1, side.relationship_id, $3, $4, $5
             FROM UNNEST($2::uuid[]) AS side (relationship_id)",
        )
        .bind(merchant)
        .bind(sides)
        .bind(group.name())
        .bind(Json(fact))
        .bind(occurred_at)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
