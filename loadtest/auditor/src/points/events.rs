//! C16: what machines were told. A merchant's feed tells what its dispatcher passed, a relationship's what
//! somebody listened to.

use std::collections::{HashMap, HashSet};

use crate::{Balance, Events, Feed, Finding, Run, Span, index::Index, verdict::Check};

pub(crate) fn told_once(index: &Index<'_>, _: &Run) -> Finding {
    let Some(events) = &index.store.events else {
        return Finding::NotChecked {
            why: "there is no feed of events here",
        };
    };
    let mut check = Check::new();
    numbers(events, &mut check);
    // How often each entry is in the feed of its merchant, and in that of its relationship.
    let mut told: HashMap<(i64, i64), (u32, u32)> = HashMap::new();
    let feeds: HashMap<i64, &Feed> = events.feeds.iter().map(|feed| (feed.feed, feed)).collect();
    for span in &events.spans {
        let feed = feeds.get(&span.feed);
        for place in span.entries.iter().flatten() {
            let balance = index.balances.get(&place.0);
            let own = feed
                .zip(balance)
                .is_some_and(|(feed, own)| is_of(feed, own));
            check.that(own, "an entry is in a feed of somebody else", || {
                format!("{} in feed {}", names(*place), span.feed)
            });
            let counts = told.entry(*place).or_default();
            if feed.is_some_and(|feed| feed.relationship.is_none()) {
                counts.0 += 1;
            } else {
                counts.1 += 1;
            }
        }
    }
    let due = due(index, events);
    let reached: HashMap<i64, i64> = events.feeds.iter().filter_map(|feed| feed.told).collect();
    for known in &index.entries {
        let place = (known.row.balance, known.row.version);
        let (merchant, own) = told.remove(&place).unwrap_or_default();
        let of_merchant = due.as_ref().is_none_or(|due| due.contains(&place));
        let of_own = reached.get(&place.0).is_some_and(|told| place.1 <= *told);
        for (count, is_due) in [(merchant, of_merchant), (own, of_own)] {
            let what = if is_due {
                "an entry has not one event"
            } else {
                "an entry was told too early"
            };
            check.that(count == u32::from(is_due), what, || {
                format!("{}: {count}", names(place))
            });
        }
    }
    ends(index, events, &mut check);
    for place in told.keys() {
        check.violated("an event of an entry that is not there", || names(*place));
    }
    check.finding()
}

/// A relationship's feed tells of its own balance, and no more than the balance has.
fn ends(index: &Index<'_>, events: &Events, check: &mut Check) {
    let lasts = index.ledgers.iter().filter_map(|(balance, range)| {
        let last = index.entries[range.clone()].last()?;
        Some((*balance, last.row.version))
    });
    let lasts: HashMap<i64, i64> = lasts.collect();
    for feed in &events.feeds {
        let Some((balance, version)) = feed.told else {
            continue;
        };
        let own = index.balances.get(&balance);
        let own = feed.relationship.is_some() && own.is_some_and(|own| is_of(feed, own));
        let there = lasts.get(&balance).is_some_and(|last| version <= *last);
        check.that(own && there, "a feed tells what is not there", || {
            format!("feed {}, {}", feed.feed, names((balance, version)))
        });
    }
}

/// The entries that must have their events in the feeds of merchants; none: all of them.
fn due(index: &Index<'_>, events: &Events) -> Option<HashSet<(i64, i64)>> {
    if events.at_rest {
        return None;
    }
    let cursors: HashMap<i32, i64> = events.cursors.iter().copied().collect();
    let passed = index.store.batches.iter().filter(|batch| {
        let cursor = cursors.get(&batch.lane);
        cursor.is_some_and(|cursor| batch.seq <= *cursor)
    });
    Some(passed.flat_map(|batch| &batch.entries).copied().collect())
}

/// The numbers of each feed have no gap, and end where the feed says.
fn numbers(events: &Events, check: &mut Check) {
    let mut spans: Vec<&Span> = events.spans.iter().collect();
    spans.sort_by_key(|span| (span.feed, span.first));
    let mut ends: HashMap<i64, i64> = HashMap::new();
    for span in spans {
        let end = ends.entry(span.feed).or_default();
        let gapless = span.first == *end + 1;
        check.that(gapless, "the numbers of a feed have a gap", || {
            format!("feed {}, at {}", span.feed, span.first)
        });
        let held = span.entries.as_ref().map_or(1, |entries| entries.len());
        let whole = i64::try_from(held).is_ok_and(|held| span.last - span.first + 1 == held);
        check.that(whole, "a span has not as many events as numbers", || {
            format!("feed {}, at {}", span.feed, span.first)
        });
        *end = span.last;
    }
    for feed in &events.feeds {
        let end = ends.remove(&feed.feed).unwrap_or_default();
        check.that(
            feed.seq == end,
            "a feed is not where its last event is",
            || format!("feed {}", feed.feed),
        );
    }
    for feed in ends.keys() {
        check.violated("events of no feed", || format!("feed {feed}"));
    }
}

fn is_of(feed: &Feed, own: &Balance) -> bool {
    feed.merchant == own.merchant
        && feed.test == own.test
        && feed
            .relationship
            .is_none_or(|relationship| relationship == own.relationship)
}

fn names((balance, version): (i64, i64)) -> String {
    format!("version {version} of balance {balance}")
}
