//! Feeds with webhooks that have something new, as the dispatcher says and the courier hears.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use engine::events::Feed;
use tokio::sync::{Notify, futures::Notified};

/// See the module: at most all feeds there are.
#[derive(Default)]
pub(crate) struct News {
    waiting: Mutex<HashSet<Feed>>,
    told: Notify,
}

impl News {
    pub(crate) fn add<'a>(&self, feeds: impl IntoIterator<Item = &'a Feed>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(feeds);
        if !waiting.is_empty() {
            self.told.notify_one();
        }
    }

    /// Says that a webhook is to be looked at, whatever its feed.
    pub(crate) fn hurry(&self) {
        self.told.notify_one();
    }

    pub(super) fn told(&self) -> Notified<'_> {
        self.told.notified()
    }

    pub(super) fn take(&self) -> HashSet<Feed> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *waiting)
    }
}
