//! Old ends of deliveries are forgotten.

use chrono::TimeDelta;
use engine::{clock::Timestamp, webhooks::LOG_DAYS};

use crate::{Database, Error, owned};

/// Deliveries that one statement takes away.
const SWEPT: i64 = 1000;

/// Takes the oldest deliveries away whose end is long ago; how many that were.
pub async fn sweep(db: &Database, now: Timestamp) -> Result<u64, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin_behind().await?;
        let swept = sqlx::query(
            "DELETE FROM webhook_deliveries WHERE delivery_id IN (
               SELECT delivery_id FROM webhook_deliveries
               WHERE due_at IS NULL AND updated_at < $1 ORDER BY updated_at LIMIT $2
               FOR UPDATE SKIP LOCKED)",
        )
        .bind(now - TimeDelta::days(LOG_DAYS))
        .bind(SWEPT)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(swept.rows_affected())
    })
    .await
}
