//! A row of `replacements`, what it becomes, and what is told of it.

use engine::{
    catalog::Sku,
    clock::Timestamp,
    events::{Fact, ItemReplacement},
    fulfillments::OrderId,
    ids::{
        BalanceId, EntryId, MerchantId, ProductId, RelationshipId, ReplacementId, SerialId,
        StockRequestId, VariantId,
    },
    relationships::RelationshipScope,
    replacements::{Bought, DecidedBy, Reason, Replacement, Status},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Error, events::outbox, fulfillments::rows::money, relationships::rows::named};

/// Every column of a replacement and the rest of the query, which names it `r`.
macro_rules! select_replacement {
    ($rest:literal) => {
        concat!(
            "SELECT r.replacement_id, r.merchant_id, r.relationship_id, r.balance_id, r.test,
               r.entry_id, r.order_id, r.stock_request_id, r.serial_id, r.product_id,
               r.variant_id, r.unit_price, r.reason, r.note, r.status, r.decided_by, r.decision_note, r.successor_id,
               r.created_at, r.updated_at FROM replacements AS r ",
            $rest
        )
    };
}
pub(super) use select_replacement;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    replacement_id: Uuid,
    merchant_id: Uuid,
    relationship_id: Uuid,
    balance_id: i64,
    test: bool,
    entry_id: Uuid,
    order_id: String,
    stock_request_id: Option<Uuid>,
    serial_id: Uuid,
    product_id: Uuid,
    variant_id: Option<Uuid>,
    unit_price: i64,
    reason: String,
    note: Option<String>,
    status: String,
    decided_by: Option<String>,
    decision_note: Option<String>,
    successor_id: Option<Uuid>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<Row> for Replacement {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let decided_by = row.decided_by.map(|by| {
            let by = DecidedBy::parse(&by);
            named(by, "replacements.decided_by")
        });
        Ok(Self {
            id: ReplacementId::from_uuid(row.replacement_id),
            scope: RelationshipScope {
                merchant: MerchantId::from_uuid(row.merchant_id),
                relationship: RelationshipId::from_uuid(row.relationship_id),
                balance: BalanceId(row.balance_id),
                test: row.test,
            },
            bought: match row.stock_request_id {
                Some(id) => Bought::Wholesale(StockRequestId::from_uuid(id)),
                None => Bought::Fulfillment {
                    id: EntryId::from_uuid(row.entry_id).fulfillment(),
                    order_id: OrderId::from_stored(&row.order_id),
                },
            },
            serial: SerialId::from_uuid(row.serial_id),
            sku: Sku {
                product: ProductId::from_uuid(row.product_id),
                variant: row.variant_id.map(VariantId::from_uuid),
            },
            unit_price: money(row.unit_price)?,
            reason: named(Reason::parse(&row.reason), "replacements.reason")?,
            note: row.note,
            status: named(Status::parse(&row.status), "replacements.status")?,
            decided_by: decided_by.transpose()?,
            decision_note: row.decision_note,
            successor: row.successor_id.map(SerialId::from_uuid),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// A replacement, locked until the transaction ends.
pub(super) async fn lock(
    connection: &mut PgConnection,
    merchant: MerchantId,
    id: ReplacementId,
) -> Result<Option<Replacement>, Error> {
    let row: Option<Row> = sqlx::query_as(select_replacement!(
        "WHERE r.merchant_id = $1 AND r.replacement_id = $2 FOR UPDATE"
    ))
    .bind(merchant.uuid())
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(Replacement::try_from).transpose()
}

/// Tells merchant and reseller where a replacement stands.
pub(super) async fn tell(
    connection: &mut PgConnection,
    replacement: &Replacement,
    now: Timestamp,
) -> Result<(), Error> {
    let whose = (
        replacement.scope.merchant,
        Some(replacement.scope.relationship),
    );
    let successor = replacement.successor.map(SerialId::uuid);
    let (item, status) = (replacement.serial.uuid(), replacement.status.told());
    let fulfillment = match &replacement.bought {
        Bought::Fulfillment { id, .. } => id.uuid(),
        Bought::Wholesale(request) => {
            let fact = Fact::ItemReplacementUpdated(ItemReplacement {
                replacement: replacement.id.uuid(),
                request: request.uuid(),
                item,
                successor,
                status: status.to_owned(),
            });
            return outbox::tell(connection, whose, &fact, now).await;
        }
    };
    let fact = Fact::ReplacementUpdated {
        replacement: replacement.id.uuid(),
        fulfillment,
        item,
        status: status.to_owned(),
    };
    outbox::tell(connection, whose, &fact, now).await?;
    if let Some(successor) = successor {
        let fact = Fact::ItemReplaced {
            fulfillment,
            item,
            successor,
        };
        outbox::tell(connection, whose, &fact, now).await?;
    }
    Ok(())
}
