//! Serials that the engine gave away for a request come into the reseller's inventory.
//!
//! Keeps: the items are stored with the status that says so, once: of two that carry a request out, one is
//! told that it was done.

use engine::{
    clock::Timestamp,
    events::{Fact, StockGiven},
    ids::{EntryId, SerialId, VariantId},
    inventory::Ending,
    stock_requests::{Event, ItemStatus, Status, Stepped, StockRequest},
};
use sqlx::PgConnection;

use super::rows::{lock, store, tell};
use crate::{
    Database, Error, database::commit, events::outbox, inventory::reservations, owned,
    relationships::rows::kept,
};

/// What the engine says was given away, and by which entry the balance paid.
#[derive(Debug, Clone)]
pub struct Serials {
    pub serials: Vec<SerialId>,
    pub entry: Option<EntryId>,
}

/// Stores the items of a request; how it stands then.
pub async fn allocated(
    db: &Database,
    request: &StockRequest,
    given: Serials,
    now: Timestamp,
) -> Result<StockRequest, Error> {
    let (db, now, id) = (db.clone(), kept(now), request.id);
    let of = (request.scope.merchant, None);
    owned(async move {
        let mut tx = db.begin().await?;
        let found = lock(&mut tx, of, id).await?;
        let found = found.ok_or(Error::Inconsistent {
            what: "a stock request is gone",
        })?;
        let mut request = match found.step(Event::Allocated, now) {
            Ok(Stepped::Already(request)) => return Ok(*request),
            Ok(Stepped::To(request)) => *request,
            Err(_) => {
                return Err(Error::Inconsistent {
                    what: "serials were given away for a request that ended",
                });
            }
        };
        request.entry = given.entry;
        store(&mut tx, &request).await?;
        insert(&mut tx, &request, &given.serials, now).await?;
        reservations::end(&mut tx, request.withdrawal(), Ending::Redeemed, now).await?;
        tell(&mut tx, &request, now).await?;
        if request.status == Status::Revoked {
            commit(tx).await?;
            return Ok(request);
        }
        let fact = Fact::InventoryAllocated(StockGiven {
            request: id.uuid(),
            relationship: request.scope.relationship.uuid(),
            product: request.sku.product.uuid(),
            variant: request.sku.variant.map(VariantId::uuid),
            items: request.quantity,
        });
        let whose = (request.scope.merchant, Some(request.scope.relationship));
        outbox::tell(&mut tx, whose, &fact, now).await?;
        request.counts.available = given.serials.len() as u64;
        commit(tx).await?;
        Ok(request)
    })
    .await
}

/// What was paid back meanwhile is taken back as it comes.
async fn insert(
    connection: &mut PgConnection,
    request: &StockRequest,
    serials: &[SerialId],
    now: Timestamp,
) -> Result<(), Error> {
    let taken = request.status == Status::Revoked;
    let status = if taken {
        ItemStatus::Revoked
    } else {
        ItemStatus::Available
    };
    let serials: Vec<_> = serials.iter().map(|serial| serial.uuid()).collect();
    sqlx::query(
        "INSERT INTO inventory_items (serial_id, stock_request_id, merchant_id, relationship_id,
           status, revoked_at, created_at, updated_at)
         SELECT serial_id, $2, $3, $4, $5, $6, $7, $7
         FROM UNNEST($1::uuid[]) AS given (serial_id)",
    )
    .bind(serials)
    .bind(request.id.uuid())
    .bind(request.scope.merchant.uuid())
    .bind(request.scope.relationship.uuid())
    .bind(status.name())
    .bind(taken.then_some(now))
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
