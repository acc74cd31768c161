//! The invited person joins: the offer ends, and the relationship begins.

use engine::{
    audit::{Actor, Deed, Digest},
    clock::Timestamp,
    events::Fact,
    ids::BalanceId,
    invitations::{Invitation, Refusal},
    relationships::Relationship,
};
use sqlx::PgConnection;

use super::rows;
use crate::{
    Error, audit,
    events::outbox,
    relationships::rows::{self as relationships, kept},
};

/// What began.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    pub invitation: Invitation,
    pub relationship: Relationship,
    /// What to tell the engine's `terms_changed` after the commit.
    pub balances: Vec<BalanceId>,
}

/// Accepts the offer with this token, within the transaction that binds the person to the
/// relationship; none if there is no such offer. `name` is what the person is called, where the
/// merchant gave no name. Appends to the audit log, so nothing that others lock may be locked after it.
pub async fn accept(
    connection: &mut PgConnection,
    token: &Digest,
    name: &str,
    actor: Actor,
    now: Timestamp,
) -> Result<Option<Result<Accepted, Refusal>>, Error> {
    let now = kept(now);
    let Some(invitation) = rows::lock_by_token(connection, token).await? else {
        return Ok(None);
    };
    let invitation = match invitation.accept(now) {
        Ok(invitation) => invitation,
        Err(refusal) => return Ok(Some(Err(refusal))),
    };
    let (merchant, id) = (invitation.merchant, invitation.relationship);
    let waiting = relationships::lock(connection, merchant, id).await?;
    let before = relationships::digest(connection, id).await?;
    let accepted = waiting.and_then(|waiting| waiting.accepted(now).ok());
    let mut relationship = accepted.ok_or(Error::Inconsistent {
        what: "no relationship waits for a pending invitation",
    })?;
    if relationship.name.is_empty() {
        name.clone_into(&mut relationship.name);
    }
    relationships::store(connection, &relationship).await?;
    rows::store(connection, &invitation).await?;
    let fact = Fact::ResellerAccepted {
        relationship: id.uuid(),
    };
    outbox::tell(connection, (merchant, Some(id)), &fact, now).await?;
    let deed = Deed {
        actor,
        action: "invitation.accept".to_owned(),
        target: id.to_string(),
        before: Some(before),
        after: Some(relationships::digest(connection, id).await?),
        at: now,
    };
    let balances = relationships::balances(connection, id).await?;
    audit::append(connection, merchant, deed).await?;
    Ok(Some(Ok(Accepted {
        invitation,
        relationship,
        balances,
    })))
}
