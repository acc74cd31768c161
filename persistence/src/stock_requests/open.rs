//! A wholesale purchase is asked for.
//!
//! Keeps: nobody is asked how one is to be paid that there is no room for ([`has_room`]); requests of one balance are
//! judged one after the other, so that the purchase limits are kept whoever races; one that is sent again under its id
//! is found, not made again.

use std::sync::Arc;

use chrono::TimeDelta;
use engine::{
    audit::Actor,
    balances::Spending,
    catalog::Sku,
    clock::Timestamp,
    fulfillments::Agreed,
    ids::{BalanceId, RelationshipId, StockRequestId, VariantId},
    inventory::Reservation,
    money::Money,
    payments::Coin,
    relationships::{RelationshipScope, Terms},
    stock_requests::{
        Event, NotOpened, RequestedBy, Status, StockRequest, Unpaid, VALID_DAYS, WrongStatus,
        may_open,
    },
};
use sqlx::PgConnection;

use super::{
    bill::{self, Billing, whole},
    committed::{committed, moved},
    rows::{Row, lock, note, select_request, store, tell},
};
use crate::{
    Database, Error, database::commit, inventory::reservations, owned, relationships::rows::kept,
};

/// What is asked for, at the price that it was quoted at.
#[derive(Debug)]
pub struct Wanted {
    pub id: StockRequestId,
    pub scope: RelationshipScope,
    pub sku: Sku,
    pub quantity: u32,
    pub agreed: Agreed,
    pub total: Money,
    pub requested_by: RequestedBy,
    pub note: Option<String>,
    pub coin: Option<Coin>,
    pub at_once: AtOnce,
}

/// What happens to a request before anybody sees it waiting.
#[derive(Debug)]
pub enum AtOnce {
    Nothing,
    /// The balance pays.
    Pays,
    /// Its units are kept for it.
    Invoiced(Box<Billing>, Reservation),
}

/// What the purchase limits are counted by.
#[derive(Debug, Clone)]
pub struct Limits {
    pub balance: BalanceId,
    pub terms: Arc<Terms>,
    pub spending: Spending,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    Fresh(Box<StockRequest>),
    /// It was asked for before.
    Again(Box<StockRequest>),
    Refused(Box<NotOpened>),
}

/// Whatever the purchase limits of this balance are asked for, waits for what was asked before to be stored.
pub(super) async fn one_by_one(
    connection: &mut PgConnection,
    balance: BalanceId,
) -> Result<(), Error> {
    sqlx::query("SELECT FROM balances WHERE balance_id = $1 FOR NO KEY UPDATE")
        .bind(balance.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Over which purchases that are not paid are counted.
const DAY: TimeDelta = TimeDelta::days(1);

async fn unpaid(
    connection: &mut PgConnection,
    relationship: RelationshipId,
    now: Timestamp,
) -> Result<Unpaid, Error> {
    let (waiting, today): (i64, i64) = sqlx::query_as(
        "SELECT
           (SELECT COUNT(*) FROM stock_requests WHERE relationship_id = $1
            AND status IN ('REQUESTED', 'INVOICED', 'PAYING') AND expires_at > $2),
           (SELECT COUNT(*) FROM stock_requests WHERE relationship_id = $1
            AND entry_id IS NULL AND created_at > $3 AND paid_at IS NULL)",
    )
    .bind(relationship.uuid())
    .bind(now)
    .bind(now - DAY)
    .fetch_one(connection)
    .await?;
    Ok(Unpaid { waiting, today })
}

async fn room(
    connection: &mut PgConnection,
    relationship: RelationshipId,
    limits: &Limits,
    (cost, now): (Money, Timestamp),
) -> Result<Result<(), NotOpened>, Error> {
    let unpaid = unpaid(&mut *connection, relationship, now).await?;
    let committed = committed(connection, relationship, Some(now)).await?;
    let counted = (&*limits.terms, &limits.spending);
    Ok(may_open(unpaid, counted, committed, cost, now))
}

/// Whether there is room for a purchase that costs so much: to be asked before its provider is. [`open`] asks again.
pub async fn has_room(
    db: &Database,
    relationship: RelationshipId,
    limits: &Limits,
    cost: Money,
    now: Timestamp,
) -> Result<Result<(), NotOpened>, Error> {
    let (db, limits, now) = (db.clone(), limits.clone(), kept(now));
    owned(async move {
        let mut connection = db.read().await?;
        room(&mut connection, relationship, &limits, (cost, now)).await
    })
    .await
}

/// Stores a request, or says why there is none.
pub async fn open(
    db: &Database,
    wanted: Wanted,
    limits: Limits,
    actor: Actor,
    now: Timestamp,
) -> Result<Opened, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let scope = wanted.scope;
        one_by_one(&mut tx, limits.balance).await?;
        let of = (scope.merchant, Some(scope.relationship));
        if let Some(found) = lock(&mut tx, of, wanted.id).await? {
            return Ok(Opened::Again(Box::new(found)));
        }
        let asked = (wanted.total, now);
        if let Err(refused) = room(&mut tx, scope.relationship, &limits, asked).await? {
            return Ok(Opened::Refused(Box::new(refused)));
        }
        insert(&mut tx, &wanted, now).await?;
        let stored = lock(&mut tx, of, wanted.id).await?;
        let request = stored.ok_or(Error::Inconsistent {
            what: "a stock request is gone",
        })?;
        let (request, kept) = begin(&mut tx, request, wanted.at_once, now).await?;
        if request.commits() > Money::ZERO {
            moved(&mut tx, &request).await?;
        }
        let did = (actor, "stock_request.open", wanted.id.to_string());
        note(&mut tx, scope.merchant, did, now).await?;
        if let Some(kept) = kept {
            reservations::insert(&mut tx, kept, now).await?;
        }
        commit(tx).await?;
        Ok(Opened::Fresh(Box::new(request)))
    })
    .await
}

