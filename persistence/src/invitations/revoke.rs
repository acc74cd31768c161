//! The merchant takes an offer back: it ends, and the relationship with it.

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::{InvitationId, MerchantId},
    invitations::{Invitation, Refusal, Stepped},
};

use super::{decline::end, rows};
use crate::{Database, Error, database::commit, owned, relationships::rows::kept};

const REASON: &str = "The invitation was taken back.";

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    pub invitation: Invitation,
    /// It was taken back before: nothing was changed.
    pub already: bool,
}

/// Takes back an offer of this merchant; none if there is no such offer.
pub async fn revoke(
    db: &Database,
    (merchant, id): (MerchantId, InvitationId),
    actor: Actor,
    now: Timestamp,
) -> Result<Option<Result<Revoked, Refusal>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(invitation) = rows::lock(&mut tx, merchant, id).await? else {
            return Ok(None);
        };
        let (already, invitation) = match invitation.revoke(now) {
            Err(refusal) => return Ok(Some(Err(refusal))),
            Ok(Stepped::Already(invitation)) => (true, invitation),
            Ok(Stepped::To(invitation)) => (false, invitation),
        };
        if !already {
            let deed = (actor, "invitation.revoke");
            end(&mut tx, &invitation, REASON.to_owned(), deed, now).await?;
            commit(tx).await?;
        }
        Ok(Some(Ok(Revoked {
            invitation,
            already,
        })))
    })
    .await
}
