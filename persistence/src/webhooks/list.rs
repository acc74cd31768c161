//! The webhooks of a side, newest first.

use engine::ids::{RelationshipId, WebhookId};

use super::{
    Side, Webhook,
    rows::{Row, select_webhook},
};
use crate::{
    Database, Error, owned,
    page::{self, Page},
};

/// One page of webhooks, below the webhook `before` if there is one.
pub async fn list(
    db: &Database,
    side: Side,
    before: Option<WebhookId>,
    limit: u32,
) -> Result<Page<Webhook>, Error> {
    let db = db.clone();
    owned(async move {
        let sql = if side.relationship.is_some() {
            OF_RELATIONSHIP
        } else {
            OF_MERCHANT
        };
        let found: Vec<Row> = sqlx::query_as(sql)
            .bind(side.merchant.uuid())
            .bind(side.relationship.map(RelationshipId::uuid))
            .bind(before.map(WebhookId::uuid))
            .bind(page::asked(limit))
            .fetch_all(&mut *db.scoped(side.read()).await?)
            .await?;
        Page::cut(found, limit).try_map(Webhook::try_from)
    })
    .await
}

// Two texts, because only an equality is looked up in an index.
const OF_RELATIONSHIP: &str = select_webhook!(
    "WHERE w.merchant_id = $1 AND w.relationship_id = $2
       AND ($3::uuid IS NULL OR w.webhook_id < $3)
     ORDER BY w.webhook_id DESC LIMIT $4"
);
const OF_MERCHANT: &str = select_webhook!(
    "WHERE w.merchant_id = $1 AND w.relationship_id IS NULL AND $2::uuid IS NULL
       AND ($3::uuid IS NULL OR w.webhook_id < $3)
     ORDER BY w.webhook_id DESC LIMIT $4"
);

/// One webhook of this side.
pub async fn find(db: &Database, side: Side, id: WebhookId) -> Result<Option<Webhook>, Error> {
    let db = db.clone();
    owned(async move {
        let row: Option<Row> = sqlx::query_as(select_webhook!(
            "WHERE w.merchant_id = $1 AND w.relationship_id IS NOT DISTINCT FROM $2
               AND w.webhook_id = $3"
        ))
        .bind(side.merchant.uuid())
        .bind(side.relationship.map(RelationshipId::uuid))
        .bind(id.uuid())
        .fetch_optional(&mut *db.scoped(side.read()).await?)
        .await?;
        row.map(Webhook::try_from).transpose()
    })
    .await
}
