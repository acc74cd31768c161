//! Sessions of people who signed in.
//!
//! Keeps: only a digest of what the browser has is stored; a session is opened by the password and the
//! codes that were checked, or not at all if they were changed meanwhile.

use std::net::IpAddr;

use chrono::TimeDelta;
use engine::{
    audit::{Actor, ActorKind, Deed},
    clock::Timestamp,
    ids::{MerchantId, PersonId, SessionId},
    persons::{AGE_MAX_HOURS, IDLE_MINUTES_MAX, SessionTimes},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Database, Error, audit,
    database::{commit, in_time},
    error::at_most_one,
    owned,
    persons::{Credentials, PersonRow, select_person},
    relationships::rows::kept,
};

/// Ended sessions that one sign-in takes away.
const SWEPT: i64 = 100;
/// Sessions of one person; the ones that were used longest ago end.
const OPEN_MAX: i64 = 50;

/// A session that is to be opened.
#[derive(Debug, Clone)]
pub struct NewSession {
    pub id: SessionId,
    pub digest: [u8; 32],
    pub address: String,
    pub agent: String,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub person: PersonId,
    pub address: String,
    pub agent: String,
    pub times: SessionTimes,
}

/// Opens a session, if the person's password is still the one that was checked, and forgets failures.
pub async fn open(
    db: &Database,
    person: PersonId,
    checked_hash: &str,
    session: NewSession,
    now: Timestamp,
) -> Result<bool, Error> {
    let (db, checked_hash) = (db.clone(), checked_hash.to_owned());
    owned(async move {
        let mut tx = db.begin().await?;
        let opened = sqlx::query(
            "UPDATE persons SET failures = 0, failures_since = NULL, locked_until = NULL
             WHERE person_id = $1 AND password_hash = $2 AND status = 'ACTIVE'",
        )
        .bind(person.uuid())
        .bind(&checked_hash)
        .execute(&mut *tx)
        .await?;
        if !at_most_one(&opened, "a person who signs in")? {
            return Ok(false);
        }
        open_in(&mut tx, person, &session, now).await?;
        tell_merchants(&mut tx, person, ("session.open", &session.address), now).await?;
        commit(tx).await?;
        Ok(true)
    })
    .await
}

/// Tells every merchant that a person acts for what the person did from this address.
async fn tell_merchants(
    connection: &mut PgConnection,
    person: PersonId,
    (action, address): (&str, &str),
    now: Timestamp,
) -> Result<(), Error> {
    // In one order, because each append locks the end of a chain.
    let merchants: Vec<(Uuid, String)> = sqlx::query_as(
        "SELECT m.merchant_id, p.name FROM members AS m JOIN persons AS p ON p.person_id = m.person_id
         WHERE m.person_id = $1 ORDER BY m.merchant_id",
    )
    .bind(person.uuid())
    .fetch_all(&mut *connection)
    .await?;
    for (merchant, label) in merchants {
        let deed = Deed {
            actor: Actor {
                kind: ActorKind::Person,
                id: Some(person.to_string()),
                label,
                ip: address.parse().ok(),
            },
            action: action.to_owned(),
            target: person.to_string(),
            before: None,
            after: None,
            at: kept(now),
        };
        audit::append(connection, MerchantId::from_uuid(merchant), deed).await?;
    }
    Ok(())
}

/// Notes for the merchants of a person that repeating password or code failed.
pub async fn refuse_step_up(
    db: &Database,
    person: PersonId,
    address: IpAddr,
    now: Timestamp,
) -> Result<(), Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let (action, address) = ("step_up.refuse", address.to_string());
        tell_merchants(&mut tx, person, (action, &address), now).await?;
        commit(tx).await
    })
    .await
}

/// Opens a session in the transaction that made its person.
pub async fn open_in(
    connection: &mut PgConnection,
    person: PersonId,
    session: &NewSession,
    now: Timestamp,
) -> Result<(), Error> {
    sweep(connection, person, now).await?;
    sqlx::query(
        "INSERT INTO sessions
           (session_id, person_id, digest, address, agent, created_at, last_used_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
    )
    .bind(session.id.uuid())
    .bind(person.uuid())
    .bind(&session.digest[..])
    .bind(&session.address)
    .bind(&session.agent)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

async fn sweep(
    connection: &mut PgConnection,
    person: PersonId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM sessions WHERE session_id IN (
           SELECT session_id FROM sessions WHERE last_used_at < $1 OR created_at < $2 LIMIT $3
           FOR UPDATE SKIP LOCKED)",
    )
    .bind(now - TimeDelta::minutes(IDLE_MINUTES_MAX))
    .bind(now - TimeDelta::hours(AGE_MAX_HOURS))
    .bind(SWEPT)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "DELETE FROM sessions WHERE session_id IN (
           SELECT session_id FROM sessions WHERE person_id = $1
           ORDER BY last_used_at DESC OFFSET $2)",
    )
    .bind(person.uuid())
    .bind(OPEN_MAX - 1)
    .execute(connection)
    .await
    .map(drop)
}

