//! What becomes of one item: it goes to a customer, or its owner reads it.
//!
//! Keeps: an item goes to one address, once; what is sent or shown is noted before it is.

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::{SerialId, StockRequestId},
    relationships::RelationshipScope,
    stock_requests::{ItemStatus, Stepped, StockRequest},
    vault::{Sealed, Vault},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows::{lock, note, store, tell};
use crate::{
    Database, Error,
    database::commit,
    error::exactly_one,
    mail::{self, Post},
    owned,
    relationships::rows::{kept, named},
};

/// To whom an item goes, and the mail that takes it there.
pub struct Delivery {
    pub email: Sealed,
    pub digest: [u8; 16],
    pub post: Post,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    Fresh,
    /// It went to this address before.
    Again,
    /// It is not there to be given any more.
    Otherwise(ItemStatus),
}

/// Sends an item to a customer, once; none if the relationship has no such item.
pub async fn deliver(
    db: &Database,
    vault: &Vault,
    (scope, serial): (RelationshipScope, SerialId),
    delivery: Delivery,
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Given>, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some((request, held)) = hold(&mut tx, scope, serial).await? else {
            return Ok(None);
        };
        match held.status {
            ItemStatus::Available => {}
            ItemStatus::Delivered if held.digest.as_deref() == Some(&delivery.digest[..]) => {
                // The answer shows its text once more.
                let target = serial.inventory_item().to_string();
                let did = (actor, "inventory.show_again", target);
                note(&mut tx, scope.merchant, did, now).await?;
                commit(tx).await?;
                return Ok(Some(Given::Again));
            }
            status @ (ItemStatus::Delivered | ItemStatus::Revoked | ItemStatus::Replaced) => {
                return Ok(Some(Given::Otherwise(status)));
            }
        }
        let updated = sqlx::query(
            "UPDATE inventory_items SET status = 'DELIVERED', email_sealed = $2, email_digest = $3,
               delivered_at = $4, handed_over_at = COALESCE(handed_over_at, $4), updated_at = $4
             WHERE serial_id = $1",
        )
        .bind(serial.uuid())
        .bind(delivery.email.as_bytes())
        .bind(&delivery.digest[..])
        .bind(now)
        .execute(&mut *tx)
        .await?;
        exactly_one(&updated, "a locked item")?;
        end(&mut tx, &request, now).await?;
        let Post { id, letter } = &delivery.post;
        mail::queue(&mut tx, &vault, (*id, "inventory-item"), letter, now).await?;
        let did = (
            actor,
            "inventory.deliver",
            serial.inventory_item().to_string(),
        );
        note(&mut tx, scope.merchant, did, now).await?;
        commit(tx).await?;
        Ok(Some(Given::Fresh))
    })
    .await
}

/// Takes the step that follows from what became of a request's items.
pub(super) async fn end(
    connection: &mut PgConnection,
    request: &StockRequest,
    now: Timestamp,
) -> Result<StockRequest, Error> {
    let of = (request.scope.merchant, None);
    let found = lock(connection, of, request.id).await?;
    let request = found.ok_or(Error::Inconsistent {
        what: "a stock request is gone",
    })?;
    let Some(event) = request.counts.end() else {
        return Ok(request);
    };
    match request.clone().step(event, now) {
        Ok(Stepped::To(request)) => {
            store(connection, &request).await?;
            tell(connection, &request, now).await?;
            Ok(*request)
        }
        Ok(Stepped::Already(_)) | Err(_) => Ok(request),
    }
}

/// Sends a delivered item to its customer once more.
pub async fn resend(
    db: &Database,
    vault: &Vault,
    (scope, serial): (RelationshipScope, SerialId),
    post: Post,
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Given>, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some((_, held)) = hold(&mut tx, scope, serial).await? else {
            return Ok(None);
        };
        if held.status != ItemStatus::Delivered {
            return Ok(Some(Given::Otherwise(held.status)));
        }
        let Post { id, letter } = &post;
        mail::queue(&mut tx, &vault, (*id, "inventory-item"), letter, now).await?;
        let did = (
            actor,
            "inventory.resend",
            serial.inventory_item().to_string(),
        );
        note(&mut tx, scope.merchant, did, now).await?;
        commit(tx).await?;
        Ok(Some(Given::Fresh))
    })
    .await
}

/// Notes that the text of an item is about to be shown to its owner.
pub async fn reveal(
    db: &Database,
    (scope, serial): (RelationshipScope, SerialId),
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Given>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some((_, held)) = hold(&mut tx, scope, serial).await? else {
            return Ok(None);
        };
        if held.status == ItemStatus::Revoked {
            return Ok(Some(Given::Otherwise(held.status)));
        }
        let updated = sqlx::query(
            "UPDATE inventory_items SET revealed_at = $2,
               handed_over_at = COALESCE(handed_over_at, $2), updated_at = $2
             WHERE serial_id = $1",
        )
        .bind(serial.uuid())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        exactly_one(&updated, "a locked item")?;
        let did = (
            actor,
            "inventory.reveal",
            serial.inventory_item().to_string(),
        );
        note(&mut tx, scope.merchant, did, now).await?;
        commit(tx).await?;
        Ok(Some(Given::Fresh))
    })
    .await
}

/// An item as it stands while its request is locked.
struct Held {
    status: ItemStatus,
    digest: Option<Vec<u8>>,
}

/// The request of an item, locked until the transaction ends.
pub(super) async fn request_of(
    connection: &mut PgConnection,
    scope: RelationshipScope,
    serial: SerialId,
) -> Result<Option<StockRequest>, Error> {
    let request: Option<Uuid> = sqlx::query_scalar(
        "SELECT stock_request_id FROM inventory_items WHERE serial_id = $1 AND relationship_id = $2",
    )
    .bind(serial.uuid())
    .bind(scope.relationship.uuid())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(request) = request else {
        return Ok(None);
    };
    let of = (scope.merchant, Some(scope.relationship));
    lock(connection, of, StockRequestId::from_uuid(request)).await
}

async fn hold(
    connection: &mut PgConnection,
    scope: RelationshipScope,
    serial: SerialId,
) -> Result<Option<(StockRequest, Held)>, Error> {
    let request = request_of(connection, scope, serial).await?;
    let (status, digest): (String, Option<Vec<u8>>) =
        sqlx::query_as("SELECT status, email_digest FROM inventory_items WHERE serial_id = $1")
            .bind(serial.uuid())
            .fetch_one(connection)
            .await?;
    let status = named(ItemStatus::parse(&status), "inventory_items.status")?;
    Ok(request.map(|request| (request, Held { status, digest })))
}
