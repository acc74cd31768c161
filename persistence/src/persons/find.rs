//! Persons, what they may do for merchants, and whose resellers they are.

use engine::{
    fulfillments::Email,
    ids::{MerchantId, PersonId, RelationshipId},
    persons::Role,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Credentials, Membership, Own, Person,
    rows::{Row, select_person},
};
use crate::{Database, Error, owned};

/// What a sign-in under this address is checked against.
pub async fn credentials(db: &Database, email: &Email) -> Result<Option<Credentials>, Error> {
    let (db, email) = (db.clone(), email.clone());
    owned(async move {
        let row: Option<Row> = sqlx::query_as(select_person!("WHERE p.email = $1"))
            .bind(email.as_str())
            .fetch_optional(&mut *db.read().await?)
            .await?;
        row.map(Credentials::try_from).transpose()
    })
    .await
}

/// A person with what is checked against, by id.
pub async fn find(db: &Database, id: PersonId) -> Result<Option<Credentials>, Error> {
    let db = db.clone();
    owned(async move {
        let row: Option<Row> = sqlx::query_as(select_person!("WHERE p.person_id = $1"))
            .bind(id.uuid())
            .fetch_optional(&mut *db.read().await?)
            .await?;
        row.map(Credentials::try_from).transpose()
    })
    .await
}

/// The person's row, locked until the transaction ends.
pub(super) async fn lock(
    connection: &mut PgConnection,
    id: PersonId,
) -> Result<Option<Credentials>, Error> {
    let row: Option<Row> = sqlx::query_as(select_person!("WHERE p.person_id = $1 FOR UPDATE"))
        .bind(id.uuid())
        .fetch_optional(connection)
        .await?;
    row.map(Credentials::try_from).transpose()
}

/// The merchants a person acts for, by name.
pub async fn memberships(db: &Database, person: PersonId) -> Result<Vec<Membership>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<MemberRow> = sqlx::query_as(
            "SELECT m.merchant_id, o.name, m.role FROM members AS m
             JOIN merchants AS o ON o.merchant_id = m.merchant_id
             WHERE m.person_id = $1 ORDER BY o.name, m.merchant_id",
        )
        .bind(person.uuid())
        .fetch_all(&mut *db.read().await?)
        .await?;
        rows.into_iter().map(Membership::try_from).collect()
    })
    .await
}

/// What a person is for one merchant.
pub async fn membership(
    db: &Database,
    person: PersonId,
    merchant: MerchantId,
) -> Result<Option<Membership>, Error> {
    let db = db.clone();
    owned(async move {
        let row: Option<MemberRow> = sqlx::query_as(
            "SELECT m.merchant_id, o.name, m.role FROM members AS m
             JOIN merchants AS o ON o.merchant_id = m.merchant_id
             WHERE m.person_id = $1 AND m.merchant_id = $2",
        )
        .bind(person.uuid())
        .bind(merchant.uuid())
        .fetch_optional(&mut *db.read().await?)
        .await?;
        row.map(Membership::try_from).transpose()
    })
    .await
}

/// How many relationships a person has, whatever their status.
pub async fn relationships_count(db: &Database, person: PersonId) -> Result<u64, Error> {
    let db = db.clone();
    owned(async move {
        let count: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM relationships WHERE person_id = $1")
                .bind(person.uuid())
                .fetch_one(&mut *db.read().await?)
                .await?;
        Ok(count.unsigned_abs())
    })
    .await
}

/// This relationship, if it is one of this person's.
pub async fn relationship_of(
    db: &Database,
    person: PersonId,
    relationship: RelationshipId,
) -> Result<Option<Own>, Error> {
    let db = db.clone();
    owned(async move {
        let merchant: Option<Uuid> = sqlx::query_scalar(
            "SELECT merchant_id FROM relationships WHERE person_id = $1 AND relationship_id = $2",
        )
        .bind(person.uuid())
        .bind(relationship.uuid())
        .fetch_optional(&mut *db.read().await?)
        .await?;
        Ok(merchant.map(|merchant| Own {
            merchant: MerchantId::from_uuid(merchant),
            relationship,
        }))
    })
    .await
}

#[derive(sqlx::FromRow)]
struct MemberRow {
    merchant_id: Uuid,
    name: String,
    role: String,
}

impl TryFrom<MemberRow> for Membership {
    type Error = Error;

    fn try_from(row: MemberRow) -> Result<Self, Error> {
        Ok(Self {
            merchant: MerchantId::from_uuid(row.merchant_id),
            name: row.name,
            role: Role::parse(&row.role).ok_or(Error::Inconsistent {
                what: "members.role",
            })?,
        })
    }
}

impl From<Credentials> for Person {
    fn from(credentials: Credentials) -> Self {
        credentials.person
    }
}
