//! Read-mostly values by key: loaded once however many ask, shared, and dropped when nobody asks.

use std::{
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use dashmap::DashMap;
use tokio::sync::OnceCell;

use crate::fault::Fault;

/// Values by key. What is absent in storage is not remembered.
pub(crate) struct Cached<K, V> {
    slots: DashMap<K, Arc<Slot<V>>>,
}

struct Slot<V> {
    value: OnceCell<Arc<V>>,
    touched: AtomicBool,
}

impl<V> Slot<V> {
    fn new(value: OnceCell<Arc<V>>) -> Arc<Self> {
        Arc::new(Self {
            value,
            touched: AtomicBool::new(true),
        })
    }
}

/// Absence as an error, so that a cell stays empty.
enum Missing {
    Absent,
    Faulted(Fault),
}

impl<K: Eq + Hash + Copy, V> Cached<K, V> {
    pub(crate) fn new() -> Self {
        Self {
            slots: DashMap::new(),
        }
    }

    /// The value, loaded if need be. Who asks while it is being loaded waits for the same load.
    pub(crate) async fn get(
        &self,
        key: K,
        load: impl Future<Output = Result<Option<V>, Fault>>,
    ) -> Result<Option<Arc<V>>, Fault> {
        if let Some(slot) = self.slots.get(&key) {
            slot.touched.store(true, Ordering::Relaxed);
            if let Some(value) = slot.value.get() {
                return Ok(Some(Arc::clone(value)));
            }
        }
        // In a box: whoever finds the value must not carry the room for loading it.
        Box::pin(self.load(key, load)).await
    }

    async fn load(
        &self,
        key: K,
        load: impl Future<Output = Result<Option<V>, Fault>>,
    ) -> Result<Option<Arc<V>>, Fault> {
        let slot = self.slot(key);
        let load = async {
            let value = load.await.map_err(Missing::Faulted)?;
            value.map(Arc::new).ok_or(Missing::Absent)
        };
        match slot.value.get_or_try_init(|| load).await {
            Ok(value) => Ok(Some(Arc::clone(value))),
            Err(missing) => {
                self.slots
                    .remove_if(&key, |_, slot| !slot.value.initialized());
                match missing {
                    Missing::Absent => Ok(None),
                    Missing::Faulted(fault) => Err(fault),
                }
            }
        }
    }

    /// Puts a value in place of whatever is there or being loaded, unless that `is_newer`.
    pub(crate) fn replace(&self, key: K, value: V, is_newer: impl Fn(&V, &V) -> bool) -> Arc<V> {
        let value = Arc::new(value);
        let slot = Slot::new(OnceCell::new_with(Some(Arc::clone(&value))));
        let mut known = self.slots.entry(key).or_insert_with(|| Arc::clone(&slot));
        match known.value.get() {
            Some(known) if is_newer(known, &value) => Arc::clone(known),
            Some(_) | None => {
                *known = slot;
                value
            }
        }
    }

    /// Forgets a value. Who asks from now on loads it anew; a load that is under way is for those only
    /// who wait for it already.
    pub(crate) fn forget(&self, key: &K) {
        self.slots.remove(key);
    }

    /// Forgets every value of which this is true, and all that are being loaded.
    pub(crate) fn forget_where(&self, is_of: impl Fn(&V) -> bool) {
        let stays = |value: &Arc<V>| !is_of(value);
        self.slots
            .retain(|_, slot| slot.value.get().is_some_and(stays));
    }

    /// Drops what nobody asked for since the last sweep.
    pub(crate) fn sweep(&self) {
        self.slots
            .retain(|_, slot| slot.touched.swap(false, Ordering::Relaxed));
    }

    fn slot(&self, key: K) -> Arc<Slot<V>> {
        Arc::clone(
            &self
                .slots
                .entry(key)
                .or_insert_with(|| Slot::new(OnceCell::new())),
        )
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn value_that_is_forgotten_while_it_is_loaded_is_loaded_anew() {
        let cached = Cached::<u32, &str>::new();
        let (loaded, load) = oneshot::channel();
        let first = cached.get(1, async { Ok(load.await.ok()) });
        let forget = async {
            cached.forget(&1);
            loaded.send("old").expect("the load waits");
        };
        let (first, ()) = tokio::join!(first, forget);
        assert_eq!(
            first.map(|value| value.map(|value| *value)),
            Ok(Some("old"))
        );
        let second = cached.get(1, async { Ok(Some("new")) }).await;
        assert_eq!(
            second.map(|value| value.map(|value| *value)),
            Ok(Some("new"))
        );
    }

    #[tokio::test]
    async fn values_of_one_owner_and_loads_under_way_are_forgotten() {
        let cached = Cached::<u32, &str>::new();
        for (key, value) in [(1, "own"), (2, "other")] {
            cached.replace(key, value, |_, _| false);
        }
        let (loaded, load) = oneshot::channel();
        let waiting = cached.get(3, async { Ok(load.await.ok()) });
        let forget = async {
            cached.forget_where(|value| *value == "own");
            loaded.send("old").expect("the load waits");
        };
        let (waiting, ()) = tokio::join!(waiting, forget);
        assert_eq!(waiting.ok().flatten().map(|value| *value), Some("old"));
        for (key, expected) in [(1, "new"), (2, "other"), (3, "new")] {
            let read = cached.get(key, async { Ok(Some("new")) }).await;
            assert_eq!(
                read.ok().flatten().map(|value| *value),
                Some(expected),
                "{key}"
            );
        }
    }
}
