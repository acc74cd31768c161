//! Another e-mail address: wanted, confirmed by a link that was mailed to it, then in force.
//!
//! Keeps: nobody gets an address that they cannot read; an address is one person's; where a person is a
//! reseller the relationship has the same address, and the log of that merchant says so.

use engine::{
    audit::{Actor, Deed, Digest},
    clock::Timestamp,
    fulfillments::Email,
    ids::{MerchantId, PersonId, RelationshipId},
    vault::Vault,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Database, Error, audit,
    database::commit,
    error::exactly_one,
    mail::{self, Post},
    owned,
    relationships::rows::{self as relationships, kept},
};

/// What opens the link, and the mail that carries it.
pub struct NewEmail {
    pub email: Email,
    pub digest: Digest,
    pub expires_at: Timestamp,
    pub post: Post,
}

/// Stores what somebody wants and queues the mail with the link. An earlier link is dead. False if the
/// address is somebody's already: then nothing is stored, and the caller says nothing of it.
pub async fn offer_email(
    db: &Database,
    vault: &Vault,
    person: PersonId,
    new: NewEmail,
    now: Timestamp,
) -> Result<bool, Error> {
    let (db, vault) = (db.clone(), vault.clone());
    owned(async move {
        let mut tx = db.begin().await?;
        let taken: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM persons WHERE email = $1)")
                .bind(new.email.as_str())
                .fetch_one(&mut *tx)
                .await?;
        if taken {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO email_changes (digest, person_id, email, expires_at)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT ON CONSTRAINT email_changes_person_id_key DO UPDATE
               SET digest = EXCLUDED.digest, email = EXCLUDED.email,
                   expires_at = EXCLUDED.expires_at",
        )
        .bind(&new.digest[..])
        .bind(person.uuid())
        .bind(new.email.as_str())
        .bind(new.expires_at)
        .execute(&mut *tx)
        .await?;
        mail::queue(
            &mut tx,
            &vault,
            (new.post.id, "email-change"),
            &new.post.letter,
            now,
        )
        .await?;
        commit(tx).await?;
        Ok(true)
    })
    .await
}

/// Why an address is not in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotConfirmed {
    /// The link opens nothing, or nothing any more.
    Over,
    /// It became somebody else's, or that of another reseller of a merchant.
    Taken,
}

/// Puts an address in force by its link, once, and tells the old address; says which one it was. Links
/// to a new password that were mailed to the old one are dead.
pub async fn confirm_email(
    db: &Database,
    vault: &Vault,
    (digest, ip): (Digest, std::net::IpAddr),
    notice: impl FnOnce(&Email) -> Post + Send + 'static,
    now: Timestamp,
) -> Result<Result<(), NotConfirmed>, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let row: Option<(Uuid, String)> = sqlx::query_as(
            "DELETE FROM email_changes WHERE digest = $1 AND expires_at > $2
             RETURNING person_id, email",
        )
        .bind(&digest[..])
        .bind(now)
        .fetch_optional(&mut *tx)
        .await?;
        let Some((person, email)) = row else {
            return Ok(Err(NotConfirmed::Over));
        };
        let person = PersonId::from_uuid(person);
        let Some(known) = super::find::lock(&mut tx, person).await? else {
            return Ok(Err(NotConfirmed::Over));
        };
        let changed = match store(&mut tx, person, &email, now).await {
            Ok(changed) => changed,
            Err(error) if is_taken(&error) => return Ok(Err(NotConfirmed::Taken)),
            Err(error) => return Err(error),
        };
        let post = notice(&known.person.email);
        mail::queue(
            &mut tx,
            &vault,
            (post.id, "email-changed"),
            &post.letter,
            now,
        )
        .await?;
        let actor = Actor {
            kind: engine::audit::ActorKind::Person,
            id: Some(person.to_string()),
            label: known.person.name,
            ip: Some(ip),
        };
        for (merchant, deed) in changed {
            let (target, before, after) = deed;
            let deed = Deed {
                actor: actor.clone(),
                action: "reseller.email".to_owned(),
                target,
                before: Some(before),
                after: Some(after),
                at: now,
            };
            audit::append(&mut tx, merchant, deed).await?;
        }
        commit(tx).await?;
        Ok(Ok(()))
    })
    .await
}

/// A relationship's id, and digests of it before and after.
type Told = (String, Digest, Digest);

async fn store(
    connection: &mut PgConnection,
    person: PersonId,
    email: &str,
    now: Timestamp,
) -> Result<Vec<(MerchantId, Told)>, Error> {
    let stored = sqlx::query("UPDATE persons SET email = $2, updated_at = $3 WHERE person_id = $1")
        .bind(person.uuid())
        .bind(email)
        .bind(now)
        .execute(&mut *connection)
        .await?;
    exactly_one(&stored, "a person with another address")?;
    sqlx::query("DELETE FROM password_resets WHERE person_id = $1")
        .bind(person.uuid())
        .execute(&mut *connection)
        .await?;
    // In the order of merchants, in which the ends of their logs are locked afterwards.
    let own: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT merchant_id, relationship_id FROM relationships
         WHERE person_id = $1 AND status <> 'TERMINATED'
         ORDER BY merchant_id, relationship_id FOR UPDATE",
    )
    .bind(person.uuid())
    .fetch_all(&mut *connection)
    .await?;
    let mut changed = Vec::with_capacity(own.len());
    for (merchant, relationship) in own {
        let relationship = RelationshipId::from_uuid(relationship);
        let before = relationships::digest(connection, relationship).await?;
        sqlx::query(
            "UPDATE relationships SET email = $2, updated_at = $3 WHERE relationship_id = $1",
        )
        .bind(relationship.uuid())
        .bind(email)
        .bind(now)
        .execute(&mut *connection)
        .await?;
        let after = relationships::digest(connection, relationship).await?;
        let told = (relationship.to_string(), before, after);
        changed.push((MerchantId::from_uuid(merchant), told));
    }
    Ok(changed)
}

fn is_taken(error: &Error) -> bool {
    matches!(
        error.constraint(),
        Some("persons_email_key" | "relationships_merchant_id_email_key")
    )
}
