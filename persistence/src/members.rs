//! Members of a merchant: who they are, joined, changed, gone.
//!
//! Keeps: the merchant's row is locked before its owners are counted, so two calls at once cannot both
//! take the last one away. Roles are read for every call, so whoever leaves a team has left at once.

use engine::{
    audit::{Actor, Deed, Digest},
    clock::Timestamp,
    fulfillments::Email,
    ids::{MerchantId, PersonId},
    persons::{
        Role,
        team::{self, LastOwner},
    },
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
    persons::{self, NewPerson},
    relationships::rows::{kept, named},
};

/// Somebody who acts for a merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub person: PersonId,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub created_at: Timestamp,
}

/// Who is to act for a merchant.
pub struct NewMember {
    pub role: Role,
    /// Stored if nobody has this address yet.
    pub person: NewPerson,
    /// What lets a new person set a password, and until when.
    pub link: ([u8; 32], Timestamp),
    /// Carries the link.
    pub welcome: Post,
    /// To somebody who can sign in already.
    pub notice: Post,
}

/// Why somebody is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotChanged {
    LastOwner,
    /// No member has this address.
    Unknown,
}

/// Everybody who acts for a merchant, by address: a team is small.
pub async fn list(db: &Database, merchant: MerchantId) -> Result<Vec<Member>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT p.person_id, p.email, p.name, m.role, m.created_at
             FROM members AS m JOIN persons AS p ON p.person_id = m.person_id
             WHERE m.merchant_id = $1 ORDER BY p.email",
        )
        .bind(merchant.uuid())
        .fetch_all(&mut *db.report().await?)
        .await?;
        rows.into_iter().map(Member::try_from).collect()
    })
    .await
}

/// Makes somebody a member, and a person first if nobody has the address; false if it is one already.
pub async fn add(
    db: &Database,
    vault: &Vault,
    (merchant, actor): (MerchantId, Actor),
    new: NewMember,
    now: Timestamp,
) -> Result<bool, Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        if !add_in(&mut tx, &vault, (merchant, actor), &new, now).await? {
            return Ok(false);
        }
        commit(tx).await?;
        Ok(true)
    })
    .await
}

/// The same in a transaction of the caller's.
pub(crate) async fn add_in(
    connection: &mut PgConnection,
    vault: &Vault,
    (merchant, actor): (MerchantId, Actor),
    new: &NewMember,
    now: Timestamp,
) -> Result<bool, Error> {
    let fresh = persons::insert_in(connection, &new.person, now).await?;
    let Some(person) = find(connection, &new.person.email).await? else {
        return Err(Error::Inconsistent {
            what: "a person that was there is gone",
        });
    };
    if !insert(connection, merchant, (person, new.role), now).await? {
        return Ok(false);
    }
    let post = if fresh {
        link(connection, person, new.link).await?;
        &new.welcome
    } else {
        &new.notice
    };
    mail::queue(connection, vault, (post.id, "member"), &post.letter, now).await?;
    let deed = Deed {
        actor,
        action: "member.add".to_owned(),
        target: person.to_string(),
        before: None,
        after: Some(digest(connection, merchant, person).await?),
        at: now,
    };
    audit::append(connection, merchant, deed).await?;
    Ok(true)
}

/// Gives a member another role, or none: then it is no member any more.
pub async fn change(
    db: &Database,
    (merchant, actor): (MerchantId, Actor),
    (email, to): (Email, Option<Role>),
    now: Timestamp,
) -> Result<Result<(), NotChanged>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let owners = lock(&mut tx, merchant).await?;
        let Some((person, from)) = role(&mut tx, merchant, &email).await? else {
            return Ok(Err(NotChanged::Unknown));
        };
        if let Err(LastOwner) = team::changed(owners, from, to) {
            return Ok(Err(NotChanged::LastOwner));
        }
        let before = digest(&mut tx, merchant, person).await?;
        let after = store(&mut tx, merchant, (person, to)).await?;
        let deed = Deed {
            actor,
            action: if to.is_some() {
                "member.update"
            } else {
                "member.remove"
            }
            .to_owned(),
            target: person.to_string(),
            before: Some(before),
            after,
            at: now,
        };
        audit::append(&mut tx, merchant, deed).await?;
        commit(tx).await?;
        Ok(Ok(()))
    })
    .await
}

