//! An item that is no good: given up with the decision about it, put back if nothing came of that, and followed by
//! its successor.
//!
//! Keeps: an item whose replacement is decided goes to nobody and is not taken back beside that; what goes back
//! for it is stored with the decision.

use engine::{
    clock::Timestamp,
    ids::{SerialId, StockRequestId},
    money::Money,
    relationships::RelationshipScope,
    replacements::Replacement,
    stock_requests::{ItemStatus, StockRefund, StockRequest},
};
use sqlx::PgConnection;

use super::{
    committed::moved,
    hand_over::{end, request_of},
    refunds,
    rows::{lock, store},
};
use crate::{Error, error::exactly_one, relationships::rows::named};

/// An item as it stands while its request is locked.
pub(crate) struct Standing {
    pub(crate) request: StockRequest,
    pub(crate) status: ItemStatus,
    pub(crate) delivered_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
}

/// An item of this relationship, its request locked until the transaction ends.
pub(crate) async fn standing(
    connection: &mut PgConnection,
    scope: RelationshipScope,
    serial: SerialId,
) -> Result<Option<Standing>, Error> {
    let Some(request) = request_of(connection, scope, serial).await? else {
        return Ok(None);
    };
    let (status, delivered_at, created_at): (String, Option<Timestamp>, Timestamp) =
        sqlx::query_as(
            "SELECT status, delivered_at, created_at FROM inventory_items WHERE serial_id = $1",
        )
        .bind(serial.uuid())
        .fetch_one(connection)
        .await?;
    Ok(Some(Standing {
        request,
        status: named(ItemStatus::parse(&status), "inventory_items.status")?,
        delivered_at,
        created_at,
    }))
}

/// What the decision about a replacement means for its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GivenUp {
    ForSuccessor,
    ForItsPrice,
}

/// Gives an item up; false if it is the reseller's no more.
pub(crate) async fn give_up(
    connection: &mut PgConnection,
    (one, request): (&Replacement, StockRequestId),
    how: GivenUp,
    now: Timestamp,
) -> Result<bool, Error> {
    let mut request = locked(connection, (one, request)).await?;
    let given_up = sqlx::query(
        "UPDATE inventory_items SET status = 'REPLACED', updated_at = $2
         WHERE serial_id = $1 AND status IN ('AVAILABLE', 'DELIVERED')",
    )
    .bind(one.serial.uuid())
    .bind(now)
    .execute(&mut *connection)
    .await?;
    if given_up.rows_affected() == 0 {
        return Ok(false);
    }
    if how == GivenUp::ForItsPrice {
        let counted = request.commits();
        let amount = request.credit_item();
        request.updated_at = now;
        store(connection, &request).await?;
        if request.commits() != counted {
            moved(connection, &request).await?;
        }
        let refund = StockRefund {
            id: one.stock_refund(),
            request: request.id,
            scope: request.scope,
            amount,
        };
        if amount > Money::ZERO {
            refunds::insert(connection, &refund, now).await?;
        }
    }
    Ok(true)
}

/// Nothing came of it: the item is what it was.
pub(crate) async fn put_back(
    connection: &mut PgConnection,
    (one, request): (&Replacement, StockRequestId),
    now: Timestamp,
) -> Result<(), Error> {
    locked(connection, (one, request)).await?;
    let put_back = sqlx::query(
        "UPDATE inventory_items SET updated_at = $2,
           status = CASE WHEN delivered_at IS NULL THEN 'AVAILABLE' ELSE 'DELIVERED' END
         WHERE serial_id = $1 AND status = 'REPLACED'",
    )
    .bind(one.serial.uuid())
    .bind(now)
    .execute(connection)
    .await?;
    exactly_one(&put_back, "an item that was given up")
}

/// It was carried out: a successor, if there is one, is the reseller's.
pub(crate) async fn replaced(
    connection: &mut PgConnection,
    (one, request): (&Replacement, StockRequestId),
    now: Timestamp,
) -> Result<(), Error> {
    let request = locked(connection, (one, request)).await?;
    if let Some(successor) = one.successor {
        sqlx::query(
            "INSERT INTO inventory_items (serial_id, stock_request_id, merchant_id,
               relationship_id, status, created_at, updated_at)
             VALUES ($1, $2, $3, $4, 'AVAILABLE', $5, $5)",
        )
        .bind(successor.uuid())
        .bind(request.id.uuid())
        .bind(one.scope.merchant.uuid())
        .bind(one.scope.relationship.uuid())
        .bind(now)
        .execute(&mut *connection)
        .await?;
    }
    end(connection, &request, now).await?;
    Ok(())
}

async fn locked(
    connection: &mut PgConnection,
    (one, request): (&Replacement, StockRequestId),
) -> Result<StockRequest, Error> {
    let of = (one.scope.merchant, Some(one.scope.relationship));
    lock(connection, of, request)
        .await?
        .ok_or(Error::Inconsistent {
            what: "the purchase of an item is gone",
        })
}
