//! New persons and members.

use engine::{
    clock::Timestamp,
    fulfillments::Email,
    ids::{MerchantId, PersonId},
    persons::Role,
};
use sqlx::PgConnection;

use crate::{Database, Error, database::commit, error::at_most_one, owned};

/// Somebody who is to be able to sign in.
#[derive(Clone)]
pub struct NewPerson {
    pub id: PersonId,
    pub email: Email,
    pub name: String,
    pub password_hash: String,
}

/// Stores a person; false if the address is somebody's already, and nothing is changed.
pub async fn insert(db: &Database, person: NewPerson, now: Timestamp) -> Result<bool, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let new = insert_in(&mut tx, &person, now).await?;
        commit(tx).await?;
        Ok(new)
    })
    .await
}

/// The same in a transaction of the caller's.
pub async fn insert_in(
    connection: &mut PgConnection,
    person: &NewPerson,
    now: Timestamp,
) -> Result<bool, Error> {
    let inserted = sqlx::query(
        "INSERT INTO persons (person_id, email, name, password_hash, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $5)
         ON CONFLICT ON CONSTRAINT persons_email_key DO NOTHING",
    )
    .bind(person.id.uuid())
    .bind(person.email.as_str())
    .bind(&person.name)
    .bind(&person.password_hash)
    .bind(now)
    .execute(connection)
    .await?;
    at_most_one(&inserted, "a new person")
}

/// Makes a person a member of a merchant, or changes the role of one.
pub async fn insert_member(
    db: &Database,
    merchant: MerchantId,
    person: PersonId,
    role: Role,
    now: Timestamp,
) -> Result<(), Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        sqlx::query(
            "INSERT INTO members (merchant_id, person_id, role, created_at)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT ON CONSTRAINT members_pkey DO UPDATE SET role = EXCLUDED.role",
        )
        .bind(merchant.uuid())
        .bind(person.uuid())
        .bind(role.name())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        commit(tx).await
    })
    .await
}
