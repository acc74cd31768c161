//! Who a reseller is: handed in by the reseller, decided by the merchant.

use std::collections::BTreeMap;

use engine::{
    audit::{Actor, Deed, Digest},
    clock::Timestamp,
    events::{Fact, VerificationUpdated},
    ids::{MerchantId, RelationshipId},
    payouts::{Decision, Details, Verification, VerificationStatus, WrongVerification},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows::Of;
use crate::{
    Database, Error, audit,
    database::{ReadScope, commit},
    events::outbox,
    owned,
    relationships::rows::{kept, named},
};

#[derive(sqlx::FromRow)]
struct Row {
    status: String,
    legal_name: Option<String>,
    country: Option<String>,
    contact: Option<String>,
    evidence_url: Option<String>,
    reason: Option<String>,
    decided_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct OwnedRow {
    relationship_id: Uuid,
    merchant_id: Uuid,
    #[sqlx(flatten)]
    row: Row,
}

const COLUMNS: &str =
    "SELECT status, legal_name, country, contact, evidence_url, reason, decided_at
   FROM verifications WHERE merchant_id = $1 AND relationship_id = $2";
const COLUMNS_LOCKED: &str = "SELECT status, legal_name, country, contact, evidence_url, reason,
     decided_at
   FROM verifications WHERE merchant_id = $1 AND relationship_id = $2 FOR UPDATE";

impl Row {
    fn verification(self, (merchant, relationship): Of) -> Result<Verification, Error> {
        let status = VerificationStatus::parse(&self.status);
        let details = match (self.legal_name, self.country, self.contact) {
            (Some(legal_name), Some(country), Some(contact)) => Some(Details {
                legal_name,
                country,
                contact,
                evidence_url: self.evidence_url,
            }),
            _ => None,
        };
        Ok(Verification {
            merchant,
            relationship,
            status: named(status, "verifications.status")?,
            details,
            reason: self.reason,
            decided_at: self.decided_at,
        })
    }
}

/// How far the verification of a relationship is.
pub async fn verification(
    db: &Database,
    (merchant, relationship): (MerchantId, RelationshipId),
) -> Result<Verification, Error> {
    let db = db.clone();
    owned(async move {
        let scope = ReadScope {
            merchant,
            relationship: Some(relationship),
        };
        let row: Option<Row> = sqlx::query_as(COLUMNS)
            .bind(merchant.uuid())
            .bind(relationship.uuid())
            .fetch_optional(&mut *db.scoped(scope).await?)
            .await?;
        match row {
            None => Ok(Verification::none(merchant, relationship)),
            Some(row) => row.verification((merchant, relationship)),
        }
    })
    .await
}

/// Of many relationships at once, those that handed something in.
pub(crate) async fn verifications(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, Verification>, Error> {
    let rows: Vec<OwnedRow> = sqlx::query_as(
        "SELECT relationship_id, merchant_id, status, legal_name, country, contact, evidence_url,
           reason, decided_at
         FROM verifications WHERE relationship_id = ANY ($1)",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    let found = rows.into_iter().map(|owned| {
        let of = (
            MerchantId::from_uuid(owned.merchant_id),
            RelationshipId::from_uuid(owned.relationship_id),
        );
        Ok((owned.relationship_id, owned.row.verification(of)?))
    });
    found.collect()
}

/// The reseller of this relationship hands in who it is.
pub async fn submit(
    db: &Database,
    of: (MerchantId, RelationshipId),
    details: Details,
    (actor, now): (Actor, Timestamp),
) -> Result<Result<Verification, WrongVerification>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let found = lock(&mut tx, of, now).await?;
        let before = digest(&mut tx, of.1).await?;
        let after = match found.submitted(details) {
            Ok(after) => after,
            Err(wrong) => return Ok(Err(wrong)),
        };
        let what = ("verification.submit", before);
        store(&mut tx, &after, what, (actor, now)).await?;
        commit(tx).await?;
        Ok(Ok(after))
    })
    .await
}

