//! A merchant suspends, reactivates or terminates a relationship. The end takes its keys and connections with
//! it and pauses its webhooks.

use engine::{
    audit::{Actor, Deed, Digest},
    clock::Timestamp,
    events::Fact,
    ids::{BalanceId, KeyId, MerchantId, RelationshipId},
    relationships::{Relationship, Status, Step, Stepped, WrongStatus},
    vault::Vault,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows::{self, kept};
use crate::{
    Database, Error, audit, connections,
    database::commit,
    events::outbox,
    mail::{self, Post},
    owned, webhooks,
};

const KEY_REASON: &str = "The relationship was terminated.";

/// What a step did, and who must hear of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// It was there already: nothing was changed.
    pub already: bool,
    /// What to tell the engine's `terms_changed` after the commit.
    pub balances: Vec<BalanceId>,
    /// Keys of the relationship that no cache may know any more.
    pub revoked: Vec<KeyId>,
}

/// Takes a step with a relationship of this merchant, with a mail that tells it, or says which status it is in;
/// none if there is none.
pub async fn step(
    db: &Database,
    (merchant, id): (MerchantId, RelationshipId),
    (step, reason, told): (Step, Option<String>, Option<(Vault, Post)>),
    actor: Actor,
    now: Timestamp,
) -> Result<Option<Result<Taken, WrongStatus>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(relationship) = rows::lock(&mut tx, merchant, id).await? else {
            return Ok(None);
        };
        let before = rows::digest(&mut tx, id).await?;
        let balances = rows::balances(&mut tx, id).await?;
        let stepped = relationship.step(step, reason, now);
        if stepped.is_ok() {
            forget_debt(&mut tx, id).await?;
        }
        let (already, relationship) = match stepped {
            Ok(Stepped::To(relationship)) => (false, relationship),
            Ok(Stepped::Already(relationship)) => (true, relationship),
            Err(wrong) => return Ok(Some(Err(wrong))),
        };
        if already {
            // A caller that heard nothing may ask because the caches were not told.
            let revoked = revoked_keys(&mut tx, id).await?;
            commit(tx).await?;
            return Ok(Some(Ok(Taken {
                already,
                balances,
                revoked,
            })));
        }
        store(&mut tx, &relationship, (step, actor, before), now).await?;
        if let Some((vault, Post { id, letter })) = &told {
            mail::queue(&mut tx, vault, (*id, "status"), letter, now).await?;
        }
        let revoked = revoked_keys(&mut tx, id).await?;
        commit(tx).await?;
        Ok(Some(Ok(Taken {
            already,
            balances,
            revoked,
        })))
    })
    .await
}

/// Takes a step that nobody asked for with a relationship that is locked; the balances to tell of it.
pub(crate) async fn enter(
    connection: &mut PgConnection,
    relationship: Relationship,
    (step, reason, actor): (Step, Option<String>, Actor),
    now: Timestamp,
) -> Result<Vec<BalanceId>, Error> {
    let id = relationship.id;
    let before = rows::digest(connection, id).await?;
    let Ok(Stepped::To(relationship)) = relationship.step(step, reason, now) else {
        return Err(Error::Inconsistent {
            what: "a step that the status does not allow",
        });
    };
    store(connection, &relationship, (step, actor, before), now).await?;
    rows::balances(connection, id).await
}

/// Stores a step that was taken, with what follows from it.
async fn store(
    connection: &mut PgConnection,
    relationship: &Relationship,
    (step, actor, before): (Step, Actor, Digest),
    now: Timestamp,
) -> Result<(), Error> {
    let (merchant, id) = (relationship.merchant, relationship.id);
    rows::store(connection, relationship).await?;
    rows::tell(connection, relationship, now).await?;
    if relationship.status == Status::Terminated {
        revoke_keys(connection, (merchant, id), now).await?;
        connections::revoke_all(connection, id, now).await?;
        webhooks::pause(connection, id, now).await?;
    }
    let deed = Deed {
        actor,
        action: action(step).to_owned(),
        target: id.to_string(),
        before: Some(before),
        after: Some(rows::digest(connection, id).await?),
        at: now,
    };
    audit::append(connection, merchant, deed).await
}

/// The merchant's own word stands, whatever becomes of a debt.
async fn forget_debt(connection: &mut PgConnection, id: RelationshipId) -> Result<(), Error> {
    sqlx::query("UPDATE debts SET suspended = false WHERE relationship_id = $1 AND suspended")
        .bind(id.uuid())
        .execute(connection)
        .await?;
    Ok(())
}

const fn action(step: Step) -> &'static str {
    match step {
        Step::Suspend => "reseller.suspend",
        Step::Reactivate => "reseller.reactivate",
        Step::Terminate => "reseller.terminate",
    }
}

async fn revoke_keys(
    connection: &mut PgConnection,
    (merchant, id): (MerchantId, RelationshipId),
    now: Timestamp,
) -> Result<(), Error> {
    let revoked: Vec<Uuid> = sqlx::query_scalar(
        "UPDATE api_keys SET revoked_at = $2, revoked_reason = $3
         WHERE relationship_id = $1 AND revoked_at IS NULL RETURNING key_id",
    )
    .bind(id.uuid())
    .bind(now)
    .bind(KEY_REASON)
    .fetch_all(&mut *connection)
    .await?;
    for key in revoked {
        let relationship = Some(id.uuid());
        let fact = Fact::KeyRevoked { key, relationship };
        outbox::tell(connection, (merchant, Some(id)), &fact, now).await?;
    }
    Ok(())
}

async fn revoked_keys(
    connection: &mut PgConnection,
    id: RelationshipId,
) -> Result<Vec<KeyId>, Error> {
    let found: Vec<Uuid> = sqlx::query_scalar(
        "SELECT key_id FROM api_keys WHERE relationship_id = $1 AND revoked_at IS NOT NULL",
    )
    .bind(id.uuid())
    .fetch_all(connection)
    .await?;
    Ok(found.into_iter().map(KeyId::from_uuid).collect())
}
