//! Readers that wait for the next event of their feed.
//!
//! Keeps: whoever registers before reading misses nothing; a reader that goes away leaves no trace; when
//! the server closes nobody waits any longer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use engine::events::Feed;
use tokio::sync::Notify;

/// Readers that wait at once, in all and of one feed.
const PLACES_MAX: usize = 1024;
const FEED_PLACES_MAX: usize = 16;

/// All who wait.
#[derive(Default)]
pub(crate) struct Waiters(Mutex<State>);

#[derive(Default)]
struct State {
    closed: bool,
    taken: usize,
    feeds: HashMap<Feed, Waiting>,
}

#[derive(Default)]
struct Waiting {
    taken: usize,
    told: Arc<Notify>,
}

/// The right to wait for one feed.
pub(crate) struct Place<'a> {
    waiters: &'a Waiters,
    feed: Feed,
    pub(crate) told: Arc<Notify>,
}

impl Waiters {
    /// A place, unless all are taken or the server closes.
    pub(crate) fn place(&self, feed: Feed) -> Option<Place<'_>> {
        let mut state = self.lock();
        let of_feed = state.feeds.get(&feed).map_or(0, |waiting| waiting.taken);
        if state.closed || state.taken >= PLACES_MAX || of_feed >= FEED_PLACES_MAX {
            return None;
        }
        state.taken += 1;
        let waiting = state.feeds.entry(feed).or_default();
        waiting.taken += 1;
        let told = Arc::clone(&waiting.told);
        Some(Place {
            waiters: self,
            feed,
            told,
        })
    }

    /// Wakes whoever waits for one of these feeds.
    pub(crate) fn tell<'a>(&self, feeds: impl IntoIterator<Item = &'a Feed>) {
        let state = self.lock();
        for waiting in feeds.into_iter().filter_map(|feed| state.feeds.get(feed)) {
            waiting.told.notify_waiters();
        }
    }

    /// Lets everybody go, for good.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        for waiting in state.feeds.values() {
            waiting.told.notify_waiters();
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.waiters.lock();
        state.taken -= 1;
        if let Some(waiting) = state.feeds.get_mut(&self.feed) {
            waiting.taken -= 1;
            if waiting.taken == 0 {
                state.feeds.remove(&self.feed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use engine::{clock::EPOCH, ids::MerchantId, random::SeededRandom};

    use super::*;

    fn feed(seed: u64) -> Feed {
        Feed {
            merchant: MerchantId::generate(EPOCH, &SeededRandom::new(seed)),
            relationship: None,
            test: false,
        }
    }

    #[tokio::test]
    async fn who_registered_before_the_event_hears_of_it() {
        let waiters = Waiters::default();
        let place = waiters.place(feed(1)).unwrap();
        let told = place.told.notified();
        waiters.tell(&[feed(2)]);
        waiters.tell(&[feed(1)]);
        told.await;
    }

    #[test]
    fn places_are_bounded_and_given_back() {
        let waiters = Waiters::default();
        let places: Vec<_> = (0..FEED_PLACES_MAX)
            .map(|_| waiters.place(feed(1)).unwrap())
            .collect();
        assert!(waiters.place(feed(1)).is_none());
        assert!(waiters.place(feed(2)).is_some());
        drop(places);
        assert!(waiters.place(feed(1)).is_some());
        assert_eq!(waiters.lock().feeds.len(), 0);
        assert_eq!(waiters.lock().taken, 0);
    }

    #[tokio::test]
    async fn closing_lets_everybody_go_and_nobody_in() {
        let waiters = Waiters::default();
        let place = waiters.place(feed(1)).unwrap();
        let told = place.told.notified();
        waiters.close();
        told.await;
        assert!(waiters.is_closed() && waiters.place(feed(2)).is_none());
    }
}