/// Those of these digests that sessions have, open or not.
pub async fn existing(db: &Database, digests: &[[u8; 32]]) -> Result<Vec<[u8; 32]>, Error> {
    let db = db.clone();
    let digests: Vec<_> = digests.iter().map(|digest| digest.to_vec()).collect();
    let read = async move {
        let mut connection = db.read().await?;
        let found: Vec<[u8; 32]> =
            sqlx::query_scalar("SELECT digest FROM sessions WHERE digest = ANY($1)")
                .bind(digests)
                .fetch_all(&mut *connection)
                .await?;
        Ok(found)
    };
    owned(in_time(read)).await
}

/// The session with this digest and its person, open or not.
pub async fn find(
    db: &Database,
    digest: [u8; 32],
) -> Result<Option<(Session, Credentials)>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.read().await?;
        let session: Option<Row> = sqlx::query_as(
            "SELECT session_id, person_id, address, agent, created_at, last_used_at, stepped_up_at
             FROM sessions WHERE digest = $1",
        )
        .bind(&digest[..])
        .fetch_optional(&mut *connection)
        .await?;
        let Some(session) = session.map(Session::from) else {
            return Ok(None);
        };
        let person: Option<PersonRow> = sqlx::query_as(select_person!("WHERE p.person_id = $1"))
            .bind(session.person.uuid())
            .fetch_optional(&mut *connection)
            .await?;
        let person = person.map(Credentials::try_from).transpose()?;
        Ok(person.map(|person| (session, person)))
    })
    .await
}

/// Notes that a session is in use.
pub async fn touch(db: &Database, id: SessionId, now: Timestamp) -> Result<(), Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        sqlx::query(
            "UPDATE sessions SET last_used_at = GREATEST(last_used_at, $2) WHERE session_id = $1",
        )
        .bind(id.uuid())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        commit(tx).await
    })
    .await
}

/// Notes that password or code were repeated; from now on the session has another value. False if it
/// ended meanwhile, or had another value already.
pub async fn step_up(
    db: &Database,
    id: SessionId,
    (old, new): ([u8; 32], [u8; 32]),
    now: Timestamp,
) -> Result<bool, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let changed = sqlx::query(
            "UPDATE sessions SET digest = $3, stepped_up_at = $4, last_used_at = $4
             WHERE session_id = $1 AND digest = $2",
        )
        .bind(id.uuid())
        .bind(&old[..])
        .bind(&new[..])
        .bind(now)
        .execute(&mut *tx)
        .await?;
        let stepped = at_most_one(&changed, "a session that is stepped up")?;
        commit(tx).await?;
        Ok(stepped)
    })
    .await
}

/// The open sessions of a person, the one used last first.
pub async fn list(db: &Database, person: PersonId, now: Timestamp) -> Result<Vec<Session>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT session_id, person_id, address, agent, created_at, last_used_at, stepped_up_at
             FROM sessions WHERE person_id = $1 ORDER BY last_used_at DESC, session_id",
        )
        .bind(person.uuid())
        .fetch_all(&mut *db.read().await?)
        .await?;
        let sessions = rows.into_iter().map(Session::from);
        Ok(sessions.filter(|one| one.times.is_open(now)).collect())
    })
    .await
}

/// Ends one session of a person; false if it has no such session.
pub async fn end(db: &Database, person: PersonId, id: SessionId) -> Result<bool, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let ended = sqlx::query("DELETE FROM sessions WHERE person_id = $1 AND session_id = $2")
            .bind(person.uuid())
            .bind(id.uuid())
            .execute(&mut *tx)
            .await?;
        let ended = at_most_one(&ended, "a session that ends")?;
        commit(tx).await?;
        Ok(ended)
    })
    .await
}

/// Ends all sessions of a person but this one.
pub async fn end_others(db: &Database, person: PersonId, kept: SessionId) -> Result<(), Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        sqlx::query("DELETE FROM sessions WHERE person_id = $1 AND session_id <> $2")
            .bind(person.uuid())
            .bind(kept.uuid())
            .execute(&mut *tx)
            .await?;
        commit(tx).await
    })
    .await
}

#[derive(sqlx::FromRow)]
struct Row {
    session_id: Uuid,
    person_id: Uuid,
    address: String,
    agent: String,
    created_at: Timestamp,
    last_used_at: Timestamp,
    stepped_up_at: Option<Timestamp>,
}

impl From<Row> for Session {
    fn from(row: Row) -> Self {
        Self {
            id: SessionId::from_uuid(row.session_id),
            person: PersonId::from_uuid(row.person_id),
            address: row.address,
            agent: row.agent,
            times: SessionTimes {
                created_at: row.created_at,
                last_used_at: row.last_used_at,
                stepped_up_at: row.stepped_up_at,
            },
        }
    }
}
