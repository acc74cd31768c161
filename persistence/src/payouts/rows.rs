//! Rows of `payouts` and `verifications`, what they become, and what is told of them.

use engine::{
    audit::{Actor, Deed, Digest},
    clock::Timestamp,
    events::{Fact, PayoutUpdated},
    ids::{MerchantId, PayoutId, RelationshipId},
    payouts::{Payout, Status, chain},
    programs::PayoutAsset,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Error, audit, error::exactly_one, events::outbox, fulfillments::rows::money,
    relationships::rows::named,
};

/// Whose payouts.
pub(super) type Of = (MerchantId, RelationshipId);

/// Every column of a payout and the rest of the query, which names it `y`.
macro_rules! select_payout {
    ($rest:literal) => {
        concat!(
            "SELECT y.payout_id, y.merchant_id, y.relationship_id, y.amount, y.asset, y.network,
               y.address, y.note, y.status, y.status_reason, y.approvable_at, y.forced, y.tx_hash, y.verified,
               y.asset_amount, y.approved_at, y.completed_at, y.rejected_at, y.cancelled_at,
               y.created_at, y.updated_at
             FROM payouts AS y ",
            $rest
        )
    };
}
pub(super) use select_payout;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    payout_id: Uuid,
    merchant_id: Uuid,
    relationship_id: Uuid,
    amount: i64,
    asset: String,
    network: String,
    address: String,
    note: Option<String>,
    status: String,
    status_reason: Option<String>,
    approvable_at: Timestamp,
    forced: bool,
    tx_hash: Option<String>,
    verified: bool,
    asset_amount: Option<String>,
    approved_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    rejected_at: Option<Timestamp>,
    cancelled_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<Row> for Payout {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: PayoutId::from_uuid(row.payout_id),
            merchant: MerchantId::from_uuid(row.merchant_id),
            relationship: RelationshipId::from_uuid(row.relationship_id),
            amount: money(row.amount)?,
            to: PayoutAsset {
                asset: row.asset,
                network: row.network,
            },
            address: row.address,
            note: row.note,
            status: named(Status::parse(&row.status), "payouts.status")?,
            status_reason: row.status_reason,
            approvable_at: row.approvable_at,
            forced: row.forced,
            tx_hash: row.tx_hash,
            verified: row.verified,
            asset_amount: row.asset_amount,
            approved_at: row.approved_at,
            completed_at: row.completed_at,
            rejected_at: row.rejected_at,
            cancelled_at: row.cancelled_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// A payout of this relationship.
pub(super) async fn find(
    connection: &mut PgConnection,
    (merchant, relationship): Of,
    id: PayoutId,
) -> Result<Option<Payout>, Error> {
    let row: Option<Row> = sqlx::query_as(select_payout!(
        "WHERE y.merchant_id = $1 AND y.relationship_id = $2 AND y.payout_id = $3"
    ))
    .bind(merchant.uuid())
    .bind(relationship.uuid())
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(Payout::try_from).transpose()
}

/// The payout that this request made before.
pub(super) async fn find_request(
    connection: &mut PgConnection,
    (merchant, relationship): Of,
    request: Uuid,
) -> Result<Option<Payout>, Error> {
    let row: Option<Row> = sqlx::query_as(select_payout!(
        "WHERE y.merchant_id = $1 AND y.relationship_id = $2 AND y.request_id = $3"
    ))
    .bind(merchant.uuid())
    .bind(relationship.uuid())
    .bind(request)
    .fetch_optional(connection)
    .await?;
    row.map(Payout::try_from).transpose()
}

pub(super) async fn insert(
    connection: &mut PgConnection,
    payout: &Payout,
    request: Uuid,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO payouts (payout_id, merchant_id, relationship_id, request_id, amount, asset,
           network, chain, address, note, status, approvable_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)",
    )
    .bind(payout.id.uuid())
    .bind(payout.merchant.uuid())
    .bind(payout.relationship.uuid())
    .bind(request)
    .bind(payout.amount.minor())
    .bind(&payout.to.asset)
    .bind(&payout.to.network)
    .bind(chain(&payout.to.network))
    .bind(&payout.address)
    .bind(&payout.note)
    .bind(payout.status.name())
    .bind(payout.approvable_at)
    .bind(payout.created_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Stores what a step may have changed.
pub(super) async fn store(connection: &mut PgConnection, payout: &Payout) -> Result<(), Error> {
    let stored = sqlx::query(
        "UPDATE payouts SET status = $2, status_reason = $3, forced = $4, tx_hash = $5,
           asset_amount = $6, approved_at = $7, completed_at = $8, rejected_at = $9,
           cancelled_at = $10, updated_at = $11, verified = $12
         WHERE payout_id = $1",
    )
    .bind(payout.id.uuid())
    .bind(payout.status.name())
    .bind(&payout.status_reason)
    .bind(payout.forced)
    .bind(&payout.tx_hash)
    .bind(&payout.asset_amount)
    .bind(payout.approved_at)
    .bind(payout.completed_at)
    .bind(payout.rejected_at)
    .bind(payout.cancelled_at)
    .bind(payout.updated_at)
    .bind(payout.verified)
    .execute(connection)
    .await?;
    exactly_one(&stored, "a payout that changes")
}

/// A digest over the stored row, for the audit log.
pub(super) async fn digest(connection: &mut PgConnection, id: PayoutId) -> Result<Digest, Error> {
    let sum: Vec<u8> = sqlx::query_scalar(
        "SELECT sha256(convert_to(to_jsonb(y)::text, 'UTF8')) FROM payouts AS y
         WHERE y.payout_id = $1",
    )
    .bind(id.uuid())
    .fetch_one(connection)
    .await?;
    audit::digest(sum)
}

/// Tells merchant and reseller where a payout stands, and writes the deed into the log.
pub(super) async fn tell(
    connection: &mut PgConnection,
    payout: &Payout,
    action: &str,
    before: Option<Digest>,
    (actor, now): (Actor, Timestamp),
) -> Result<(), Error> {
    let fact = Fact::PayoutUpdated(PayoutUpdated {
        payout: payout.id.uuid(),
        relationship: payout.relationship.uuid(),
        status: payout.status.name().to_owned(),
        amount: payout.amount.minor(),
    });
    let whose = (payout.merchant, Some(payout.relationship));
    outbox::tell(connection, whose, &fact, now).await?;
    let deed = Deed {
        actor,
        action: action.to_owned(),
        target: payout.id.to_string(),
        before,
        after: Some(digest(connection, payout.id).await?),
        at: now,
    };
    audit::append(connection, payout.merchant, deed).await
}
