//! The merchant decides about a request that waits, or whoever asked takes it back.

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::{MerchantId, ReplacementId},
    relationships::RelationshipScope,
    replacements::{Bought, DecidedBy, Replacement, Status},
};
use sqlx::PgConnection;

use super::{
    request::note,
    rows::{lock, tell},
};
use crate::{
    Database, Error,
    database::commit,
    error::exactly_one,
    owned,
    relationships::rows::kept,
    stock_requests::replace::{GivenUp, give_up},
};

/// What the merchant decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Issue,
    Credit,
    Reject,
}

impl Verb {
    /// Where it leads at once, and where it is meant to end.
    const fn leads(self) -> (Status, Status) {
        match self {
            Self::Issue => (Status::Issuing, Status::Issued),
            Self::Credit => (Status::Crediting, Status::Credited),
            Self::Reject => (Status::Rejected, Status::Rejected),
        }
    }

    /// What it means for an item of an inventory.
    const fn gives_up(self) -> Option<GivenUp> {
        match self {
            Self::Issue => Some(GivenUp::ForSuccessor),
            Self::Credit => Some(GivenUp::ForItsPrice),
            Self::Reject => None,
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::Issue => "replacement.issue",
            Self::Credit => "replacement.credit",
            Self::Reject => "replacement.reject",
        }
    }
}

/// What became of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// It is in force; if it is to be carried out, it waits for that.
    Fresh(Replacement),
    /// It was decided so before.
    Again(Replacement),
    /// It was decided otherwise.
    Otherwise(Replacement),
    /// The item is not the reseller's any more.
    Gone,
}

/// Stores a decision, once.
pub async fn decide(
    db: &Database,
    (merchant, id): (MerchantId, ReplacementId),
    verb: Verb,
    said: Option<String>,
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Decided>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(found) = lock(&mut tx, merchant, id).await? else {
            return Ok(None);
        };
        let (next, end) = verb.leads();
        if found.status == next || found.status == end {
            return Ok(Some(Decided::Again(found)));
        }
        if found.status != Status::Requested {
            return Ok(Some(Decided::Otherwise(found)));
        }
        if let (Bought::Wholesale(request), Some(how)) = (&found.bought, verb.gives_up())
            && !give_up(&mut tx, (&found, *request), how, now).await?
        {
            return Ok(Some(Decided::Gone));
        }
        let decided = Replacement {
            status: next,
            decided_by: Some(DecidedBy::Merchant),
            decision_note: said,
            updated_at: now,
            ..found
        };
        store(&mut tx, &decided).await?;
        tell(&mut tx, &decided, now).await?;
        note(&mut tx, &decided, (actor, verb.action()), now).await?;
        commit(tx).await?;
        Ok(Some(Decided::Fresh(decided)))
    })
    .await
}

/// Takes a request of this relationship back, as long as nobody decided about it.
pub async fn cancel(
    db: &Database,
    (scope, id): (RelationshipScope, ReplacementId),
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Decided>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let found = lock(&mut tx, scope.merchant, id).await?;
        let own = |found: &Replacement| found.scope.relationship == scope.relationship;
        let Some(found) = found.filter(own) else {
            return Ok(None);
        };
        match found.status {
            Status::Requested => {}
            Status::Cancelled => return Ok(Some(Decided::Again(found))),
            Status::Issuing
            | Status::Crediting
            | Status::Issued
            | Status::Credited
            | Status::Rejected => return Ok(Some(Decided::Otherwise(found))),
        }
        let cancelled = Replacement {
            status: Status::Cancelled,
            updated_at: now,
            ..found
        };
        store(&mut tx, &cancelled).await?;
        tell(&mut tx, &cancelled, now).await?;
        note(&mut tx, &cancelled, (actor, "replacement.cancel"), now).await?;
        commit(tx).await?;
        Ok(Some(Decided::Fresh(cancelled)))
    })
    .await
}

/// Stores what became of a request that waited.
async fn store(connection: &mut PgConnection, one: &Replacement) -> Result<(), Error> {
    let updated = sqlx::query(
        "UPDATE replacements SET status = $2, decided_by = $3, decision_note = $4,
           attempted_at = $5, updated_at = $5
         WHERE replacement_id = $1 AND status = 'REQUESTED'",
    )
    .bind(one.id.uuid())
    .bind(one.status.name())
    .bind(one.decided_by.map(DecidedBy::name))
    .bind(&one.decision_note)
    .bind(one.updated_at)
    .execute(connection)
    .await?;
    exactly_one(&updated, "a replacement that waits")
}
