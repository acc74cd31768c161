//! From committed batches and the outbox to numbered feeds.
//!
//! Keeps: a fact is in each of its feeds exactly once, whatever ends the process: a step moves its
//! cursors, gives its numbers and notes who is to be mailed in one transaction, under a lock that one
//! dispatcher of the shard has.
//! What a lane has just committed comes from its tail ([`Tails`](crate::journal::Tails)), the rest from its rows.
//! Entries of relationships are numbered here only if they are sent to somebody ([`number`]).
//! A fact comes behind all entries that were before it: while more of them wait in its feeds than one step numbers,
//! it waits too, and what comes after it in any of its feeds, but nobody else's; each step brings it nearer, for
//! entries come slower than steps number.
//! Whoever does not own the shard takes no step. Each step is bounded, and has connections of its own. Of
//! facts that make earlier ones needless only the last of a step is told, so that a product whose price
//! changes all the time floods nobody's feed.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use engine::{
    clock::Timestamp,
    events::{Audience, Fact, Feed},
    ids::{BalanceId, MerchantId, RelationshipId},
    journal::Owner,
};
use serde::Deserialize as _;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::number::{number, number_within};
use crate::{
    Database, Error,
    balances::whose,
    database::commit,
    journal::{Committed, Entry},
    notifications, owned,
};

/// The one shard there is.
const SHARD: i16 = 0;
/// Begins a step, and waits for any other dispatcher.
const LOCK: &str = "BEGIN; SELECT shard FROM event_dispatchers WHERE shard = 0 FOR UPDATE";
/// What one step takes at most.
const BATCHES_MAX: u64 = 4096;
const ENTRIES_MAX: i64 = 65_536;
const FACTS_MAX: i64 = 256;
/// How often one step takes so many, if some of those before wait.
const FACTS_PAGES_MAX: u32 = 8;

/// How much waits to be told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lag {
    pub batches: u64,
    pub facts: u64,
    /// When the oldest fact was stored; none if none waits.
    pub oldest_fact: Option<Timestamp>,
}

impl Lag {
    pub const fn is_none(&self) -> bool {
        self.batches == 0 && self.facts == 0
    }
}

/// Whether lanes of this process have committed what no step has looked at yet.
pub fn has_news(db: &Database) -> bool {
    !db.tails().events.is_empty()
}

/// What waits. Reads only, so that asking costs nothing while nothing happens.
pub async fn lag(db: &Database) -> Result<Lag, Error> {
    let db = db.clone();
    owned(async move {
        let state = state(&mut *db.behind().await?).await?;
        Ok(state.lag())
    })
    .await
}

/// What a step told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The feeds that have something new.
    pub feeds: HashSet<Feed>,
    /// Those of them that a webhook sends.
    pub sent: Vec<Feed>,
    /// What the step found waiting.
    pub found: Lag,
}

/// Tells the next facts, of each lane those of so many of its waiting batches as `portion` says. None if this
/// owner does not own the shard.
pub async fn step(
    db: &Database,
    owner: Owner,
    portion: fn(u64) -> u64,
    now: Timestamp,
) -> Result<Option<Told>, Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin_behind_with(LOCK).await?;
        let state = state(&mut tx).await?;
        if state.owner != Some(owner.0) {
            db.tails().events.clear();
            return Ok(None);
        }
        let mut told = Told {
            found: state.lag(),
            ..Told::default()
        };
        for Json((lane, from, to)) in state.lanes {
            let batches = portion((to - from).unsigned_abs()).min(BATCHES_MAX);
            let through = to.min(from + batches.cast_signed());
            let mut next = db.tails().events.take(lane, from, through);
            if next.is_empty() && through > from {
                next = stored(&mut tx, (lane, from, through)).await?;
            }
            tell_entries(&mut tx, &db, (lane, &next), now, &mut told.feeds).await?;
        }
        if state.heard {
            told.sent = sent(&mut tx, &told.feeds).await?;
            number(&mut tx, &told.sent, now).await?;
        }
        if told.found.facts > 0 {
            tell_facts(&mut tx, now, &mut told.feeds).await?;
            told.sent = sent(&mut tx, &told.feeds).await?;
        }
        commit(tx).await?;
        Ok(Some(told))
    })
    .await
}

