//! The events of one feed, in the order of their numbers.
//!
//! Keeps: a page never leaves its feed. Entries are read from the ledger, so an event says what the
//! ledger says; serials are not read at all.

use std::collections::HashMap;

use engine::{
    balances::EntryKind,
    catalog::Sku,
    clock::Timestamp,
    events::{Fact, Feed, Kind},
    fulfillments::Channel,
    ids::{EntryId, EventId, FulfillmentId, ProductId, RelationshipId, VariantId},
    money::Money,
};
use serde::Deserialize as _;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::number::catch_up;
use crate::{
    Database, Error,
    fulfillments::rows::{channel_from_number, money},
    owned,
};

/// One event of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub id: EventId,
    pub seq: i64,
    /// When it happened.
    pub at: Timestamp,
    pub subject: Subject,
}

/// What an event tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    Entry(Entry),
    Fact(Fact),
}

/// An entry of a ledger, without serials and the customer's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub id: EntryId,
    pub relationship: RelationshipId,
    pub kind: EntryKind,
    /// The external order id of a fulfillment, else the payment's id or the caller's reference.
    pub reference: String,
    /// Negative for a debit.
    pub amount: Money,
    pub balance_after: Money,
    pub channel: Option<Channel>,
    pub description: Option<String>,
    /// The fulfillment that a refund paid back.
    pub refunded: Option<FulfillmentId>,
    /// Of a fulfillment only.
    pub lines: Vec<Line>,
}

/// What was delivered of one sku.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub sku: Sku,
    pub quantity: u32,
    pub unit_price: Money,
}

impl Event {
    pub const fn kind(&self) -> Kind {
        match &self.subject {
            Subject::Entry(entry) => Kind::of_entry(entry.kind),
            Subject::Fact(fact) => fact.kind(),
        }
    }
}

/// What a reader gets: events in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub events: Vec<Event>,
    /// The number to go on after: of the last event that was looked at, told or not.
    pub next_after: i64,
    pub has_more: bool,
}

/// At most so many events above a number, up to what was committed. With `kinds` only those are told, and the
/// others are passed over.
pub async fn list(
    db: &Database,
    feed: Feed,
    (after, limit): (i64, u32),
    kinds: Option<Vec<Kind>>,
    now: Timestamp,
) -> Result<Told, Error> {
    /// Pages that are passed over in one call, so that a rare kind costs no endless search.
    const PAGES_MAX: u32 = 10;
    let db = db.clone();
    owned(async move {
        catch_up(&db, feed, now).await?;
        let mut connection = db.scoped(feed.into()).await?;
        let mut told = Told {
            events: Vec::new(),
            next_after: after,
            has_more: false,
        };
        let Some((id, end)) = find(&mut connection, feed).await? else {
            return Ok(told);
        };
        for _ in 0..PAGES_MAX {
            let found = page(&mut connection, id, told.next_after, limit).await?;
            for Numbered { seq, event } in found {
                if told.events.len() == limit as usize {
                    break;
                }
                told.next_after = seq;
                let wanted = |event: &Event| {
                    let kinds = kinds.as_ref();
                    kinds.is_none_or(|kinds| kinds.contains(&event.kind()))
                };
                told.events.extend(event.filter(wanted));
            }
            told.has_more = told.next_after < end;
            let full = told.events.len() == limit as usize;
            let heard = kinds.is_none() && !told.events.is_empty();
            if full || !told.has_more || heard {
                break;
            }
        }
        Ok(told)
    })
    .await
}

pub(crate) async fn find(
    connection: &mut PgConnection,
    feed: Feed,
) -> Result<Option<(i64, i64)>, Error> {
    Ok(sqlx::query_as(
        "SELECT feed_id, seq FROM event_feeds
         WHERE merchant_id = $1 AND relationship_id IS NOT DISTINCT FROM $2 AND test = $3",
    )
    .bind(feed.merchant.uuid())
    .bind(feed.relationship.map(RelationshipId::uuid))
    .bind(feed.test)
    .fetch_optional(connection)
    .await?)
}

/// What has a number in a feed. A fact that only a newer version knows, which ran before or runs beside this
/// one, is passed over: its number stays free.
pub(crate) struct Numbered {
    pub(crate) seq: i64,
    pub(crate) event: Option<Event>,
}

