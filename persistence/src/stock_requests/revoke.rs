//! Items are taken back: one, or all of a request that no customer has.
//!
//! Keeps: what goes back for them is stored with the step that takes them, under an id of its own; their serials
//! stay claimed.

use engine::{
    audit::Actor,
    clock::Timestamp,
    events::{Fact, StockTaken},
    ids::{SerialId, StockRefundId, StockRequestId},
    money::Money,
    relationships::RelationshipScope,
    stock_requests::{
        Event, GiveBack, Held, ItemStatus, NotTaken, Stepped, StockRefund, StockRequest, Taken,
    },
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    committed::moved,
    hand_over::{end, request_of},
    refunds,
    rows::{lock, note, store, tell},
};
use crate::{
    Database, Error,
    database::commit,
    error::exactly,
    events::outbox,
    owned,
    relationships::rows::{kept, named},
};

/// How it is taken back, and why.
#[derive(Debug, Clone)]
pub struct Revoke {
    pub how: GiveBack,
    pub reason: Option<String>,
}

/// What became of it. What goes back is to be credited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revoked {
    Done(Box<StockRequest>, Option<StockRefund>),
    Already(Box<StockRequest>),
    Wrong(Box<StockRequest>),
    NotTaken(NotTaken),
}

/// Takes back what no customer has of a request; none if the relationship has no such request.
pub async fn revoke(
    db: &Database,
    (scope, id): (RelationshipScope, StockRequestId),
    revoke: Revoke,
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Revoked>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let of = (scope.merchant, Some(scope.relationship));
        let Some(found) = lock(&mut tx, of, id).await? else {
            return Ok(None);
        };
        let mut request = match found.clone().step(Event::Revoked, now) {
            Err(_) => return Ok(Some(Revoked::Wrong(Box::new(found)))),
            Ok(Stepped::Already(request)) => return Ok(Some(Revoked::Already(request))),
            Ok(Stepped::To(request)) => *request,
        };
        let items = items(&mut tx, id).await?;
        let taken = request.take_all(&items, revoke.how);
        request.status_reason = revoke.reason.or(request.status_reason);
        let own = StockRefundId::from_uuid(id.uuid());
        let refund = take(&mut tx, &mut request, (own, &taken), now).await?;
        tell(&mut tx, &request, now).await?;
        let did = (actor, "stock_request.revoke", id.to_string());
        note(&mut tx, scope.merchant, did, now).await?;
        commit(tx).await?;
        Ok(Some(Revoked::Done(Box::new(request), refund)))
    })
    .await
}

/// Takes one item back; none if the relationship has no such item.
pub async fn revoke_item(
    db: &Database,
    (scope, serial): (RelationshipScope, SerialId),
    revoke: Revoke,
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Revoked>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(mut request) = request_of(&mut tx, scope, serial).await? else {
            return Ok(None);
        };
        let items = items(&mut tx, request.id).await?;
        let item = items.into_iter().find(|item| item.serial == serial);
        let item = item.ok_or(Error::Inconsistent {
            what: "an item is gone",
        })?;
        let taken = match request.take_one(item, revoke.how, revoke.reason.as_deref()) {
            Ok(taken) => taken,
            Err(NotTaken::Status(ItemStatus::Revoked)) => {
                return Ok(Some(Revoked::Already(Box::new(request))));
            }
            Err(not) => return Ok(Some(Revoked::NotTaken(not))),
        };
        request.updated_at = now;
        let own = StockRefundId::from_uuid(serial.uuid());
        let refund = take(&mut tx, &mut request, (own, &taken), now).await?;
        let request = end(&mut tx, &request, now).await?;
        let target = serial.inventory_item().to_string();
        note(
            &mut tx,
            scope.merchant,
            (actor, "inventory.revoke", target),
            now,
        )
        .await?;
        commit(tx).await?;
        Ok(Some(Revoked::Done(Box::new(request), refund)))
    })
    .await
}

/// The items of a request that is locked.
async fn items(connection: &mut PgConnection, id: StockRequestId) -> Result<Vec<Held>, Error> {
    let rows: Vec<(Uuid, String, bool)> = sqlx::query_as(
        "SELECT serial_id, status, handed_over_at IS NOT NULL FROM inventory_items
         WHERE stock_request_id = $1 ORDER BY serial_id",
    )
    .bind(id.uuid())
    .fetch_all(connection)
    .await?;
    let held = |(serial, status, handed_over): (Uuid, String, bool)| {
        Ok(Held {
            serial: SerialId::from_uuid(serial),
            status: named(ItemStatus::parse(&status), "inventory_items.status")?,
            handed_over,
        })
    };
    rows.into_iter().map(held).collect()
}

/// Stores what is taken, and what goes back for it.
async fn take(
    connection: &mut PgConnection,
    request: &mut StockRequest,
    (own, taken): (StockRefundId, &Taken),
    now: Timestamp,
) -> Result<Option<StockRefund>, Error> {
    let serials: Vec<_> = taken.serials.iter().map(|one| one.uuid()).collect();
    let updated = sqlx::query(
        "UPDATE inventory_items SET status = 'REVOKED', revoked_at = $2, updated_at = $2
         WHERE serial_id = ANY ($1) AND status IN ('AVAILABLE', 'DELIVERED')",
    )
    .bind(serials)
    .bind(now)
    .execute(&mut *connection)
    .await?;
    exactly(&updated, taken.serials.len(), "items that are taken back")?;
    let counted = request.commits();
    request.give_back(taken.refund);
    store(connection, request).await?;
    if request.commits() != counted {
        moved(connection, request).await?;
    }
    let refund = (taken.refund > Money::ZERO).then_some(StockRefund {
        id: own,
        request: request.id,
        scope: request.scope,
        amount: taken.refund,
    });
    if let Some(refund) = &refund {
        refunds::insert(connection, refund, now).await?;
    }
    if let Ok(items @ 1..) = u32::try_from(taken.serials.len()) {
        let fact = Fact::InventoryRevoked(StockTaken {
            request: request.id.uuid(),
            relationship: request.scope.relationship.uuid(),
            items,
        });
        let whose = (request.scope.merchant, Some(request.scope.relationship));
        outbox::tell(connection, whose, &fact, now).await?;
    }
    Ok(refund)
}

/// How many serials of a request left Consign.
pub async fn handed_over(
    db: &Database,
    scope: RelationshipScope,
    id: StockRequestId,
) -> Result<u64, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(scope.into()).await?;
        let count: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM inventory_items
             WHERE merchant_id = $1 AND relationship_id = $2 AND stock_request_id = $3
               AND handed_over_at IS NOT NULL",
        )
        .bind(scope.merchant.uuid())
        .bind(scope.relationship.uuid())
        .bind(id.uuid())
        .fetch_one(&mut *connection)
        .await?;
        Ok(count.unsigned_abs())
    })
    .await
}
