//! Sides whose turn it is to be mailed about something: everything of one kind together, once.
//!
//! Keeps: what waits is taken away by the transaction that queues its mails, and a side is mailed about one
//! thing no more often than [`GATHER`] says, whoever looks and however much happens.

use std::collections::HashSet;

use engine::{
    clock::Timestamp,
    events::Fact,
    ids::{MerchantId, RelationshipId},
    notifications::{GATHER, Group, NAMED_MAX, Whom},
    vault::Vault,
};
use serde::Deserialize as _;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{
    about::{self, About},
    settings,
};
use crate::{
    Database, Error,
    database::commit,
    mail::{self, Post},
    owned,
    relationships::rows::named,
};

/// What one side is to be mailed about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// None: the merchant.
    pub relationship: Option<RelationshipId>,
    pub merchant_name: String,
    pub topic: Group,
    /// Each once, in the order in which they happened.
    pub about: Vec<About>,
    /// Facts besides those.
    pub more: u64,
    /// Whom to mail, copies among them; nobody if its side does not want it.
    pub recipients: Vec<String>,
    side: Uuid,
    last: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    side_id: Uuid,
    merchant_id: Uuid,
    relationship_id: Option<Uuid>,
    topic: String,
    causes: i64,
    last: i64,
    merchant_name: String,
}

/// At most so many turns, those that wait longest first.
pub async fn due(db: &Database, limit: u32, now: Timestamp) -> Result<Vec<Turn>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.behind().await?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT c.side_id, c.merchant_id, c.relationship_id, c.topic, COUNT(*) AS causes,
               MAX(c.cause_id) AS last, m.name AS merchant_name
             FROM mail_causes AS c
             JOIN merchants AS m ON m.merchant_id = c.merchant_id
             WHERE NOT EXISTS (SELECT FROM mail_turns AS t
               WHERE t.side_id = c.side_id AND t.topic = c.topic AND t.mailed_at > $1)
             GROUP BY c.side_id, c.merchant_id, c.relationship_id, c.topic, m.name
             ORDER BY MIN(c.cause_id) LIMIT $2",
        )
        .bind(now - GATHER)
        .bind(i64::from(limit))
        .fetch_all(&mut *connection)
        .await?;
        let mut turns = Vec::with_capacity(rows.len());
        for row in rows {
            turns.push(turn(&mut connection, row).await?);
        }
        Ok(turns)
    })
    .await
}

async fn turn(connection: &mut PgConnection, row: Row) -> Result<Turn, Error> {
    let whom = match row.relationship_id {
        Some(_) => Whom::Reseller,
        None => Whom::Merchant,
    };
    let topic = named(Group::parse(&row.topic), "mail_causes.topic")?;
    let facts: Vec<Json<serde_json::Value>> = sqlx::query_scalar(
        "SELECT fact FROM mail_causes WHERE side_id = $1 AND topic = $2 AND cause_id <= $3
         ORDER BY cause_id LIMIT $4",
    )
    .bind(row.side_id)
    .bind(&row.topic)
    .bind(row.last)
    .bind(i64::from(NAMED_MAX))
    .fetch_all(&mut *connection)
    .await?;
    let more = row.causes.unsigned_abs().saturating_sub(facts.len() as u64);
    let (mut seen, mut said) = (HashSet::new(), Vec::new());
    for Json(fact) in facts {
        // One of a newer version that ran before, or runs beside this, says nothing here.
        let Ok(fact) = Fact::deserialize(fact) else {
            continue;
        };
        if let Some(about) = about::read(connection, whom, &fact).await?
            && seen.insert(about.clone())
        {
            said.push(about);
        }
    }
    Ok(Turn {
        relationship: row.relationship_id.map(RelationshipId::from_uuid),
        merchant_name: row.merchant_name,
        topic,
        about: said,
        more,
        recipients: recipients(connection, (row.merchant_id, row.relationship_id), topic).await?,
        side: row.side_id,
        last: row.last,
    })
}

async fn recipients(
    connection: &mut PgConnection,
    (merchant, relationship): (Uuid, Option<Uuid>),
    topic: Group,
) -> Result<Vec<String>, Error> {
    let (settings, to): (_, Vec<String>) = match relationship {
        None => {
            let owners = sqlx::query_scalar(
                "SELECT p.email FROM members AS o JOIN persons AS p ON p.person_id = o.person_id
                 WHERE o.merchant_id = $1 AND o.role = 'OWNER' ORDER BY p.email",
            )
            .bind(merchant)
            .fetch_all(&mut *connection)
            .await?;
            let merchant = MerchantId::from_uuid(merchant);
            (settings::of_merchant(connection, merchant).await?, owners)
        }
        Some(relationship) => {
            let reseller = sqlx::query_scalar(
                "SELECT COALESCE(p.email, r.email) FROM relationships AS r
                 LEFT JOIN persons AS p ON p.person_id = r.person_id
                 WHERE r.relationship_id = $1",
            )
            .bind(relationship)
            .fetch_all(&mut *connection)
            .await?;
            let relationship = RelationshipId::from_uuid(relationship);
            (settings::find_in(connection, relationship).await?, reseller)
        }
    };
    Ok(settings.sent_to(topic, to))
}

/// Queues the mails of a turn, none if there is nothing to say, and takes away what it was about; false if
/// somebody else did.
pub async fn end(
    db: &Database,
    vault: &Vault,
    turn: Turn,
    posts: Vec<Post>,
    now: Timestamp,
) -> Result<bool, Error> {
    let (db, vault) = (db.clone(), vault.clone());
    owned(async move {
        let mut tx = db.begin_behind().await?;
        if !posts.is_empty() && !take(&mut tx, &turn, now).await? {
            return Ok(false);
        }
        let taken = sqlx::query(
            "DELETE FROM mail_causes WHERE side_id = $1 AND topic = $2 AND cause_id <= $3",
        )
        .bind(turn.side)
        .bind(turn.topic.name())
        .bind(turn.last)
        .execute(&mut *tx)
        .await?;
        if taken.rows_affected() == 0 {
            return Ok(false);
        }
        for post in &posts {
            mail::queue(&mut tx, &vault, (post.id, "news"), &post.letter, now).await?;
        }
        commit(tx).await?;
        Ok(true)
    })
    .await
}

/// Notes that the side is mailed now; false if it was just mailed.
async fn take(connection: &mut PgConnection, turn: &Turn, now: Timestamp) -> Result<bool, Error> {
    let taken = sqlx::query(
        "INSERT INTO mail_turns AS t (side_id, topic, mailed_at) VALUES ($1, $2, $3)
         ON CONFLICT ON CONSTRAINT mail_turns_pkey
           DO UPDATE SET mailed_at = EXCLUDED.mailed_at WHERE t.mailed_at <= $4",
    )
    .bind(turn.side)
    .bind(turn.topic.name())
    .bind(now)
    .bind(now - GATHER)
    .execute(connection)
    .await?;
    Ok(taken.rows_affected() == 1)
}
