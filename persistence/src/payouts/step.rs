//! A payout is approved, rejected, cancelled or completed; the sums move with it.

use std::sync::Arc;

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::{MerchantId, PayoutId, RelationshipId},
    payouts::{ApprovalFacts, Payout, Step, Stepped, WrongStep, step as take},
    random::Random,
    vault::Vault,
};
use sqlx::PgConnection;

use super::{
    facts,
    rows::{self, Of},
};
use crate::{
    Database, Error,
    database::commit,
    mail::{self, Post},
    owned,
    relationships::rows::kept,
    sales::earnings,
};

/// Who is mailed about a payout.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipients {
    pub reseller: String,
    /// The addresses of the merchant's owners.
    pub owners: Vec<String>,
    pub merchant_name: String,
}

/// The mails that tell of a payout as it stands, and whether its address is new.
pub type Letters = Arc<dyn Fn(&Payout, &Recipients, bool) -> Vec<Post> + Send + Sync>;

/// What is done. Facts that an approval is checked against are read when it is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    Approve,
    ForceApprove {
        reason: Option<String>,
    },
    Reject {
        reason: Option<String>,
    },
    Cancel {
        reason: Option<String>,
        by_reseller: bool,
    },
    Complete {
        tx_hash: Option<String>,
        /// The chain was asked, and says that it paid.
        verified: bool,
        asset_amount: Option<String>,
    },
}

impl Verb {
    const fn action(&self) -> &'static str {
        match self {
            Self::Approve => "payout.approve",
            Self::ForceApprove { .. } => "payout.force_approve",
            Self::Reject { .. } => "payout.reject",
            Self::Cancel { .. } => "payout.cancel",
            Self::Complete { .. } => "payout.complete",
        }
    }

    fn step(self, facts: ApprovalFacts) -> Step {
        match self {
            Self::Approve => Step::Approve(facts),
            Self::ForceApprove { reason } => Step::ForceApprove { reason },
            Self::Reject { reason } => Step::Reject { reason },
            Self::Cancel {
                reason,
                by_reseller,
            } => Step::Cancel {
                reason,
                by_reseller,
            },
            Self::Complete {
                tx_hash,
                verified,
                asset_amount,
            } => Step::Complete {
                tx_hash,
                verified,
                asset_amount,
            },
        }
    }
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Fresh(Payout),
    /// It was there already.
    Again(Payout),
    Wrong(WrongStep),
    /// The hash is that of another payout.
    HashTaken,
}

/// Takes a step with a payout of this relationship; none if there is none such.
pub async fn step(
    db: &Database,
    (vault, random, letters): (&Vault, Arc<dyn Random>, Letters),
    (of, id): ((MerchantId, RelationshipId), PayoutId),
    verb: Verb,
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Outcome>, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        if rows::find(&mut tx, of, id).await?.is_none() {
            return Ok(None);
        }
        let mut account = earnings::lock(&mut tx, of).await?;
        // Read anew under the lock.
        let found = rows::find(&mut tx, of, id).await?;
        let available = account.earnings.available();
        let facts = facts::facts(&mut tx, of, (available, now), None).await?;
        let (Some(found), Some(facts)) = (found, facts) else {
            return Ok(None);
        };
        let checked = ApprovalFacts {
            require_verification: facts.require_verification,
            verification: facts.verification,
            available,
        };
        let before = rows::digest(&mut tx, id).await?;
        let action = verb.action();
        let (payout, movement) = match take(found, verb.step(checked), now) {
            Err(wrong) => return Ok(Some(Outcome::Wrong(wrong))),
            Ok(Stepped::Already(payout)) => return Ok(Some(Outcome::Again(*payout))),
            Ok(Stepped::To(payout, movement)) => (*payout, movement),
        };
        if let Err(error) = rows::store(&mut tx, &payout).await {
            let taken = error.constraint() == Some("payouts_merchant_id_chain_tx_hash_key");
            return if taken {
                Ok(Some(Outcome::HashTaken))
            } else {
                Err(error)
            };
        }
        if let Some(movement) = movement
            && !account
                .store(&mut tx, movement, (id.uuid(), &*random), now)
                .await?
        {
            return Err(Error::Inconsistent {
                what: "the earnings that a payout is taken from",
            });
        }
        forget_address(&mut tx, &payout).await?;
        let whom = recipients(&mut tx, of).await?;
        post(&mut tx, &vault, letters(&payout, &whom, false), now).await?;
        rows::tell(&mut tx, &payout, action, Some(before), (actor, now)).await?;
        commit(tx).await?;
        Ok(Some(Outcome::Fresh(payout)))
    })
    .await
}

/// An address to which nothing is paid or asked for is as new as before: else whoever cancels a request would
/// have made it known.
async fn forget_address(connection: &mut PgConnection, payout: &Payout) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM payout_addresses AS a
         WHERE a.relationship_id = $1 AND a.network = $2 AND a.address = $3
           AND NOT EXISTS (SELECT FROM payouts AS y
             WHERE y.relationship_id = a.relationship_id AND y.network = a.network
               AND y.address = a.address AND y.status IN ('PENDING', 'APPROVED', 'COMPLETED'))",
    )
    .bind(payout.relationship.uuid())
    .bind(&payout.to.network)
    .bind(&payout.address)
    .execute(connection)
    .await?;
    Ok(())
}

/// Queues mails in the transaction of their cause.
pub(super) async fn post(
    connection: &mut PgConnection,
    vault: &Vault,
    posts: Vec<Post>,
    now: Timestamp,
) -> Result<(), Error> {
    for Post { id, letter } in posts {
        mail::queue(connection, vault, (id, "payout"), &letter, now).await?;
    }
    Ok(())
}

/// Who is told of payouts of this relationship.
pub(super) async fn recipients(
    connection: &mut PgConnection,
    (merchant, relationship): Of,
) -> Result<Recipients, Error> {
    let (reseller, merchant_name): (String, String) = sqlx::query_as(
        "SELECT COALESCE(p.email, r.email), m.name
         FROM relationships AS r
         JOIN merchants AS m ON m.merchant_id = r.merchant_id
         LEFT JOIN persons AS p ON p.person_id = r.person_id
         WHERE r.merchant_id = $1 AND r.relationship_id = $2",
    )
    .bind(merchant.uuid())
    .bind(relationship.uuid())
    .fetch_one(&mut *connection)
    .await?;
    let owners: Vec<String> = sqlx::query_scalar(
        "SELECT p.email FROM members AS o JOIN persons AS p ON p.person_id = o.person_id
         WHERE o.merchant_id = $1 AND o.role = 'OWNER' ORDER BY p.email",
    )
    .bind(merchant.uuid())
    .fetch_all(connection)
    .await?;
    Ok(Recipients {
        reseller,
        owners,
        merchant_name,
    })
}
