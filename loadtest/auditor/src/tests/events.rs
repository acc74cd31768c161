//! Feeds that are wrong, one per way; each is named by C16.

use super::scene::{Scene, balance};
use crate::{Events, Feed, Finding, Point};

/// The usual scene, told, then falsified: this must be said of C16, and of nothing else.
fn check(says: &str, lie: impl FnOnce(&mut Events)) {
    let mut scene = Scene::usual();
    lie(scene.tell());
    let verdict = scene.verdict();
    assert_eq!(verdict.violated(), [Point::C16], "{verdict}");
    let Finding::Violated { named, .. } = verdict.finding(Point::C16) else {
        panic!("{verdict}");
    };
    assert!(named.iter().any(|each| each.what == says), "{verdict}");
}

#[test]
fn feeds_that_tell_everything_once_pass() {
    let mut scene = Scene::usual();
    scene.tell();
    let verdict = scene.verdict();
    assert_eq!(verdict.violated(), [], "{verdict}");
    assert!(matches!(verdict.finding(Point::C16), Finding::Holds { checked } if *checked > 0));
}

#[test]
fn delivery_without_an_event() {
    check("an entry has not one event", |events| {
        let span = &mut events.spans[0];
        let entries = span.entries.take().unwrap();
        span.entries = Some(entries[1..].into());
        span.first += 1;
    });
}

#[test]
fn delivery_that_is_told_twice() {
    check("an entry has not one event", |events| {
        let span = &mut events.spans[1];
        let mut entries = span.entries.take().unwrap().into_vec();
        entries.push(entries[0]);
        span.entries = Some(entries.into());
        span.last += 1;
        let feed = events.spans[1].feed;
        let own = events.feeds.iter_mut().find(|own| own.feed == feed);
        own.unwrap().seq += 1;
    });
}

#[test]
fn event_of_an_order_that_never_was() {
    check("an event of an entry that is not there", |events| {
        let entries = events.spans[0].entries.as_mut().unwrap();
        entries[0] = (balance(0), 99);
    });
}

#[test]
fn event_in_the_feed_of_another_tenant() {
    check("an entry is in a feed of somebody else", |events| {
        let other = events.feeds.iter().map(|feed| feed.merchant).max().unwrap();
        events.feeds[0].merchant = other;
    });
}

#[test]
fn number_that_was_left_out() {
    check("the numbers of a feed have a gap", |events| {
        let last = events.spans.last_mut().unwrap();
        (last.first, last.last) = (last.first + 1, last.last + 1);
    });
}

#[test]
fn feed_that_says_more_than_it_has() {
    check("a feed is not where its last event is", |events| {
        events.feeds[0].seq += 1;
    });
}

#[test]
fn event_before_its_batch_was_passed() {
    check("an entry was told too early", |events| {
        events.at_rest = false;
        events.cursors.clear();
    });
}

#[test]
fn event_of_a_relationship_above_what_its_feed_says() {
    check("an entry was told too early", |events| {
        own_feed(events).told.as_mut().unwrap().1 -= 1;
    });
}

#[test]
fn feed_that_says_that_it_told_what_it_did_not() {
    check("an entry has not one event", |events| {
        let feed = own_feed(events).feed;
        events.spans.retain(|span| span.feed != feed);
        own_feed(events).seq = 0;
    });
}

#[test]
fn feed_that_tells_of_a_future_entry() {
    check("a feed tells what is not there", |events| {
        own_feed(events).told.as_mut().unwrap().1 += 1;
    });
}

#[test]
fn feed_that_tells_of_the_balance_of_another_tenant() {
    check("a feed tells what is not there", |events| {
        let told = own_feed(events).told;
        let merchant = events
            .feeds
            .iter_mut()
            .find(|one| one.relationship.is_none());
        merchant.unwrap().told = told;
    });
}

fn own_feed(events: &mut Events) -> &mut Feed {
    let own = events
        .feeds
        .iter_mut()
        .find(|one| one.relationship.is_some());
    own.unwrap()
}

#[test]
fn feed_that_nobody_listens_to_tells_nothing() {
    let mut scene = Scene::usual();
    let events = scene.tell();
    let feed = own_feed(events).feed;
    events.spans.retain(|span| span.feed != feed);
    events.feeds.retain(|own| own.feed != feed);
    assert_eq!(scene.verdict().violated(), []);
}

#[test]
fn delivery_that_waits_is_no_lie_while_the_feed_is_behind() {
    let mut scene = Scene::usual();
    let events = scene.tell();
    events.at_rest = false;
    events.cursors.clear();
    events.spans.clear();
    events.feeds.clear();
    assert_eq!(scene.verdict().violated(), []);
}
