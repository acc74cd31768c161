//! What became of the events of a side, newest first.

use engine::{
    ids::{RelationshipId, WebhookId},
    webhooks::Stage,
};

use super::{Delivery, Side, rows::DeliveryRow};
use crate::{
    Database, Error, owned,
    page::{NumberedPage, PageNumber},
};

/// More than this is not counted.
pub const TOTAL_MAX: u64 = 10_000;

/// The filters of both lists.
macro_rules! filtered {
    ($before:literal, $side:literal, $after:literal) => {
        concat!(
            $before,
            " WHERE d.merchant_id = $1 AND ",
            $side,
            " AND ($3::uuid IS NULL OR d.webhook_id = $3)
               AND ($4::text[] = '{}' OR d.status = ANY ($4))
               AND ($5::text IS NULL OR d.event = $5) ",
            $after
        )
    };
}
/// The last so many of them.
macro_rules! counted {
    ($side:literal) => {
        filtered!(
            "SELECT COUNT(*) FROM (SELECT FROM webhook_deliveries AS d",
            $side,
            "ORDER BY d.delivery_id DESC LIMIT $6) AS counted"
        )
    };
}
macro_rules! paged {
    ($side:literal) => {
        filtered!(
            "SELECT d.delivery_id, d.webhook_id, d.event_id, d.event, d.status, d.attempts,
               d.response_status, d.failure, d.latency_ms, d.due_at, d.created_at, d.updated_at
             FROM webhook_deliveries AS d",
            $side,
            "ORDER BY d.delivery_id DESC LIMIT $6 OFFSET $7"
        )
    };
}

// Two texts of each, because only an equality is looked up in an index.
const COUNT_OF_RELATIONSHIP: &str = counted!("d.relationship_id = $2");
const COUNT_OF_MERCHANT: &str = counted!("d.relationship_id IS NULL AND $2::uuid IS NULL");
const PAGE_OF_RELATIONSHIP: &str = paged!("d.relationship_id = $2");
const PAGE_OF_MERCHANT: &str = paged!("d.relationship_id IS NULL AND $2::uuid IS NULL");

/// Which deliveries to list; none of a field is any.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub webhook: Option<WebhookId>,
    /// Any of these; any at all if there is none.
    pub stages: Vec<Stage>,
    /// The name of an event.
    pub event: Option<String>,
}

/// One page of deliveries.
pub async fn log(
    db: &Database,
    side: Side,
    filter: Filter,
    page: PageNumber,
) -> Result<NumberedPage<Delivery>, Error> {
    let db = db.clone();
    owned(async move {
        let stages: Vec<_> = filter.stages.iter().map(|stage| stage.name()).collect();
        let mut connection = db.scoped(side.read()).await?;
        let (count, page_of) = match side.relationship {
            Some(_) => (COUNT_OF_RELATIONSHIP, PAGE_OF_RELATIONSHIP),
            None => (COUNT_OF_MERCHANT, PAGE_OF_MERCHANT),
        };
        let total: i64 = sqlx::query_scalar(count)
            .bind(side.merchant.uuid())
            .bind(side.relationship.map(RelationshipId::uuid))
            .bind(filter.webhook.map(WebhookId::uuid))
            .bind(&stages)
            .bind(&filter.event)
            .bind(i64::try_from(TOTAL_MAX).unwrap_or(i64::MAX))
            .fetch_one(&mut *connection)
            .await?;
        let rows: Vec<DeliveryRow> = sqlx::query_as(page_of)
            .bind(side.merchant.uuid())
            .bind(side.relationship.map(RelationshipId::uuid))
            .bind(filter.webhook.map(WebhookId::uuid))
            .bind(&stages)
            .bind(&filter.event)
            .bind(i64::from(page.limit))
            .bind(page.offset())
            .fetch_all(&mut *connection)
            .await?;
        let items = rows.into_iter().map(Delivery::try_from);
        Ok(NumberedPage {
            items: items.collect::<Result<_, _>>()?,
            total: total.unsigned_abs(),
        })
    })
    .await
}
