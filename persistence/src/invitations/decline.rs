//! The invited person does not want to join: the offer ends, and the relationship with it.

use engine::{
    audit::{Actor, Deed, Digest},
    clock::Timestamp,
    events::Fact,
    invitations::{Invitation, Refusal, Status, Stepped},
};
use sqlx::PgConnection;

use super::rows;
use crate::{
    Database, Error, audit,
    database::commit,
    events::outbox,
    owned,
    relationships::rows::{self as relationships, kept},
};

/// What ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declined {
    pub invitation: Invitation,
    /// It was declined before: nothing was changed.
    pub already: bool,
}

/// Declines the offer with this token; none if there is no such offer. The merchant reads the reason.
pub async fn decline(
    db: &Database,
    token: Digest,
    reason: Option<String>,
    actor: Actor,
    now: Timestamp,
) -> Result<Option<Result<Declined, Refusal>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(invitation) = rows::lock_by_token(&mut tx, &token).await? else {
            return Ok(None);
        };
        let invitation = match invitation.decline(now) {
            Err(refusal) => return Ok(Some(Err(refusal))),
            Ok(Stepped::Already(invitation)) => {
                let declined = Declined {
                    invitation,
                    already: true,
                };
                return Ok(Some(Ok(declined)));
            }
            Ok(Stepped::To(invitation)) => invitation,
        };
        let reason = reason.unwrap_or_else(|| "The invitation was declined.".to_owned());
        let deed = (actor, "invitation.decline");
        end(&mut tx, &invitation, reason, deed, now).await?;
        commit(tx).await?;
        Ok(Some(Ok(Declined {
            invitation,
            already: false,
        })))
    })
    .await
}

/// Stores an invitation that ended without a yes, and ends the relationship that waited for it.
pub(super) async fn end(
    connection: &mut PgConnection,
    invitation: &Invitation,
    reason: String,
    (actor, action): (Actor, &'static str),
    now: Timestamp,
) -> Result<(), Error> {
    let (merchant, id) = (invitation.merchant, invitation.relationship);
    let waiting = relationships::lock(connection, merchant, id).await?;
    let before = relationships::digest(connection, id).await?;
    let ended = waiting.and_then(|waiting| waiting.given_up(reason, now).ok());
    let relationship = ended.ok_or(Error::Inconsistent {
        what: "no relationship waits for a pending invitation",
    })?;
    relationships::store(connection, &relationship).await?;
    rows::store(connection, invitation).await?;
    // What the merchant takes back, or time ends, nobody declined.
    if invitation.status == Status::Declined {
        let fact = Fact::ResellerDeclined {
            relationship: id.uuid(),
        };
        outbox::tell(connection, (merchant, Some(id)), &fact, now).await?;
    }
    let deed = Deed {
        actor,
        action: action.to_owned(),
        target: id.to_string(),
        before: Some(before),
        after: Some(relationships::digest(connection, id).await?),
        at: now,
    };
    audit::append(connection, merchant, deed).await
}
