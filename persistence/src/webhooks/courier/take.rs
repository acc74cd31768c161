//! What is to be sent to a leased webhook: what is due again, then what is new in its feed.
//!
//! Keeps: the mark moves in the transaction that stores the deliveries up to it, so an event is neither
//! left out nor stored twice. Only as much is taken as is sent at once: all else waits in the feed.

use engine::{
    clock::Timestamp,
    ids::{DeliveryId, EventId, RelationshipId, WebhookId},
    random::Random,
    webhooks::WAITING_MAX,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::claim::Leased;
use crate::{
    Database, Error,
    error::exactly_one,
    events::{
        list::{Event, Numbered, find, page},
        number::number,
    },
    owned,
};

/// Events that are looked at for those that a webhook wants.
const LOOKED_AT_MAX: u32 = 200;

/// What is to be sent together.
#[derive(Debug, Clone, Default)]
pub struct Round {
    pub attempts: Vec<Attempt>,
    /// Whether the webhook came forward in its feed.
    pub moved: bool,
}

/// One delivery that is to be tried.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub delivery: DeliveryId,
    pub event: EventId,
    /// How often it was tried before.
    pub attempts: u32,
    pub content: Content,
}

/// What is sent.
#[derive(Debug, Clone)]
pub enum Content {
    Event(Box<Event>),
    /// Somebody asked for it, at this time.
    Trial(Timestamp),
    /// It is not in the feed any more.
    Gone,
}

/// Takes what is to be sent now; none if the lease is over.
pub async fn take(
    db: &Database,
    leased: &Leased,
    random: &dyn Random,
    now: Timestamp,
) -> Result<Option<Round>, Error> {
    let (db, leased) = (db.clone(), leased.clone());
    let room = leased.health.at_once();
    let fresh: Vec<_> = (0..room)
        .map(|_| DeliveryId::generate(now, random))
        .collect();
    owned(async move {
        let mut tx = db.begin_behind().await?;
        let Some(mark) = mark(&mut tx, &leased).await? else {
            return Ok(None);
        };
        number(&mut tx, [&leased.side.feed()], now).await?;
        let feed = find(&mut tx, leased.side.feed()).await?;
        let mut attempts = due(&mut tx, &leased, room, now).await?;
        for attempt in &mut attempts {
            attempt.read(&mut tx, feed.map(|(id, _)| id)).await?;
        }
        let mut attempts: Vec<_> = attempts.into_iter().map(Due::attempt).collect();
        let mut moved = false;
        if let Some((feed, end)) = feed.filter(|(_, end)| *end > mark)
            && attempts.len() < room as usize
            && !is_full(&mut tx, leased.webhook).await?
        {
            let ids = fresh.into_iter().skip(attempts.len()).collect();
            let new = gather(&mut tx, &leased, (feed, mark, end), ids, now).await?;
            attempts.extend(new);
            moved = true;
        }
        tx.commit().await?;
        Ok(Some(Round { attempts, moved }))
    })
    .await
}

/// How far the webhook is in its feed, if the lease is still this one.
async fn mark(connection: &mut PgConnection, leased: &Leased) -> Result<Option<i64>, Error> {
    Ok(sqlx::query_scalar(
        "SELECT told_seq FROM webhooks
         WHERE webhook_id = $1 AND lease = $2 AND status = 'ACTIVE' FOR UPDATE",
    )
    .bind(leased.webhook.uuid())
    .bind(leased.lease)
    .fetch_optional(connection)
    .await?)
}

#[derive(sqlx::FromRow)]
struct DueRow {
    delivery_id: Uuid,
    event_id: Uuid,
    seq: Option<i64>,
    attempts: i32,
    created_at: Timestamp,
}

/// A delivery whose content is still to be read, if it has a number.
struct Due {
    seq: Option<i64>,
    attempt: Attempt,
}

