//! The merchant decides about a request that waits.

use engine::{
    audit::{Actor, Deed},
    clock::Timestamp,
    ids::{MerchantId, ReplacementId},
    replacements::{DecidedBy, Replacement, Status},
};

use super::rows::{lock, tell};
use crate::{Database, Error, audit, database::commit, error::exactly_one, owned};

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
}

/// Stores a decision, once.
pub async fn decide(
    db: &Database,
    (merchant, id): (MerchantId, ReplacementId),
    verb: Verb,
    note: Option<String>,
    (actor, now): (Actor, Timestamp),
) -> Result<Option<Decided>, Error> {
    let db = db.clone();
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
        let decided = Replacement {
            status: next,
            decided_by: Some(DecidedBy::Merchant),
            decision_note: note,
            updated_at: now,
            ..found
        };
        let updated = sqlx::query(
            "UPDATE replacements SET status = $2, decided_by = $3, decision_note = $4,
               attempted_at = $5, updated_at = $5
             WHERE replacement_id = $1 AND status = 'REQUESTED'",
        )
        .bind(id.uuid())
        .bind(next.name())
        .bind(DecidedBy::Merchant.name())
        .bind(&decided.decision_note)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        exactly_one(&updated, "a replacement that waits")?;
        tell(&mut tx, &decided, now).await?;
        let deed = Deed {
            actor,
            action: verb.action().to_owned(),
            target: id.to_string(),
            before: None,
            after: None,
            at: now,
        };
        audit::append(&mut tx, merchant, deed).await?;
        commit(tx).await?;
        Ok(Some(Decided::Fresh(decided)))
    })
    .await
}
