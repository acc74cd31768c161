//! From what lanes committed into the chains.
//!
//! Keeps: each deed is in its chain exactly once. It was stored by the statement of the change, so it is
//! there if and only if the change is; it is taken out in the transaction that appends it. Its digest is
//! over the stored change, so the entry and the change prove each other.

use engine::{
    audit::{Actor, Deed},
    balances::EntryKind,
    clock::Timestamp,
    ids::{MerchantId, ProductId, RelationshipId},
    inventory::Purpose,
};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Who, chain};
use crate::{Database, Error, database::commit, owned};

/// Deeds that are looked up at once.
const AT_ONCE: i64 = 50;

#[derive(sqlx::FromRow)]
struct Row {
    merchant_id: Uuid,
    actor: Json<Who>,
    done_at: Timestamp,
    relationship_id: Option<Uuid>,
    entry_kind: Option<i16>,
    product_id: Option<Uuid>,
    withdrawal_kind: Option<i16>,
    digest: Option<Vec<u8>>,
}

/// Appends every deed that waits, each in a transaction of its own, and says how many there were. One that
/// cannot be read stays, and keeps no other from being told: it is the error once all others are.
pub async fn tell(db: &Database) -> Result<usize, Error> {
    let db = db.clone();
    owned(async move {
        let (mut count, mut last, mut unread) = (0, 0, None);
        loop {
            // Read first, so that asking costs nothing while nothing happens.
            let waiting: Vec<i64> = sqlx::query_scalar(
                "SELECT outbox_id FROM audit_outbox WHERE outbox_id > $1 ORDER BY outbox_id LIMIT $2",
            )
            .bind(last)
            .bind(AT_ONCE)
            .fetch_all(&mut *db.behind().await?)
            .await?;
            let Some(end) = waiting.last() else { break };
            last = *end;
            for id in waiting {
                match tell_one(&db, id).await {
                    Ok(told) => count += usize::from(told),
                    Err(error @ Error::Inconsistent { .. }) => unread = Some(error),
                    Err(error) => return Err(error),
                }
            }
        }
        unread.map_or(Ok(count), Err)
    })
    .await
}

/// False if somebody else told it meanwhile.
async fn tell_one(db: &Database, id: i64) -> Result<bool, Error> {
    let mut tx = db.begin_behind().await?;
    let row: Option<Row> = sqlx::query_as(include_str!("take.sql"))
        .bind(id)
        .fetch_optional(&mut *tx)
        .await?;
    let Some(row) = row else { return Ok(false) };
    let merchant = MerchantId::from_uuid(row.merchant_id);
    chain::append(&mut tx, merchant, Deed::try_from(row)?).await?;
    commit(tx).await?;
    Ok(true)
}

impl TryFrom<Row> for Deed {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let (action, target) = row.what().ok_or(Error::Inconsistent {
            what: "a deed without what was done",
        })?;
        Ok(Self {
            actor: Actor::try_from(row.actor.0)?,
            action: action.to_owned(),
            target,
            before: None,
            after: row.digest.map(chain::digest).transpose()?,
            at: row.done_at,
        })
    }
}

impl Row {
    fn what(&self) -> Option<(&'static str, String)> {
        if let (Some(kind), Some(relationship)) = (self.entry_kind, self.relationship_id) {
            let kind = EntryKind::from_number(kind)?;
            let target = RelationshipId::from_uuid(relationship).to_string();
            return Some((entered(kind), target));
        }
        let (kind, product) = self.withdrawal_kind.zip(self.product_id)?;
        let purpose = Purpose::from_number(kind)?;
        let target = ProductId::from_uuid(product).to_string();
        Some((withdrawn(purpose), target))
    }
}

const fn entered(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Fulfillment => "balance.fulfill",
        EntryKind::TopUp => "balance.top_up",
        EntryKind::Credit => "balance.credit",
        EntryKind::Refund => "balance.refund",
        EntryKind::Debit => "balance.debit",
        EntryKind::TopUpReversal => "balance.top_up_reversal",
        EntryKind::DebtSettlement => "balance.debt_settlement",
        EntryKind::StockRefund => "balance.stock_refund",
        EntryKind::StockPurchase => "balance.stock_purchase",
    }
}

const fn withdrawn(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Removal => "serials.remove",
        Purpose::Pull => "serials.pull",
        Purpose::Replacement => "serials.replace",
        Purpose::Stock => "serials.stock",
        Purpose::Sale => "serials.sell",
    }
}