/// The merchant decides; whether it was decided so before. None if there is no such relationship.
pub async fn decide(
    db: &Database,
    of: (MerchantId, RelationshipId),
    decision: Decision,
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Result<(Verification, bool), WrongVerification>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let known: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM relationships
                            WHERE merchant_id = $1 AND relationship_id = $2)",
        )
        .bind(of.0.uuid())
        .bind(of.1.uuid())
        .fetch_one(&mut *tx)
        .await?;
        if !known {
            return Ok(None);
        }
        let found = lock(&mut tx, of, now).await?;
        let before = digest(&mut tx, of.1).await?;
        let action = match &decision {
            Decision::Approve => "verification.approve",
            Decision::Reject { .. } => "verification.reject",
            Decision::Reset { .. } => "verification.reset",
        };
        match found.clone().decided(decision, now) {
            Err(wrong) => Ok(Some(Err(wrong))),
            Ok(None) => Ok(Some(Ok((found, true)))),
            Ok(Some(after)) => {
                store(&mut tx, &after, (action, before), (actor, now)).await?;
                commit(tx).await?;
                Ok(Some(Ok((after, false))))
            }
        }
    })
    .await
}

/// The verification of a relationship, made if there is none yet, locked until the transaction ends.
async fn lock(
    connection: &mut PgConnection,
    of: Of,
    now: Timestamp,
) -> Result<Verification, Error> {
    sqlx::query(
        "INSERT INTO verifications (relationship_id, merchant_id, status, updated_at)
         VALUES ($1, $2, 'UNVERIFIED', $3)
         ON CONFLICT ON CONSTRAINT verifications_pkey DO NOTHING",
    )
    .bind(of.1.uuid())
    .bind(of.0.uuid())
    .bind(now)
    .execute(&mut *connection)
    .await?;
    let row: Row = sqlx::query_as(COLUMNS_LOCKED)
        .bind(of.0.uuid())
        .bind(of.1.uuid())
        .fetch_one(connection)
        .await?;
    row.verification(of)
}

async fn digest(connection: &mut PgConnection, id: RelationshipId) -> Result<Digest, Error> {
    let sum: Vec<u8> = sqlx::query_scalar(
        "SELECT sha256(convert_to(to_jsonb(v)::text, 'UTF8')) FROM verifications AS v
         WHERE v.relationship_id = $1",
    )
    .bind(id.uuid())
    .fetch_one(connection)
    .await?;
    audit::digest(sum)
}

async fn store(
    connection: &mut PgConnection,
    after: &Verification,
    (action, before): (&str, Digest),
    (actor, now): (Actor, Timestamp),
) -> Result<(), Error> {
    let details = after.details.as_ref();
    sqlx::query(
        "UPDATE verifications SET status = $2, legal_name = $3, country = $4, contact = $5,
           evidence_url = $6, reason = $7, decided_at = $8, updated_at = $9
         WHERE relationship_id = $1",
    )
    .bind(after.relationship.uuid())
    .bind(after.status.name())
    .bind(details.map(|it| it.legal_name.as_str()))
    .bind(details.map(|it| it.country.as_str()))
    .bind(details.map(|it| it.contact.as_str()))
    .bind(details.and_then(|it| it.evidence_url.as_deref()))
    .bind(&after.reason)
    .bind(after.decided_at)
    .bind(now)
    .execute(&mut *connection)
    .await?;
    let fact = Fact::VerificationUpdated(VerificationUpdated {
        relationship: after.relationship.uuid(),
        status: after.status.name().to_owned(),
    });
    let whose = (after.merchant, Some(after.relationship));
    outbox::tell(connection, whose, &fact, now).await?;
    let deed = Deed {
        actor,
        action: action.to_owned(),
        target: after.relationship.to_string(),
        before: Some(before),
        after: Some(digest(connection, after.relationship).await?),
        at: now,
    };
    audit::append(connection, after.merchant, deed).await
}
