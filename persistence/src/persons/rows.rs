//! A row of `persons` and what it becomes.

use engine::{
    clock::Timestamp, fulfillments::Email, ids::PersonId, persons::Attempts, vault::Sealed,
};
use uuid::Uuid;

use super::{Credentials, Person};
use crate::Error;

/// Every column of a person. Takes the rest of the query, which names the person `p`.
macro_rules! select_person {
    ($rest:literal) => {
        concat!(
            "SELECT p.person_id, p.email, p.name, p.locale, p.status, p.password_hash, p.failures,
               p.failures_since, p.locked_until, p.totp_secret, p.totp_confirmed_at, p.created_at,
               p.updated_at
             FROM persons AS p ",
            $rest
        )
    };
}
pub(crate) use select_person;

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    person_id: Uuid,
    email: String,
    name: String,
    locale: String,
    status: String,
    password_hash: String,
    failures: i32,
    failures_since: Option<Timestamp>,
    locked_until: Option<Timestamp>,
    totp_secret: Option<Vec<u8>>,
    totp_confirmed_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<Row> for Credentials {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let inconsistent = |what| Error::Inconsistent { what };
        let email = Email::parse(&row.email).ok_or(inconsistent("persons.email"))?;
        let failures = u32::try_from(row.failures).map_err(|_| inconsistent("persons.failures"))?;
        Ok(Self {
            person: Person {
                id: PersonId::from_uuid(row.person_id),
                email,
                name: row.name,
                locale: row.locale,
                disabled: row.status != "ACTIVE",
                totp: row.totp_confirmed_at.is_some(),
                created_at: row.created_at,
                updated_at: row.updated_at,
            },
            password_hash: row.password_hash,
            attempts: Attempts {
                failures,
                since: row.failures_since,
                locked_until: row.locked_until,
            },
            totp_secret: row.totp_secret.map(Sealed::from_bytes),
        })
    }
}
