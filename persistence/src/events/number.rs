//! Numbers for the entries of relationships, as soon as somebody listens to their feeds.
//!
//! Keeps: an entry is in the feed of its relationship exactly once: the versions of a balance have no gap and
//! are committed in their order, so the last that was told says all, and it moves with the numbers while
//! the feed is held. A feed that nobody reads costs the sales nothing.

use engine::{clock::Timestamp, events::Feed, ids::RelationshipId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Database, Error, database::commit};

/// What one feed gets at once; whoever reads on gets more.
const ENTRIES_MAX: i64 = 65_536;

/// Feeds of relationships as statements take them.
type Keys = (Vec<Uuid>, Vec<bool>);

/// Brings a feed up to its balance, and says whether that was too much for once. A merchant's is where its
/// dispatcher is.
pub(crate) async fn catch_up(db: &Database, feed: Feed, now: Timestamp) -> Result<bool, Error> {
    let keys = keys([&feed]);
    if keys.0.is_empty() || behind(&mut *db.report().await?, &keys).await?.is_empty() {
        return Ok(false);
    }
    let mut tx = db.begin().await?;
    let more = number(&mut tx, [&feed], now).await?;
    commit(tx).await?;
    Ok(more)
}

/// Gives the entries of relationships their numbers, in the caller's transaction, which holds their feeds from
/// now on; whether it was too much of some feed for once. Those of merchants are passed over.
pub(crate) async fn number(
    connection: &mut PgConnection,
    feeds: impl IntoIterator<Item = &Feed>,
    now: Timestamp,
) -> Result<bool, Error> {
    let keys = keys(feeds);
    if keys.0.is_empty() {
        return Ok(false);
    }
    let behind = behind(connection, &keys).await?;
    if behind.is_empty() {
        return Ok(false);
    }
    let numbered = give(connection, behind, ENTRIES_MAX, now).await?;
    Ok(numbered.contains(&ENTRIES_MAX))
}

/// The same, of all of them together no more than half of what is left, or one of each: what it gave is not left
/// any more. So whoever has much to number leaves room for those with little.
pub(super) async fn number_within(
    connection: &mut PgConnection,
    feeds: &[Feed],
    left: &mut i64,
    now: Timestamp,
) -> Result<bool, Error> {
    let keys = keys(feeds);
    if keys.0.is_empty() {
        return Ok(false);
    }
    let mut own = (*left / 2).max(1);
    loop {
        let behind = behind(connection, &keys).await?;
        if behind.is_empty() {
            return Ok(false);
        }
        if own <= 0 {
            return Ok(true);
        }
        // What one has too little for, the others get in the next round.
        let feeds = i64::try_from(behind.len()).unwrap_or(i64::MAX);
        let share = (own / feeds).max(1);
        let numbered = give(connection, behind, share, now).await?;
        let given = numbered.iter().sum::<i64>();
        own -= given;
        *left -= given;
        if !numbered.contains(&share) {
            return Ok(false);
        }
    }
}

/// Gives at most so many entries of each of these feeds their numbers; how many of each that has some.
async fn give(
    connection: &mut PgConnection,
    behind: Vec<(Uuid, Uuid, bool)>,
    share: i64,
    now: Timestamp,
) -> Result<Vec<i64>, Error> {
    let held = hold(connection, behind).await?;
    Ok(sqlx::query_scalar(include_str!("number.sql"))
        .bind(held)
        .bind(share)
        .bind(now)
        .fetch_all(connection)
        .await?)
}

fn keys<'a>(feeds: impl IntoIterator<Item = &'a Feed>) -> Keys {
    let of_relationships = feeds.into_iter().filter_map(|feed| {
        let relationship = feed.relationship.map(RelationshipId::uuid)?;
        Some((relationship, feed.test))
    });
    of_relationships.unzip()
}

async fn behind(
    connection: &mut PgConnection,
    (relationships, test): &Keys,
) -> Result<Vec<(Uuid, Uuid, bool)>, Error> {
    Ok(sqlx::query_as(include_str!("behind.sql"))
        .bind(relationships)
        .bind(test)
        .fetch_all(connection)
        .await?)
}

/// Holds feeds, in an order that all keep, and opens those that are not there yet. What they tell is read
/// after that.
async fn hold(
    connection: &mut PgConnection,
    mut feeds: Vec<(Uuid, Uuid, bool)>,
) -> Result<Vec<i64>, Error> {
    feeds.sort_unstable();
    let (mut merchants, mut relationships, mut test) = (Vec::new(), Vec::new(), Vec::new());
    for feed in feeds {
        merchants.push(feed.0);
        relationships.push(feed.1);
        test.push(feed.2);
    }
    Ok(sqlx::query_scalar(
        "INSERT INTO event_feeds AS f (merchant_id, relationship_id, test, seq)
         SELECT merchant_id, relationship_id, test, 0
         FROM UNNEST($1::uuid[], $2::uuid[], $3::boolean[]) WITH ORDINALITY
           AS own (merchant_id, relationship_id, test, place)
         ORDER BY place
         ON CONFLICT ON CONSTRAINT event_feeds_merchant_id_relationship_id_test_key
           DO UPDATE SET seq = f.seq
         RETURNING feed_id",
    )
    .bind(merchants)
    .bind(relationships)
    .bind(test)
    .fetch_all(connection)
    .await?)
}
