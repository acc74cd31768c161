//! A merchant invites somebody: the offer, and the relationship that waits for its acceptance.

use engine::{
    audit::{Actor, Deed, Digest},
    clock::Timestamp,
    events::Fact,
    ids::{InvitationId, MerchantId, RelationshipId},
    invitations::{Invitation, Status, end},
    relationships::{
        Change, Mode, ProductScope, Relationship, Status as RelationshipStatus, Unchanged, Ware,
    },
    vault::Vault,
};
use sqlx::PgConnection;

use super::{expire::expire_of, rows};
use crate::{
    Database, Error, audit,
    database::commit,
    events::outbox,
    links,
    mail::{self, Post},
    owned,
    relationships::rows::{self as relationships, kept, named},
};

/// Whom to invite, and to what.
pub struct NewInvitation {
    pub id: InvitationId,
    pub relationship: RelationshipId,
    /// Of the token in the link.
    pub token: Digest,
    /// Trimmed and in lower case.
    pub email: String,
    pub code: String,
    /// What is different from the program's defaults, the mode included.
    pub terms: Change,
    pub message: Option<String>,
    pub valid_days: u16,
    /// Carries the link.
    pub post: Post,
}

/// Why nobody was invited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotInvited {
    ProgramDisabled,
    /// Who acts for the merchant cannot be its reseller.
    Member,
    /// Somebody with this address is in the program, or invited already.
    EmailTaken,
    CodeTaken,
    UnknownWare(Ware),
    Bounds(Ware),
}

/// Stores an offer, the relationship that waits for it, and the mail that carries the link.
pub async fn invite(
    db: &Database,
    vault: &Vault,
    (merchant, actor): (MerchantId, Actor),
    new: NewInvitation,
    now: Timestamp,
) -> Result<Result<Invitation, NotInvited>, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        // An offer that is over does not stand in the way, even if the job was not there yet.
        expire_of(&db, merchant, &new.email, now).await?;
        let mut tx = db.begin().await?;
        let default_mode = match open_program(&mut tx, merchant).await? {
            Ok(mode) => mode,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if is_member(&mut tx, merchant, &new.email).await? {
            return Ok(Err(NotInvited::Member));
        }
        let wares = new.terms.access.named();
        if let Some(ware) = relationships::unknown_ware(&mut tx, merchant, &wares).await? {
            return Ok(Err(NotInvited::UnknownWare(ware)));
        }
        let relationship = match waiting(&new, merchant, default_mode, now) {
            Ok(relationship) => relationship,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Err(error) = relationships::insert(&mut tx, &relationship).await {
            return refusal(&error).map_or(Err(error), |refusal| Ok(Err(refusal)));
        }
        let invitation = offer(&new, merchant, now);
        rows::insert(&mut tx, &invitation, &new.token, new.message.as_deref()).await?;
        mail::queue(
            &mut tx,
            &vault,
            (new.post.id, "invitation"),
            &new.post.letter,
            now,
        )
        .await?;
        let fact = Fact::ResellerInvited {
            relationship: relationship.id.uuid(),
        };
        outbox::tell(&mut tx, (merchant, Some(relationship.id)), &fact, now).await?;
        let deed = Deed {
            actor,
            action: "reseller.invite".to_owned(),
            target: relationship.id.to_string(),
            before: None,
            after: Some(relationships::digest(&mut tx, relationship.id).await?),
            at: now,
        };
        audit::append(&mut tx, merchant, deed).await?;
        commit(tx).await?;
        Ok(Ok(invitation))
    })
    .await
}

/// The mode that the program gives to whom nobody gave one, if the program is on.
async fn open_program(
    connection: &mut PgConnection,
    merchant: MerchantId,
) -> Result<Result<Mode, NotInvited>, Error> {
    let (enabled, mode): (bool, String) =
        sqlx::query_as("SELECT enabled, default_mode FROM programs WHERE merchant_id = $1")
            .bind(merchant.uuid())
            .fetch_one(connection)
            .await?;
    let mode = named(Mode::parse(&mode), "programs.default_mode")?;
    Ok(if enabled {
        Ok(mode)
    } else {
        Err(NotInvited::ProgramDisabled)
    })
}

async fn is_member(
    connection: &mut PgConnection,
    merchant: MerchantId,
    email: &str,
) -> Result<bool, Error> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM members AS m JOIN persons AS p ON p.person_id = m.person_id
         WHERE m.merchant_id = $1 AND p.email = $2)",
    )
    .bind(merchant.uuid())
    .bind(email)
    .fetch_one(connection)
    .await?)
}

fn waiting(
    new: &NewInvitation,
    merchant: MerchantId,
    mode: Mode,
    now: Timestamp,
) -> Result<Relationship, NotInvited> {
    let bare = Relationship {
        id: new.relationship,
        merchant,
        email: new.email.clone(),
        name: String::new(),
        code: new.code.clone(),
        status: RelationshipStatus::Invited,
        status_reason: None,
        mode,
        commission: None,
        discount: None,
        purchase_limit_daily: None,
        purchase_limit_monthly: None,
        product_scope: ProductScope::All,
        notify_customer: true,
        access: std::collections::BTreeMap::new(),
        accepted_at: None,
        suspended_at: None,
        terminated_at: None,
        version: 0,
        created_at: now,
        updated_at: now,
    };
    bare.changed(new.terms.clone(), now)
        .map_err(|unchanged| match unchanged {
            Unchanged::Bounds(ware) => NotInvited::Bounds(ware),
            Unchanged::Terminated => unreachable!("whoever is invited has just begun"),
        })
}

fn offer(new: &NewInvitation, merchant: MerchantId, now: Timestamp) -> Invitation {
    Invitation {
        id: new.id,
        merchant,
        relationship: new.relationship,
        email: new.email.clone(),
        status: Status::Pending,
        valid_days: new.valid_days,
        expires_at: end(now, new.valid_days),
        accepted_at: None,
        declined_at: None,
        revoked_at: None,
        created_at: now,
        updated_at: now,
    }
}

fn refusal(error: &Error) -> Option<NotInvited> {
    if links::is_taken(error) {
        return Some(NotInvited::CodeTaken);
    }
    let taken = error.constraint()? == "relationships_merchant_id_email_key";
    taken.then_some(NotInvited::EmailTaken)
}