/// What comes at once.
async fn begin(
    connection: &mut PgConnection,
    mut request: StockRequest,
    at_once: AtOnce,
    now: Timestamp,
) -> Result<(StockRequest, Option<Reservation>), Error> {
    let (event, kept) = match at_once {
        AtOnce::Nothing => (None, None),
        AtOnce::Pays => (Some(Event::PayBegun), None),
        AtOnce::Invoiced(billing, kept) => {
            bill::open(&mut *connection, &mut request, *billing, now).await?;
            (Some(Event::Invoiced), Some(kept))
        }
    };
    if let Some(event) = event {
        let stepped = request.step(event, now);
        let stepped = stepped.map_err(|WrongStatus(_)| Error::Inconsistent {
            what: "a new stock request that allows nothing",
        })?;
        request = stepped.into_request();
        store(connection, &request).await?;
    }
    if request.status != Status::Paying {
        tell(connection, &request, now).await?;
    }
    Ok((request, kept))
}

async fn insert(
    connection: &mut PgConnection,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<(), Error> {
    let pays = matches!(wanted.at_once, AtOnce::Pays);
    sqlx::query(
        "INSERT INTO stock_requests (stock_request_id, merchant_id, relationship_id, balance_id,
           product_id, variant_id, quantity, unit_price, price_version, requested_by, note, coin,
           status, at_once, expires_at, attempted_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, $16)",
    )
    .bind(wanted.id.uuid())
    .bind(wanted.scope.merchant.uuid())
    .bind(wanted.scope.relationship.uuid())
    .bind(wanted.scope.balance.0)
    .bind(wanted.sku.product.uuid())
    .bind(wanted.sku.variant.map(VariantId::uuid))
    .bind(i32::try_from(wanted.quantity).unwrap_or(i32::MAX))
    .bind(wanted.agreed.unit_price.minor())
    .bind(wanted.agreed.price_version)
    .bind(wanted.requested_by.name())
    .bind(&wanted.note)
    .bind(wanted.coin.as_ref().map(Coin::as_str))
    .bind(Status::Requested.name())
    .bind(pays)
    .bind(now + TimeDelta::days(VALID_DAYS))
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// The request of this scope with this id, if it was asked for before.
pub async fn asked(
    db: &Database,
    scope: RelationshipScope,
    id: StockRequestId,
) -> Result<Option<StockRequest>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.read().await?;
        let rows: Vec<Row> = sqlx::query_as(select_request!(
            "WHERE r.stock_request_id = $1 AND r.relationship_id = $2"
        ))
        .bind(id.uuid())
        .bind(scope.relationship.uuid())
        .fetch_all(&mut *connection)
        .await?;
        Ok(whole(&mut connection, rows).await?.pop())
    })
    .await
}
