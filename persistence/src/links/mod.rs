//! Tracked links: where they lead, who came by them, how often, and what was sold to them.
//!
//! Keeps: a relationship has a link of its own from the beginning, whose code is the relationship's;
//! a code is one link's in the whole installation; what a campaign brings is a link's, too; a visitor is counted once an hour, and nothing that
//! names the visitor is stored.

mod change;
mod create;
mod find;
mod list;
pub(crate) mod rows;
mod visit;

pub use change::change;
pub use create::create;
pub use find::{Found, find};
pub use list::{Brought, Tracked, list, one};
pub(crate) use visit::is_fresh;
pub use visit::{count, sweep};

use engine::{clock::Timestamp, relationships::Relationship};
use sqlx::PgConnection;

use crate::{Database, Error, database::commit, owned};

/// Why a link is not made or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotChanged {
    Refused(engine::links::Refusal),
    CodeTaken,
}

/// What the link is called that every relationship has.
pub(crate) const OWN_NAME: &str = "Default";

/// Makes the links of relationships that an older version made without; says how many.
pub async fn complete(db: &Database, now: Timestamp) -> Result<u64, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin_behind().await?;
        let made = sqlx::query(
            "INSERT INTO links (link_id, merchant_id, relationship_id, name, status, created_at,
               updated_at)
             SELECT r.relationship_id, r.merchant_id, r.relationship_id, $1, 'ACTIVE', $2, $2
             FROM relationships AS r
             WHERE NOT EXISTS (SELECT FROM links AS l WHERE l.link_id = r.relationship_id)
             ON CONFLICT ON CONSTRAINT links_pkey DO NOTHING",
        )
        .bind(OWN_NAME)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        commit(tx).await?;
        Ok(made.rows_affected())
    })
    .await
}

/// Whether storage refused because the code is another link's.
pub(crate) fn is_taken(error: &Error) -> bool {
    matches!(
        error.constraint(),
        Some("link_codes_pkey" | "links_code_key" | "relationships_code_key")
    )
}

/// Stores the link that a new relationship has.
pub(crate) async fn insert_own(
    connection: &mut PgConnection,
    relationship: &Relationship,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO links (link_id, merchant_id, relationship_id, name, status, created_at,
           updated_at)
         VALUES ($1, $2, $3, $4, 'ACTIVE', $5, $5)",
    )
    .bind(relationship.id.link().uuid())
    .bind(relationship.merchant.uuid())
    .bind(relationship.id.uuid())
    .bind(OWN_NAME)
    .bind(relationship.created_at)
    .execute(connection)
    .await?;
    Ok(())
}
