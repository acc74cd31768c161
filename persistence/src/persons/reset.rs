//! Links that let somebody who lost a password set a new one.

use engine::{
    clock::Timestamp,
    fulfillments::Email,
    ids::{MailId, PersonId},
    vault::Vault,
};

use super::{
    Credentials, Person,
    change::store_password,
    rows::{Row, select_person},
};
use crate::{
    Database, Error,
    database::commit,
    mail::{self, Letter},
    owned,
};

/// What opens the link, and the mail that carries it.
pub struct Reset {
    pub digest: [u8; 32],
    pub expires_at: Timestamp,
    pub mail: MailId,
    pub letter: Letter,
}

/// Stores a link and queues its mail, if this is the address of somebody who may sign in. An earlier
/// link opens nothing any more.
pub async fn offer_reset(
    db: &Database,
    vault: &Vault,
    email: &Email,
    reset: Reset,
    now: Timestamp,
) -> Result<bool, Error> {
    let (db, vault, email) = (db.clone(), vault.clone(), email.clone());
    owned(async move {
        let mut tx = db.begin().await?;
        let row: Option<Row> = sqlx::query_as(select_person!(
            "WHERE p.email = $1 AND p.status = 'ACTIVE' FOR UPDATE"
        ))
        .bind(email.as_str())
        .fetch_optional(&mut *tx)
        .await?;
        let Some(person) = row.map(Credentials::try_from).transpose()? else {
            return Ok(false);
        };
        let id = person.person.id;
        sqlx::query("DELETE FROM password_resets WHERE person_id = $1")
            .bind(id.uuid())
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "INSERT INTO password_resets (digest, person_id, expires_at) VALUES ($1, $2, $3)",
        )
        .bind(&reset.digest[..])
        .bind(id.uuid())
        .bind(reset.expires_at)
        .execute(&mut *tx)
        .await?;
        let named = (reset.mail, "password-reset");
        mail::queue(&mut tx, &vault, named, &reset.letter, now).await?;
        commit(tx).await?;
        Ok(true)
    })
    .await
}

/// Whose link this is, as long as it opens something.
pub async fn find_reset(
    db: &Database,
    digest: [u8; 32],
    now: Timestamp,
) -> Result<Option<Person>, Error> {
    let db = db.clone();
    owned(async move {
        let row: Option<Row> = sqlx::query_as(select_person!(
            "JOIN password_resets AS r ON r.person_id = p.person_id
             WHERE r.digest = $1 AND r.expires_at > $2 AND p.status = 'ACTIVE'"
        ))
        .bind(&digest[..])
        .bind(now)
        .fetch_optional(&mut *db.read().await?)
        .await?;
        Ok(row
            .map(Credentials::try_from)
            .transpose()?
            .map(Person::from))
    })
    .await
}

/// Sets the password by a link, once, and ends all sessions of the person. False if the link opens
/// nothing any more.
pub async fn reset_password(
    db: &Database,
    digest: [u8; 32],
    new_hash: String,
    now: Timestamp,
) -> Result<bool, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let id: Option<uuid::Uuid> = sqlx::query_scalar(
            "DELETE FROM password_resets WHERE digest = $1 AND expires_at > $2 RETURNING person_id",
        )
        .bind(&digest[..])
        .bind(now)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(id) = id.map(PersonId::from_uuid) else {
            return Ok(false);
        };
        store_password(&mut tx, id, &new_hash, now).await?;
        sqlx::query("DELETE FROM sessions WHERE person_id = $1")
            .bind(id.uuid())
            .execute(&mut *tx)
            .await?;
        commit(tx).await?;
        Ok(true)
    })
    .await
}