/// How many owners a merchant has; nobody else changes that until the end of the transaction.
async fn lock(connection: &mut PgConnection, merchant: MerchantId) -> Result<u64, Error> {
    sqlx::query("SELECT merchant_id FROM merchants WHERE merchant_id = $1 FOR NO KEY UPDATE")
        .bind(merchant.uuid())
        .fetch_one(&mut *connection)
        .await?;
    let owners: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM members WHERE merchant_id = $1 AND role = 'OWNER'",
    )
    .bind(merchant.uuid())
    .fetch_one(connection)
    .await?;
    Ok(owners.unsigned_abs())
}

async fn role(
    connection: &mut PgConnection,
    merchant: MerchantId,
    email: &Email,
) -> Result<Option<(PersonId, Role)>, Error> {
    let row: Option<(Uuid, String)> = sqlx::query_as(
        "SELECT m.person_id, m.role FROM members AS m
         JOIN persons AS p ON p.person_id = m.person_id
         WHERE m.merchant_id = $1 AND p.email = $2",
    )
    .bind(merchant.uuid())
    .bind(email.as_str())
    .fetch_optional(connection)
    .await?;
    let member = row.map(|(person, role)| {
        let role = named(Role::parse(&role), "members.role")?;
        Ok((PersonId::from_uuid(person), role))
    });
    member.transpose()
}

async fn find(connection: &mut PgConnection, email: &Email) -> Result<Option<PersonId>, Error> {
    let found: Option<Uuid> = sqlx::query_scalar("SELECT person_id FROM persons WHERE email = $1")
        .bind(email.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(found.map(PersonId::from_uuid))
}

async fn insert(
    connection: &mut PgConnection,
    merchant: MerchantId,
    (person, role): (PersonId, Role),
    now: Timestamp,
) -> Result<bool, Error> {
    let inserted = sqlx::query(
        "INSERT INTO members (merchant_id, person_id, role, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT ON CONSTRAINT members_pkey DO NOTHING",
    )
    .bind(merchant.uuid())
    .bind(person.uuid())
    .bind(role.name())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// A member's digest after the change; none if it is no member any more.
async fn store(
    connection: &mut PgConnection,
    merchant: MerchantId,
    (person, to): (PersonId, Option<Role>),
) -> Result<Option<Digest>, Error> {
    let Some(to) = to else {
        let removed = sqlx::query("DELETE FROM members WHERE merchant_id = $1 AND person_id = $2")
            .bind(merchant.uuid())
            .bind(person.uuid())
            .execute(connection)
            .await?;
        exactly_one(&removed, "a member")?;
        return Ok(None);
    };
    let changed =
        sqlx::query("UPDATE members SET role = $3 WHERE merchant_id = $1 AND person_id = $2")
            .bind(merchant.uuid())
            .bind(person.uuid())
            .bind(to.name())
            .execute(&mut *connection)
            .await?;
    exactly_one(&changed, "a member")?;
    digest(connection, merchant, person).await.map(Some)
}

/// Lets a person without a password set one.
async fn link(
    connection: &mut PgConnection,
    person: PersonId,
    (digest, expires_at): ([u8; 32], Timestamp),
) -> Result<(), Error> {
    sqlx::query("INSERT INTO password_resets (digest, person_id, expires_at) VALUES ($1, $2, $3)")
        .bind(&digest[..])
        .bind(person.uuid())
        .bind(expires_at)
        .execute(connection)
        .await?;
    Ok(())
}

async fn digest(
    connection: &mut PgConnection,
    merchant: MerchantId,
    person: PersonId,
) -> Result<Digest, Error> {
    let sum: Vec<u8> = sqlx::query_scalar(
        "SELECT sha256(convert_to(to_jsonb(m)::text, 'UTF8'))
         FROM members AS m WHERE m.merchant_id = $1 AND m.person_id = $2",
    )
    .bind(merchant.uuid())
    .bind(person.uuid())
    .fetch_one(connection)
    .await?;
    audit::digest(sum)
}

#[derive(sqlx::FromRow)]
struct Row {
    person_id: Uuid,
    email: String,
    name: String,
    role: String,
    created_at: Timestamp,
}

impl TryFrom<Row> for Member {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            person: PersonId::from_uuid(row.person_id),
            email: row.email,
            name: row.name,
            role: named(Role::parse(&row.role), "members.role")?,
            created_at: row.created_at,
        })
    }
}
