//! A reseller asks for the replacement of one item of its inventory.
//!
//! Keeps: it is judged while its purchase is locked, so what becomes of an item and the request for its
//! replacement are stored one after the other.

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::{ReplacementId, SerialId},
    programs,
    relationships::RelationshipScope,
    replacements::{self, Bought, Facts, Reason, Refusal, Replacement, Status},
    stock_requests::ItemStatus,
};

use super::{
    request::{insert, is_requested, note},
    rows::tell,
};
use crate::{
    Database, Error,
    database::commit,
    owned,
    relationships::rows::kept,
    stock_requests::replace::{Standing, standing},
};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub id: ReplacementId,
    pub scope: RelationshipScope,
    pub serial: SerialId,
    pub reason: Reason,
    pub note: Option<String>,
}

/// Stores a request, which waits for the merchant, or says why there is none; none of both if the relationship
/// has no such item.
pub async fn request_item(
    db: &Database,
    wanted: Wanted,
    rule: programs::Replacement,
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Result<Replacement, Refusal>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(item) = standing(&mut tx, wanted.scope, wanted.serial).await? else {
            return Ok(None);
        };
        let stands = matches!(item.status, ItemStatus::Available | ItemStatus::Delivered);
        let succeeded: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM replacements WHERE successor_id = $1)")
                .bind(wanted.serial.uuid())
                .fetch_one(&mut *tx)
                .await?;
        let facts = Facts {
            delivered_at: item.delivered_at.unwrap_or(item.created_at),
            gone: !stands || succeeded,
            refunded: false,
            requested: is_requested(&mut tx, wanted.serial).await?,
            rule: programs::Replacement {
                // A wholesale purchase is no order of a customer's: its merchant decides.
                automatic: false,
                ..rule
            },
            bought: 0,
            replaced: 0,
        };
        let status = match replacements::request(&facts, now) {
            Ok(status) => status,
            Err(refusal) => return Ok(Some(Err(refusal))),
        };
        let stored = of(wanted, &item, status, now);
        insert(&mut tx, &stored, now).await?;
        tell(&mut tx, &stored, now).await?;
        note(&mut tx, &stored, (actor, "replacement.request"), now).await?;
        commit(tx).await?;
        Ok(Some(Ok(stored)))
    })
    .await
}

fn of(wanted: Wanted, item: &Standing, status: Status, now: Timestamp) -> Replacement {
    Replacement {
        id: wanted.id,
        scope: item.request.scope,
        bought: Bought::Wholesale(item.request.id),
        serial: wanted.serial,
        sku: item.request.sku,
        unit_price: item.request.agreed.unit_price,
        reason: wanted.reason,
        note: wanted.note,
        status,
        decided_by: None,
        decision_note: None,
        successor: None,
        created_at: now,
        updated_at: now,
    }
}
