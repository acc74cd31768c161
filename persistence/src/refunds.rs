//! Refunds of fulfillments: taken from what may still be given back, then credited by the caller.
//!
//! Keeps: the refunds of a fulfillment never exceed its cost, whoever races; a reference refunds once, an
//! item that is named once.
//! One that was taken and not credited stays in [`waiting`] until it is [`credited`].

use engine::{
    audit::{Actor, Deed},
    clock::Timestamp,
    fulfillments::{Fulfillment, OrderId},
    ids::{BalanceId, MerchantId, RelationshipId, SerialId},
    money::Money,
    refunds::{self, Earlier, Facts, Taken},
    relationships::RelationshipScope,
    sabotage::breaks,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Database, Error, audit, database::commit, fulfillments::rows::money, owned};

/// What is to be given back of a fulfillment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// None: the rest.
    pub amount: Option<Money>,
    /// The delivered serials that it is the price of, each once; empty: it is of none in particular.
    pub items: Vec<SerialId>,
    pub reference: String,
    pub description: String,
}

/// A refund that was taken, and perhaps not credited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub scope: RelationshipScope,
    /// Of the fulfillment that it pays back.
    pub order_id: OrderId,
    pub reference: String,
    pub amount: Money,
    pub description: String,
}

/// Takes a refund of a fulfillment from what may still be given back.
pub async fn take(
    db: &Database,
    scope: RelationshipScope,
    fulfillment: &Fulfillment,
    wanted: Wanted,
    (actor, now): (Actor, Timestamp),
) -> Result<Taken, Error> {
    let (db, stamp, cost) = (db.clone(), fulfillment.stamp, fulfillment.contents.total);
    owned(async move {
        let mut tx = db.begin().await?;
        let refunded = lock(&mut tx, scope.balance, stamp.version, cost).await?;
        let of = (scope.balance, wanted.reference.as_str());
        let earlier = find(&mut tx, of).await?;
        let (named, others) = items(&mut tx, of, &wanted.items).await?;
        let facts = Facts {
            cost,
            refunded,
            item_refunded: others,
            earlier: earlier.map(|(version, amount)| Earlier {
                same: version == stamp.version && named == wanted.items,
                amount,
            }),
        };
        let taken = refunds::take(&facts, wanted.amount);
        let Taken::Fresh(amount) = taken else {
            return Ok(taken);
        };
        match insert(&mut tx, scope, stamp.version, (amount, &wanted, now)).await {
            Err(error) if error.constraint() == Some("refunds_pkey") => return Ok(Taken::Mismatch),
            inserted => inserted?,
        }
        let deed = Deed {
            actor,
            action: "fulfillment.refund".to_owned(),
            target: stamp.id.fulfillment().to_string(),
            before: None,
            after: None,
            at: now,
        };
        audit::append(&mut tx, scope.merchant, deed).await?;
        commit(tx).await?;
        Ok(taken)
    })
    .await
}

/// What was refunded of a fulfillment, which nobody else changes until the end of the transaction.
async fn lock(
    connection: &mut PgConnection,
    balance: BalanceId,
    version: i64,
    cost: Money,
) -> Result<Money, Error> {
    sqlx::query(
        "INSERT INTO refunded (balance_id, version, cost, refunded) VALUES ($1, $2, $3, 0)
         ON CONFLICT ON CONSTRAINT refunded_pkey DO NOTHING",
    )
    .bind(balance.0)
    .bind(version)
    .bind(cost.minor())
    .execute(&mut *connection)
    .await?;
    let refunded = sqlx::query_scalar(
        "SELECT refunded FROM refunded WHERE balance_id = $1 AND version = $2 FOR UPDATE",
    )
    .bind(balance.0)
    .bind(version)
    .fetch_one(connection)
    .await?;
    money(refunded)
}

async fn find(
    connection: &mut PgConnection,
    (balance, reference): (BalanceId, &str),
) -> Result<Option<(i64, Money)>, Error> {
    let found: Option<(i64, i64)> = sqlx::query_as(
        "SELECT version, amount FROM refunds WHERE balance_id = $1 AND reference = $2",
    )
    .bind(balance.0)
    .bind(reference)
    .fetch_optional(connection)
    .await?;
    found
        .map(|(version, amount)| Ok((version, money(amount)?)))
        .transpose()
}

