//! A row of `invitations` and what it becomes.

use engine::{
    audit::Digest,
    clock::Timestamp,
    ids::{InvitationId, MerchantId, RelationshipId},
    invitations::{Invitation, Status},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Error, audit, error::exactly_one, relationships::rows::named};

/// Every column of an invitation and the rest of the query, which names it `i`.
macro_rules! select_invitation {
    ($rest:literal) => {
        concat!(
            "SELECT i.invitation_id, i.merchant_id, i.relationship_id, i.email, i.status,
               i.valid_days, i.expires_at, i.accepted_at, i.declined_at, i.revoked_at,
               i.created_at, i.updated_at FROM invitations AS i ",
            $rest
        )
    };
}
pub(super) use select_invitation;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    invitation_id: Uuid,
    merchant_id: Uuid,
    relationship_id: Uuid,
    email: String,
    status: String,
    valid_days: i32,
    expires_at: Timestamp,
    accepted_at: Option<Timestamp>,
    declined_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<Row> for Invitation {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let valid_days = u16::try_from(row.valid_days).ok();
        Ok(Self {
            id: InvitationId::from_uuid(row.invitation_id),
            merchant: MerchantId::from_uuid(row.merchant_id),
            relationship: RelationshipId::from_uuid(row.relationship_id),
            email: row.email,
            status: named(Status::parse(&row.status), "invitations.status")?,
            valid_days: named(valid_days, "invitations.valid_days")?,
            expires_at: row.expires_at,
            accepted_at: row.accepted_at,
            declined_at: row.declined_at,
            revoked_at: row.revoked_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// The invitation that a link opens, locked until the transaction ends.
pub(super) async fn lock_by_token(
    connection: &mut PgConnection,
    token: &Digest,
) -> Result<Option<Invitation>, Error> {
    let row: Option<Row> =
        sqlx::query_as(select_invitation!("WHERE i.token_digest = $1 FOR UPDATE"))
            .bind(&token[..])
            .fetch_optional(connection)
            .await?;
    row.map(Invitation::try_from).transpose()
}

/// An invitation of this merchant, locked until the transaction ends.
pub(super) async fn lock(
    connection: &mut PgConnection,
    merchant: MerchantId,
    id: InvitationId,
) -> Result<Option<Invitation>, Error> {
    let row: Option<Row> = sqlx::query_as(select_invitation!(
        "WHERE i.merchant_id = $1 AND i.invitation_id = $2 FOR UPDATE"
    ))
    .bind(merchant.uuid())
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(Invitation::try_from).transpose()
}

/// A digest over everything that is stored of an invitation but its last change.
pub(super) async fn digest(
    connection: &mut PgConnection,
    id: InvitationId,
) -> Result<Digest, Error> {
    let sum: Vec<u8> = sqlx::query_scalar(
        "SELECT sha256(convert_to((to_jsonb(i) - 'updated_at')::text, 'UTF8'))
         FROM invitations AS i WHERE i.invitation_id = $1",
    )
    .bind(id.uuid())
    .fetch_one(connection)
    .await?;
    audit::digest(sum)
}

pub(super) async fn insert(
    connection: &mut PgConnection,
    invitation: &Invitation,
    token: &Digest,
    message: Option<&str>,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO invitations (invitation_id, merchant_id, relationship_id, email, status,
           token_digest, message, valid_days, expires_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)",
    )
    .bind(invitation.id.uuid())
    .bind(invitation.merchant.uuid())
    .bind(invitation.relationship.uuid())
    .bind(&invitation.email)
    .bind(invitation.status.name())
    .bind(&token[..])
    .bind(message)
    .bind(i32::from(invitation.valid_days))
    .bind(invitation.expires_at)
    .bind(invitation.created_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Stores an invitation that is locked.
pub(super) async fn store(
    connection: &mut PgConnection,
    invitation: &Invitation,
) -> Result<(), Error> {
    let stored = sqlx::query(
        "UPDATE invitations SET status = $2, expires_at = $3, accepted_at = $4, declined_at = $5,
           revoked_at = $6, updated_at = $7
         WHERE invitation_id = $1",
    )
    .bind(invitation.id.uuid())
    .bind(invitation.status.name())
    .bind(invitation.expires_at)
    .bind(invitation.accepted_at)
    .bind(invitation.declined_at)
    .bind(invitation.revoked_at)
    .bind(invitation.updated_at)
    .execute(connection)
    .await?;
    exactly_one(&stored, "a locked invitation")
}
