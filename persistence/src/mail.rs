//! The outbox: mails are stored in the transaction of what they tell, and sent afterwards.
//!
//! Keeps: a mail leaves only if its cause was committed, and then until it was handed to the mail
//! server or given up after a day; what it says is sealed, and gone once it was sent. A process that
//! ends between sending and noting it sends the mail twice, under one message id.

use chrono::TimeDelta;
use engine::{
    clock::Timestamp,
    ids::MailId,
    vault::{Sealed, Vault},
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Database, Error, error::exactly_one, owned};

/// After this many attempts, which take about a day, a mail is given up.
pub const ATTEMPTS_MAX: u32 = 30;
/// Longest wait between two attempts.
const WAIT_MINUTES_MAX: i64 = 60;
/// How long it is known that a mail was sent.
const KEPT_DAYS: i64 = 30;
/// Old mails that one claim takes away.
const SWEPT: i64 = 100;

/// What is to be sent. It has no text form: it may hold a link that opens something.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    pub to: String,
    pub subject: String,
    /// Plain text, lines ended by `\n`.
    pub text: String,
}

/// A mail that is to be queued with what it tells.
pub struct Post {
    pub id: MailId,
    pub letter: Letter,
}

/// A mail whose turn it is.
pub struct Due {
    pub id: MailId,
    /// What it is about: a word of a closed set.
    pub kind: String,
    pub queued_at: Timestamp,
    /// This attempt's number, from 1.
    pub attempt: u32,
    /// None: what is stored does not open any more.
    pub letter: Option<Letter>,
}

/// Stores a mail in the transaction of its cause. Tell the sender after the commit, or it is sent some
/// seconds later.
pub async fn queue(
    connection: &mut PgConnection,
    vault: &Vault,
    (id, kind): (MailId, &'static str),
    letter: &Letter,
    now: Timestamp,
) -> Result<(), Error> {
    let text = serde_json::to_vec(letter).expect("three texts have a JSON form");
    sqlx::query(
        "INSERT INTO mails (mail_id, kind, letter, queued_at, due_at) VALUES ($1, $2, $3, $4, $4)",
    )
    .bind(id.uuid())
    .bind(kind)
    .bind(vault.seal_mail(id, &text).as_bytes())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes mails whose turn it is. Each comes again after a wait, unless [`sent`] or [`give_up`] ends it.
pub async fn claim(
    db: &Database,
    vault: &Vault,
    limit: u32,
    now: Timestamp,
) -> Result<Vec<Due>, Error> {
    let (db, vault) = (db.clone(), vault.clone());
    owned(async move {
        let mut tx = db.begin().await?;
        sweep(&mut tx, now).await?;
        let rows: Vec<Row> = sqlx::query_as(
            "UPDATE mails SET attempts = attempts + 1,
               due_at = $1 + make_interval(mins => LEAST(1 << LEAST(attempts, 8), $2)::integer)
             WHERE mail_id IN (
               SELECT mail_id FROM mails WHERE letter IS NOT NULL AND due_at <= $1
               ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
             RETURNING mail_id, kind, letter, queued_at, attempts",
        )
        .bind(now)
        .bind(WAIT_MINUTES_MAX)
        .bind(i64::from(limit))
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        rows.into_iter().map(|row| row.open(&vault)).collect()
    })
    .await
}

/// Notes that a mail was handed over, and forgets what it said.
pub async fn sent(db: &Database, id: MailId, now: Timestamp) -> Result<(), Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let ended = sqlx::query("UPDATE mails SET sent_at = $2, letter = NULL WHERE mail_id = $1")
            .bind(id.uuid())
            .bind(now)
            .execute(&mut *tx)
            .await?;
        exactly_one(&ended, "a sent mail")?;
        Ok(tx.commit().await?)
    })
    .await
}

/// Notes that a mail will not be sent, and forgets what it said.
pub async fn give_up(db: &Database, id: MailId, now: Timestamp) -> Result<(), Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        let ended =
            sqlx::query("UPDATE mails SET failed_at = $2, letter = NULL WHERE mail_id = $1")
                .bind(id.uuid())
                .bind(now)
                .execute(&mut *tx)
                .await?;
        exactly_one(&ended, "a mail that was given up")?;
        Ok(tx.commit().await?)
    })
    .await
}

async fn sweep(connection: &mut PgConnection, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM mails WHERE mail_id IN (
           SELECT mail_id FROM mails WHERE letter IS NULL AND queued_at < $1 LIMIT $2
           FOR UPDATE SKIP LOCKED)",
    )
    .bind(now - TimeDelta::days(KEPT_DAYS))
    .bind(SWEPT)
    .execute(connection)
    .await
    .map(drop)
}

#[derive(sqlx::FromRow)]
struct Row {
    mail_id: Uuid,
    kind: String,
    letter: Vec<u8>,
    queued_at: Timestamp,
    attempts: i32,
}

impl Row {
    fn open(self, vault: &Vault) -> Result<Due, Error> {
        let id = MailId::from_uuid(self.mail_id);
        let opened = vault.open_mail(id, &Sealed::from_bytes(self.letter)).ok();
        let attempt = u32::try_from(self.attempts).map_err(|_| Error::Inconsistent {
            what: "mails.attempts",
        })?;
        Ok(Due {
            id,
            kind: self.kind,
            queued_at: self.queued_at,
            attempt,
            letter: opened.and_then(|text| serde_json::from_str(text.expose()).ok()),
        })
    }
}
