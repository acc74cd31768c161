//! What purchases count against the purchase limits beside the ledger.
//!
//! Keeps: whoever changes it raises the version of the relationship's terms in the same transaction.

use chrono::NaiveDate;
use engine::{
    clock::Timestamp, ids::RelationshipId, relationships::Committed, stock_requests::StockRequest,
};
use sqlx::PgConnection;

use crate::{Error, error::exactly_one, fulfillments::rows::money};

/// What was asked for, or bought after its end, on the day of `now`, and in its month, and is not in the ledger, and did
/// not end unpaid.
pub(crate) async fn committed(
    connection: &mut PgConnection,
    relationship: RelationshipId,
    now: Option<Timestamp>,
) -> Result<Committed, Error> {
    let (day, today, month): (NaiveDate, i64, i64) = sqlx::query_as(
        "WITH asked AS (
           SELECT told, date_trunc('day', told AT TIME ZONE 'UTC') AS day
           FROM (SELECT COALESCE($2, clock_timestamp())) AS given (told))
         SELECT asked.day::date,
           LEAST(COALESCE(SUM(r.unit_price * r.quantity - r.refunded)
             FILTER (WHERE GREATEST(r.created_at, r.revived_at) >= asked.day AT TIME ZONE 'UTC'), 0), 999999999999)::bigint,
           LEAST(COALESCE(SUM(r.unit_price * r.quantity - r.refunded), 0), 999999999999)::bigint
         FROM asked LEFT JOIN stock_requests AS r ON r.relationship_id = $1 AND r.entry_id IS NULL
           AND (r.created_at >= date_trunc('month', asked.day) AT TIME ZONE 'UTC'
             OR r.revived_at >= date_trunc('month', asked.day) AT TIME ZONE 'UTC')
           AND r.status NOT IN ('PAYING', 'CANCELLED', 'EXPIRED')
           AND (r.status NOT IN ('REQUESTED', 'INVOICED') OR r.expires_at > asked.told)
         GROUP BY asked.day",
    )
    .bind(relationship.uuid())
    .bind(now)
    .fetch_one(connection)
    .await?;
    Ok(Committed {
        day,
        today: money(today)?,
        month: money(month)?,
    })
}

/// A request counts otherwise than before: terms that are loaded from now on say so.
pub(super) async fn moved(
    connection: &mut PgConnection,
    request: &StockRequest,
) -> Result<(), Error> {
    let raised =
        sqlx::query("UPDATE relationships SET version = version + 1 WHERE relationship_id = $1")
            .bind(request.scope.relationship.uuid())
            .execute(connection)
            .await?;
    exactly_one(&raised, "the relationship of a stock request")
}
