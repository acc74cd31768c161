//! Old events end: a feed remembers ninety days.

use chrono::TimeDelta;
use engine::clock::Timestamp;

use crate::{Database, Error, owned};

const KEPT_DAYS: i64 = 90;
/// Spans that one statement takes away.
const SWEPT: i64 = 1000;

/// Takes the oldest spans away that are over; how many that were. The numbers of a feed go on.
pub async fn sweep(db: &Database, now: Timestamp) -> Result<u64, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin_behind().await?;
        let swept = sqlx::query(
            "DELETE FROM event_spans WHERE (feed_id, last_seq) IN
               (SELECT feed_id, last_seq FROM event_spans WHERE made_at < $1
                ORDER BY made_at LIMIT $2)",
        )
        .bind(now - TimeDelta::days(KEPT_DAYS))
        .bind(SWEPT)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(swept.rows_affected())
    })
    .await
}