pub(crate) async fn page(
    connection: &mut PgConnection,
    feed: i64,
    after: i64,
    limit: u32,
) -> Result<Vec<Numbered>, Error> {
    let rows: Vec<Row> = sqlx::query_as(include_str!("list.sql"))
        .bind(feed)
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&mut *connection)
        .await?;
    let mut lines = lines(connection, &rows).await?;
    let numbered = rows.into_iter().map(|row| {
        Ok(Numbered {
            seq: row.seq,
            event: row.event(&mut lines)?,
        })
    });
    numbered.collect()
}

type Lines = HashMap<(i64, i64), Vec<Line>>;

#[derive(sqlx::FromRow)]
struct LineRow {
    balance_id: i64,
    version: i64,
    unit_price: i64,
    quantity: i64,
    product_id: Uuid,
    variant_id: Option<Uuid>,
}

async fn lines(connection: &mut PgConnection, rows: &[Row]) -> Result<Lines, Error> {
    let delivered = rows
        .iter()
        .filter(|row| row.kind == Some(EntryKind::Fulfillment.number()));
    let (balances, versions): (Vec<_>, Vec<_>) =
        delivered.map(|row| (row.balance_id, row.version)).unzip();
    if balances.is_empty() {
        return Ok(Lines::new());
    }
    let found: Vec<LineRow> = sqlx::query_as(include_str!("lines.sql"))
        .bind(balances)
        .bind(versions)
        .fetch_all(connection)
        .await?;
    let mut lines = Lines::new();
    for row in found {
        let line = Line {
            sku: Sku {
                product: ProductId::from_uuid(row.product_id),
                variant: row.variant_id.map(VariantId::from_uuid),
            },
            quantity: u32::try_from(row.quantity).map_err(|_| Error::Inconsistent {
                what: "the quantity of a line",
            })?,
            unit_price: money(row.unit_price)?,
        };
        lines
            .entry((row.balance_id, row.version))
            .or_default()
            .push(line);
    }
    Ok(lines)
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    balance_id: Option<i64>,
    version: Option<i64>,
    event_id: Option<Uuid>,
    fact: Option<Json<serde_json::Value>>,
    occurred_at: Option<Timestamp>,
    entry_id: Option<Uuid>,
    kind: Option<i16>,
    channel: Option<i16>,
    amount: Option<i64>,
    balance_after: Option<i64>,
    reference: Option<String>,
    description: Option<String>,
    refunded_id: Option<Uuid>,
    relationship_id: Option<Uuid>,
}

const LOST: Error = Error::Inconsistent {
    what: "an event tells of an entry that is not there",
};

impl Row {
    /// None of a fact that this version does not know.
    fn event(self, lines: &mut Lines) -> Result<Option<Event>, Error> {
        let (seq, at) = (self.seq, self.occurred_at.ok_or(LOST)?);
        if let (Some(id), Some(Json(fact))) = (self.event_id, self.fact) {
            let fact = Fact::deserialize(fact).ok();
            return Ok(fact.map(|fact| Event {
                id: EventId::from_uuid(id),
                seq,
                at,
                subject: Subject::Fact(fact),
            }));
        }
        let id = EntryId::from_uuid(self.entry_id.ok_or(LOST)?);
        let place = self.balance_id.zip(self.version).ok_or(LOST)?;
        let kind = self.kind.and_then(EntryKind::from_number);
        let channel = self.channel.and_then(channel_from_number);
        let entry = Entry {
            id,
            relationship: RelationshipId::from_uuid(self.relationship_id.ok_or(LOST)?),
            kind: kind.ok_or(Error::Inconsistent {
                what: "the kind of an entry is not known",
            })?,
            reference: self.reference.ok_or(LOST)?,
            amount: money(self.amount.ok_or(LOST)?)?,
            balance_after: money(self.balance_after.ok_or(LOST)?)?,
            channel,
            description: self.description,
            refunded: self.refunded_id.map(FulfillmentId::from_uuid),
            lines: lines.remove(&place).unwrap_or_default(),
        };
        Ok(Some(Event {
            id: id.event(),
            seq,
            at,
            subject: Subject::Entry(entry),
        }))
    }
}