async fn due(
    connection: &mut PgConnection,
    leased: &Leased,
    limit: u32,
    now: Timestamp,
) -> Result<Vec<Due>, Error> {
    let rows: Vec<DueRow> = sqlx::query_as(
        "SELECT delivery_id, event_id, seq, attempts, created_at FROM webhook_deliveries
         WHERE webhook_id = $1 AND due_at IS NOT NULL AND due_at <= $2 ORDER BY due_at LIMIT $3",
    )
    .bind(leased.webhook.uuid())
    .bind(now)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    let due = rows.into_iter().map(|row| {
        Ok(Due {
            seq: row.seq,
            attempt: Attempt {
                delivery: DeliveryId::from_uuid(row.delivery_id),
                event: EventId::from_uuid(row.event_id),
                attempts: u32::try_from(row.attempts).map_err(|_| Error::Inconsistent {
                    what: "webhook_deliveries.attempts",
                })?,
                content: match row.seq {
                    Some(_) => Content::Gone,
                    None => Content::Trial(row.created_at),
                },
            },
        })
    });
    due.collect()
}

impl Due {
    /// Reads the event from the feed, where it is for ninety days.
    async fn read(
        &mut self,
        connection: &mut PgConnection,
        feed: Option<i64>,
    ) -> Result<(), Error> {
        if let Some((feed, seq)) = feed.zip(self.seq) {
            let found = page(connection, feed, seq - 1, 1).await?;
            let mut found = found.into_iter().filter(|one| one.seq == seq);
            if let Some(event) = found.find_map(|one| one.event) {
                self.attempt.content = Content::Event(Box::new(event));
            }
        }
        Ok(())
    }

    fn attempt(self) -> Attempt {
        self.attempt
    }
}

/// Whether so many wait to be repeated that nothing new is taken.
async fn is_full(connection: &mut PgConnection, webhook: WebhookId) -> Result<bool, Error> {
    let waiting: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM (
           SELECT FROM webhook_deliveries WHERE webhook_id = $1 AND due_at IS NOT NULL LIMIT $2)
         AS waiting",
    )
    .bind(webhook.uuid())
    .bind(i64::from(WAITING_MAX))
    .fetch_one(connection)
    .await?;
    Ok(waiting >= i64::from(WAITING_MAX))
}

/// Stores a delivery for each of the next events that the webhook wants, one per id, and moves its mark.
async fn gather(
    connection: &mut PgConnection,
    leased: &Leased,
    (feed, mark, end): (i64, i64, i64),
    ids: Vec<DeliveryId>,
    now: Timestamp,
) -> Result<Vec<Attempt>, Error> {
    let events = page(connection, feed, mark, LOOKED_AT_MAX).await?;
    // Numbers without events: they are older than the feed remembers.
    let mut reached = events.first().map_or(end, |_| mark);
    let (mut ids, mut taken) = (ids.into_iter(), Vec::new());
    for Numbered { seq, event } in events {
        let Some(event) = event.filter(|event| leased.wanted.wants(event.kind())) else {
            reached = seq;
            continue;
        };
        let Some(delivery) = ids.next() else {
            break;
        };
        reached = seq;
        store(connection, leased, delivery, &event, now).await?;
        taken.push(Attempt {
            delivery,
            event: event.id,
            attempts: 0,
            content: Content::Event(Box::new(event)),
        });
    }
    let moved = sqlx::query("UPDATE webhooks SET told_seq = $2 WHERE webhook_id = $1")
        .bind(leased.webhook.uuid())
        .bind(reached)
        .execute(connection)
        .await?;
    exactly_one(&moved, "the mark of a webhook")?;
    Ok(taken)
}

async fn store(
    connection: &mut PgConnection,
    leased: &Leased,
    delivery: DeliveryId,
    event: &Event,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO webhook_deliveries (delivery_id, webhook_id, merchant_id, relationship_id,
           event_id, event, seq, status, due_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'PENDING', $8, $8, $8)",
    )
    .bind(delivery.uuid())
    .bind(leased.webhook.uuid())
    .bind(leased.side.merchant.uuid())
    .bind(leased.side.relationship.map(RelationshipId::uuid))
    .bind(event.id.uuid())
    .bind(event.kind().name())
    .bind(event.seq)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