/// What there is to do, and who may.
#[derive(sqlx::FromRow)]
struct State {
    owner: Option<Uuid>,
    /// Of each lane the last of its batches that was told, and the last that there is.
    lanes: Vec<Json<(i16, i64, i64)>>,
    facts: i64,
    oldest_fact: Option<Timestamp>,
    /// Whether anything is sent to anybody.
    heard: bool,
}

impl State {
    fn lag(&self) -> Lag {
        let waiting = self.lanes.iter().map(|Json((_, from, to))| to - from);
        Lag {
            batches: waiting.sum::<i64>().unsigned_abs(),
            facts: self.facts.unsigned_abs(),
            oldest_fact: self.oldest_fact,
        }
    }
}

/// What there is to do; for a step read after the lock, or it would be what another dispatcher has done meanwhile.
async fn state(connection: &mut PgConnection) -> Result<State, Error> {
    Ok(sqlx::query_as(include_str!("state.sql"))
        .bind(SHARD)
        .fetch_one(connection)
        .await?)
}

/// The batches of a lane above number `from`, up to `through`, as their rows say: at most as many as have
/// [`ENTRIES_MAX`] entries, unless the first alone has more.
async fn stored(
    connection: &mut PgConnection,
    (lane, from, through): (i16, i64, i64),
) -> Result<Vec<Arc<Committed>>, Error> {
    let rows: Vec<(i64, Vec<i64>, Vec<i64>)> = sqlx::query_as(include_str!("batches.sql"))
        .bind(lane)
        .bind(from)
        .bind(through)
        .bind(ENTRIES_MAX)
        .fetch_all(connection)
        .await?;
    let batch = |(seq, balances, versions): (i64, Vec<i64>, Vec<i64>)| {
        let entry = |(balance, version)| Entry {
            balance: BalanceId(balance),
            version,
            email: None,
        };
        let entries = balances.into_iter().zip(versions).map(entry).collect();
        Arc::new(Committed { seq, entries })
    };
    Ok(rows.into_iter().map(batch).collect())
}

/// Tells the entries of batches that follow one another, and moves their lane's cursor. A feed of a
/// relationship has something new as well: its entries are numbered when somebody listens ([`number`]).
async fn tell_entries(
    connection: &mut PgConnection,
    db: &Database,
    (lane, batches): (i16, &[Arc<Committed>]),
    now: Timestamp,
    feeds: &mut HashSet<Feed>,
) -> Result<(), Error> {
    let Some(through) = batches.last().map(|batch| batch.seq) else {
        return Ok(());
    };
    let told = || batches.iter().flat_map(|batch| &batch.entries);
    let balances = told().map(|entry| entry.balance);
    let whose = whose(db, balances).await?;
    let mut grouped: HashMap<Feed, Vec<(i64, i64)>> = HashMap::new();
    for entry in told() {
        let Some(&feed) = whose.get(&entry.balance) else {
            continue;
        };
        feeds.insert(feed);
        let merchants = Feed {
            relationship: None,
            ..feed
        };
        let group = grouped.entry(merchants).or_default();
        group.push((entry.balance.0, entry.version));
    }
    feeds.extend(grouped.keys());
    let (mut spans, mut entries) = (Vec::new(), Vec::new());
    for (feed, group) in grouped {
        let count = i32::try_from(group.len()).expect("a step is bounded");
        spans.push((feed.merchant.uuid(), feed.test, count));
        entries.extend(group);
    }
    let (balances, versions): (Vec<i64>, Vec<i64>) = entries.into_iter().unzip();
    sqlx::query(include_str!("dispatch.sql"))
        .bind(lane)
        .bind(through)
        .bind(now)
        .bind(spans.iter().map(|span| span.0).collect::<Vec<_>>())
        .bind(spans.iter().map(|span| span.1).collect::<Vec<_>>())
        .bind(spans.iter().map(|span| span.2).collect::<Vec<_>>())
        .bind(balances)
        .bind(versions)
        .execute(connection)
        .await?;
    Ok(())
}

