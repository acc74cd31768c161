//! How much waits to be sent.

use std::time::Duration;

use engine::clock::Timestamp;

use crate::{Database, Error, owned};

/// More than this is not counted.
const COUNTED_MAX: i64 = 100_000;

/// What waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Deliveries that are to be tried, at once or later.
    pub pending: u64,
    /// How long the webhook waits whose turn came first and that nobody looks at.
    pub overdue: Duration,
}

/// Reads what waits.
pub async fn standing(db: &Database, now: Timestamp) -> Result<Standing, Error> {
    let db = db.clone();
    owned(async move {
        let (pending, first): (i64, Option<Timestamp>) = sqlx::query_as(
            "SELECT
               (SELECT COUNT(*) FROM (
                  SELECT FROM webhook_deliveries WHERE due_at IS NOT NULL LIMIT $2) AS waiting),
               (SELECT MIN(due_at) FROM webhooks
                WHERE status = 'ACTIVE' AND due_at <= $1
                  AND (leased_until IS NULL OR leased_until <= $1)
                  AND (rests_until IS NULL OR rests_until <= $1))",
        )
        .bind(now)
        .bind(COUNTED_MAX)
        .fetch_one(&mut *db.behind().await?)
        .await?;
        let overdue = first.and_then(|first| (now - first).to_std().ok());
        Ok(Standing {
            pending: pending.unsigned_abs(),
            overdue: overdue.unwrap_or_default(),
        })
    })
    .await
}
