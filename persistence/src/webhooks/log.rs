//! What became of the events of a side, newest first.

use engine::{
    ids::{RelationshipId, WebhookId},
    webhooks::Stage,
};

use super::{
    Delivery, Side,
    rows::{DeliveryRow, select_delivery},
};
use crate::{
    Database, Error, owned,
    page::{NumberedPage, PageNumber},
};

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
        let total: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM webhook_deliveries AS d
             WHERE d.merchant_id = $1 AND d.relationship_id IS NOT DISTINCT FROM $2
               AND ($3::uuid IS NULL OR d.webhook_id = $3)
               AND ($4::text[] = '{}' OR d.status = ANY ($4)) AND ($5::text IS NULL OR d.event = $5)",
        )
        .bind(side.merchant.uuid())
        .bind(side.relationship.map(RelationshipId::uuid))
        .bind(filter.webhook.map(WebhookId::uuid))
        .bind(&stages)
        .bind(&filter.event)
        .fetch_one(&mut *connection)
        .await?;
        let rows: Vec<DeliveryRow> = sqlx::query_as(select_delivery!(
            "WHERE d.merchant_id = $1 AND d.relationship_id IS NOT DISTINCT FROM $2
               AND ($3::uuid IS NULL OR d.webhook_id = $3)
               AND ($4::text[] = '{}' OR d.status = ANY ($4)) AND ($5::text IS NULL OR d.event = $5)
             ORDER BY d.delivery_id DESC LIMIT $6 OFFSET $7"
        ))
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