/// Those of these feeds that are sent to somebody.
async fn sent(connection: &mut PgConnection, feeds: &HashSet<Feed>) -> Result<Vec<Feed>, Error> {
    let live = feeds.iter().filter(|feed| !feed.test);
    let sides = live.map(|feed| (feed.merchant, feed.relationship));
    let (merchants, relationships): (Vec<Uuid>, Vec<Option<Uuid>>) = sides
        .map(|(merchant, relationship)| (merchant.uuid(), relationship.map(RelationshipId::uuid)))
        .unzip();
    let sent: Vec<(Uuid, Option<Uuid>)> = sqlx::query_as(
        "SELECT DISTINCT w.merchant_id, w.relationship_id
         FROM UNNEST($1::uuid[], $2::uuid[]) AS f (merchant_id, relationship_id)
         JOIN webhooks AS w ON w.merchant_id = f.merchant_id
           -- Equal, not \"not distinct\", so that they meet by a hash and not each with each.
           AND COALESCE(w.relationship_id, w.merchant_id)
             = COALESCE(f.relationship_id, f.merchant_id)
         WHERE w.status = 'ACTIVE'",
    )
    .bind(merchants)
    .bind(relationships)
    .fetch_all(connection)
    .await?;
    let sent = sent.into_iter().map(|(merchant, relationship)| Feed {
        merchant: MerchantId::from_uuid(merchant),
        relationship: relationship.map(RelationshipId::from_uuid),
        test: false,
    });
    Ok(sent.collect())
}

#[derive(sqlx::FromRow)]
struct Waiting {
    outbox_id: i64,
    event_id: Uuid,
    merchant_id: Uuid,
    relationship_id: Option<Uuid>,
    fact: Json<serde_json::Value>,
    occurred_at: Timestamp,
}

/// What a step has of facts so far.
struct Telling {
    told: Vec<i64>,
    /// Feeds that a fact waits for: none that comes later passes it.
    held: HashSet<Feed>,
    /// How many entries may still be numbered.
    left: i64,
}

async fn tell_facts(
    connection: &mut PgConnection,
    now: Timestamp,
    feeds: &mut HashSet<Feed>,
) -> Result<(), Error> {
    let mut telling = Telling {
        told: Vec::new(),
        held: HashSet::new(),
        left: ENTRIES_MAX,
    };
    let mut after = i64::MIN;
    for _ in 0..FACTS_PAGES_MAX {
        let waiting = waiting_facts(connection, after).await?;
        let Some((last, _)) = waiting.last() else {
            break;
        };
        after = last.outbox_id;
        tell_some(connection, waiting, now, (&mut telling, feeds)).await?;
        if telling.held.is_empty() {
            break;
        }
    }
    if telling.told.is_empty() {
        return Ok(());
    }
    sqlx::query("DELETE FROM event_outbox WHERE outbox_id = ANY ($1)")
        .bind(telling.told)
        .execute(connection)
        .await?;
    Ok(())
}

