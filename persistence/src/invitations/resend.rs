//! The same offer once more: a new link and a new term; the link that was mailed before is dead.

use engine::{
    audit::{Actor, Deed, Digest},
    clock::Timestamp,
    ids::{InvitationId, MerchantId},
    invitations::{Invitation, Refusal},
    vault::Vault,
};

use super::rows::{self, Row, select_invitation};
use crate::{
    Database, Error, audit,
    database::commit,
    error::exactly_one,
    mail::{self, Post},
    owned,
    relationships::rows::kept,
};

/// What opens the offer from now on, and the mail that carries it.
pub struct Renewal {
    pub token: Digest,
    pub post: Post,
}

/// An invitation of this merchant, and what was written with it.
pub async fn find_own(
    db: &Database,
    merchant: MerchantId,
    id: InvitationId,
) -> Result<Option<(Invitation, Option<String>)>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.report().await?;
        let row: Option<Row> = sqlx::query_as(select_invitation!(
            "WHERE i.merchant_id = $1 AND i.invitation_id = $2"
        ))
        .bind(merchant.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *connection)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let message: Option<String> = sqlx::query_scalar(
            "SELECT message FROM invitations WHERE merchant_id = $1 AND invitation_id = $2",
        )
        .bind(merchant.uuid())
        .bind(id.uuid())
        .fetch_one(&mut *connection)
        .await?;
        Ok(Some((row.try_into()?, message)))
    })
    .await
}

/// Renews an offer of this merchant; none if there is no such offer.
pub async fn resend(
    db: &Database,
    vault: &Vault,
    (merchant, id, actor): (MerchantId, InvitationId, Actor),
    renewal: Renewal,
    now: Timestamp,
) -> Result<Option<Result<Invitation, Refusal>>, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let Some(invitation) = rows::lock(&mut tx, merchant, id).await? else {
            return Ok(None);
        };
        let invitation = match invitation.resend(now) {
            Ok(invitation) => invitation,
            Err(refusal) => return Ok(Some(Err(refusal))),
        };
        let before = rows::digest(&mut tx, id).await?;
        rows::store(&mut tx, &invitation).await?;
        let renewed =
            sqlx::query("UPDATE invitations SET token_digest = $2 WHERE invitation_id = $1")
                .bind(id.uuid())
                .bind(&renewal.token[..])
                .execute(&mut *tx)
                .await?;
        exactly_one(&renewed, "a locked invitation")?;
        let post = &renewal.post;
        mail::queue(&mut tx, &vault, (post.id, "invitation"), &post.letter, now).await?;
        let deed = Deed {
            actor,
            action: "invitation.resend".to_owned(),
            target: invitation.relationship.to_string(),
            before: Some(before),
            after: Some(rows::digest(&mut tx, id).await?),
            at: now,
        };
        audit::append(&mut tx, merchant, deed).await?;
        commit(tx).await?;
        Ok(Some(Ok(invitation)))
    })
    .await
}