/// The items that a reference refunded, and whether another one refunded any of these.
async fn items(
    connection: &mut PgConnection,
    (balance, reference): (BalanceId, &str),
    asked: &[SerialId],
) -> Result<(Vec<SerialId>, bool), Error> {
    let asked: Vec<Uuid> = asked.iter().map(|item| item.uuid()).collect();
    let found: Vec<(Uuid, bool)> = sqlx::query_as(
        "SELECT serial_id, balance_id = $1 AND reference = $2 FROM refund_items
         WHERE (balance_id = $1 AND reference = $2) OR serial_id = ANY ($3)
         ORDER BY serial_id",
    )
    .bind(balance.0)
    .bind(reference)
    .bind(asked)
    .fetch_all(connection)
    .await?;
    let others = found.iter().any(|(_, own)| !own);
    let own = found.into_iter().filter(|(_, own)| *own);
    Ok((
        own.map(|(item, _)| SerialId::from_uuid(item)).collect(),
        others,
    ))
}

async fn insert(
    connection: &mut PgConnection,
    scope: RelationshipScope,
    version: i64,
    (amount, wanted, now): (Money, &Wanted, Timestamp),
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO refunds
           (balance_id, reference, merchant_id, version, amount, description, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(scope.balance.0)
    .bind(&wanted.reference)
    .bind(scope.merchant.uuid())
    .bind(version)
    .bind(amount.minor())
    .bind(&wanted.description)
    .bind(now)
    .execute(&mut *connection)
    .await?;
    let items: Vec<Uuid> = wanted.items.iter().map(|item| item.uuid()).collect();
    sqlx::query(
        "INSERT INTO refund_items (serial_id, balance_id, reference)
         SELECT item, $1, $2 FROM UNNEST($3::uuid[]) AS named (item)",
    )
    .bind(scope.balance.0)
    .bind(&wanted.reference)
    .bind(items)
    .execute(&mut *connection)
    .await?;
    let flips = if breaks("refund_without_flip") {
        0
    } else {
        amount.minor()
    };
    let moved = sqlx::query(
        "UPDATE refunded SET refunded = refunded + $3
         WHERE balance_id = $1 AND version = $2 AND refunded + $3 <= cost",
    )
    .bind(scope.balance.0)
    .bind(version)
    .bind(flips)
    .execute(connection)
    .await?;
    crate::error::exactly_one(&moved, "what was refunded")
}

/// The entry of a refund is in the ledger: nobody need look for it any more.
pub async fn credited(
    db: &Database,
    balance: BalanceId,
    reference: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let (db, reference) = (db.clone(), reference.to_owned());
    owned(async move {
        let mut tx = db.begin().await?;
        sqlx::query(
            "UPDATE refunds SET credited_at = $3
             WHERE balance_id = $1 AND reference = $2 AND credited_at IS NULL",
        )
        .bind(balance.0)
        .bind(&reference)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    })
    .await
}

#[derive(sqlx::FromRow)]
struct WaitingRow {
    merchant_id: Uuid,
    relationship_id: Uuid,
    balance_id: i64,
    test: bool,
    reference: String,
    amount: i64,
    description: String,
    order_id: String,
}

/// Refunds from before a time that were taken and perhaps not credited, after that one: who goes on where
/// a page ended reaches all of them, however many cannot be credited.
pub async fn waiting(
    db: &Database,
    before: Timestamp,
    after: Option<&Waiting>,
    limit: u32,
) -> Result<Vec<Waiting>, Error> {
    let db = db.clone();
    let (balance, reference) = after.map_or((0, String::new()), |one| {
        (one.scope.balance.0, one.reference.clone())
    });
    owned(async move {
        let rows: Vec<WaitingRow> = sqlx::query_as(
            "SELECT r.merchant_id, b.relationship_id, r.balance_id, b.test, r.reference, r.amount,
                    r.description, e.reference AS order_id
             FROM refunds AS r
             JOIN balances AS b ON b.balance_id = r.balance_id
             JOIN ledger_entries AS e ON e.balance_id = r.balance_id AND e.version = r.version
             WHERE r.credited_at IS NULL AND r.created_at < $1
               AND (r.balance_id, r.reference) > ($3, $4)
             ORDER BY r.balance_id, r.reference LIMIT $2",
        )
        .bind(before)
        .bind(i64::from(limit))
        .bind(balance)
        .bind(reference)
        .fetch_all(&mut *db.read().await?)
        .await?;
        rows.into_iter().map(Waiting::try_from).collect()
    })
    .await
}

impl TryFrom<WaitingRow> for Waiting {
    type Error = Error;

    fn try_from(row: WaitingRow) -> Result<Self, Error> {
        Ok(Self {
            scope: RelationshipScope {
                merchant: MerchantId::from_uuid(row.merchant_id),
                relationship: RelationshipId::from_uuid(row.relationship_id),
                balance: BalanceId(row.balance_id),
                test: row.test,
            },
            order_id: OrderId::from_stored(&row.order_id),
            reference: row.reference,
            amount: money(row.amount)?,
            description: row.description,
        })
    }
}