/// Tells those of these facts that nothing keeps waiting, in their order.
async fn tell_some(
    connection: &mut PgConnection,
    waiting: Vec<(Waiting, Fact)>,
    now: Timestamp,
    (telling, feeds): (&mut Telling, &mut HashSet<Feed>),
) -> Result<(), Error> {
    let last = last_of_each(&waiting);
    for (row, fact) in waiting {
        let superseded = fact
            .supersedes()
            .is_some_and(|product| last.get(&product) != Some(&row.outbox_id));
        if superseded {
            telling.told.push(row.outbox_id);
            continue;
        }
        let hear = hear(connection, &row, &fact).await?;
        let waits = hear.iter().any(|feed| telling.held.contains(feed))
            || number_within(connection, &hear, &mut telling.left, now).await?;
        if waits {
            telling.held.extend(hear);
            continue;
        }
        tell_fact(connection, &row, &hear, now).await?;
        telling.told.push(row.outbox_id);
        // Whose it is, or who sells what it is about.
        let of = row.relationship_id.map_or_else(
            || {
                hear.iter()
                    .filter_map(|feed| feed.relationship)
                    .map(RelationshipId::uuid)
                    .collect()
            },
            |relationship| vec![relationship],
        );
        feeds.extend(hear);
        notifications::note(connection, (row.merchant_id, of), &fact, row.occurred_at).await?;
    }
    Ok(())
}

/// The next facts behind one that this version knows. Others are of a newer one that ran before, or runs beside
/// this: they wait for it, and nothing waits for them.
async fn waiting_facts(
    connection: &mut PgConnection,
    mut after: i64,
) -> Result<Vec<(Waiting, Fact)>, Error> {
    loop {
        let rows: Vec<Waiting> = sqlx::query_as(
            "SELECT outbox_id, event_id, merchant_id, relationship_id, fact, occurred_at
             FROM event_outbox WHERE outbox_id > $1 ORDER BY outbox_id LIMIT $2",
        )
        .bind(after)
        .bind(FACTS_MAX)
        .fetch_all(&mut *connection)
        .await?;
        let Some(last) = rows.last() else {
            return Ok(Vec::new());
        };
        after = last.outbox_id;
        let known: Vec<_> = rows.into_iter().filter_map(Waiting::known).collect();
        if !known.is_empty() {
            return Ok(known);
        }
    }
}

/// Which of the facts about one product is the last, of those that make earlier ones needless.
fn last_of_each(waiting: &[(Waiting, Fact)]) -> HashMap<Uuid, i64> {
    let of_products = waiting.iter().filter_map(|(row, fact)| {
        let product = fact.supersedes()?;
        Some((product, row.outbox_id))
    });
    of_products.collect()
}

impl Waiting {
    fn known(self) -> Option<(Self, Fact)> {
        let fact = Fact::deserialize(&self.fact.0).ok()?;
        Some((self, fact))
    }
}

/// Puts a fact into its feeds, whose entries have their numbers.
async fn tell_fact(
    connection: &mut PgConnection,
    row: &Waiting,
    hear: &[Feed],
    now: Timestamp,
) -> Result<(), Error> {
    let sides = hear.iter().map(|feed| feed.relationship);
    let heard: Vec<Option<Uuid>> = sides.map(|of| of.map(RelationshipId::uuid)).collect();
    sqlx::query(include_str!("tell.sql"))
        .bind(row.merchant_id)
        .bind(heard)
        .bind(now)
        .bind(row.event_id)
        .bind(&row.fact)
        .bind(row.occurred_at)
        .execute(connection)
        .await?;
    Ok(())
}

/// The feeds that a fact is for.
async fn hear(
    connection: &mut PgConnection,
    row: &Waiting,
    fact: &Fact,
) -> Result<Vec<Feed>, Error> {
    let (merchant, reseller) = match fact.kind().audience() {
        Audience::Both => (true, row.relationship_id),
        Audience::Merchant => (true, None),
        Audience::Reseller => (false, row.relationship_id),
    };
    let (product, variant) = fact.sellers().unzip();
    let heard: Vec<Option<Uuid>> = sqlx::query_scalar(include_str!("heard.sql"))
        .bind(row.merchant_id)
        .bind(reseller)
        .bind(merchant)
        .bind(product)
        .bind(variant.flatten())
        .fetch_all(connection)
        .await?;
    let feeds = heard.into_iter().map(|relationship| Feed {
        merchant: MerchantId::from_uuid(row.merchant_id),
        relationship: relationship.map(RelationshipId::from_uuid),
        test: false,
    });
    Ok(feeds.collect())
}
