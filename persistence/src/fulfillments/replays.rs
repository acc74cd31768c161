//! How often a dynamic URL showed the serials of an order again.
//!
//! Keeps: at most [`SHOWN_MAX`] times, however many calls come at once.

use engine::relationships::RelationshipScope;

use crate::{Database, Error, database::commit, error::at_most_one, owned};

/// How often the serials of one order are shown again.
pub const SHOWN_MAX: i32 = 20;

/// Counts one more replay of the fulfillment with this version; false if its serials were shown often
/// enough.
pub async fn count_replay(
    db: &Database,
    scope: RelationshipScope,
    version: i64,
) -> Result<bool, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let counted = sqlx::query(
            "INSERT INTO dynamic_url_replays AS r (balance_id, version, shown) VALUES ($1, $2, 1)
             ON CONFLICT ON CONSTRAINT dynamic_url_replays_pkey
             DO UPDATE SET shown = r.shown + 1 WHERE r.shown < $3",
        )
        .bind(scope.balance.0)
        .bind(version)
        .bind(SHOWN_MAX)
        .execute(&mut *tx)
        .await?;
        commit(tx).await?;
        at_most_one(&counted, "the replays of an order")
    })
    .await
}
