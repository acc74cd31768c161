//! Turns to resolve names: each look-up takes a thread until it ends, however early its caller gave up, and
//! other work needs threads too.
//!
//! Keeps: so many look-ups are under way at once and no more, and of one owner's names only a few of them:
//! whoever has names that are slow to resolve waits for them alone.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit},
    time::timeout,
};

/// What owners write is apart from what is sent.
const WRITTEN_MAX: usize = 16;
const SENT_MAX: usize = 112;
const OF_OWNER_MAX: usize = 8;
/// How long an attempt waits for its turn.
const WAIT_MAX: Duration = Duration::from_secs(2);

static WRITTEN: Semaphore = Semaphore::const_new(WRITTEN_MAX);
static SENT: Semaphore = Semaphore::const_new(SENT_MAX);
/// Owners whose names are being resolved or wait for it, by what they registered.
static OWNERS: Mutex<BTreeMap<String, Arc<Semaphore>>> = Mutex::new(BTreeMap::new());

/// The right to resolve one name, given back when this is dropped.
pub(super) struct Turn {
    _place: SemaphorePermit<'static>,
    _share: Option<Share>,
}

/// A turn for what somebody writes just now: at once or not at all.
pub(super) fn written() -> Option<Turn> {
    let place = WRITTEN.try_acquire().ok()?;
    Some(Turn {
        _place: place,
        _share: None,
    })
}

/// A turn for an attempt, which waits a while for it: for its owner's share first, so that what waits for that
/// keeps nobody else's place.
pub(super) async fn sent(host: &str) -> Option<Turn> {
    let turn = async {
        let share = Share::of(registered(host)).await?;
        let place = SENT.acquire().await.ok()?;
        Some(Turn {
            _place: place,
            _share: Some(share),
        })
    };
    timeout(WAIT_MAX, turn).await.ok().flatten()
}

struct Share {
    owner: String,
    permit: Option<OwnedSemaphorePermit>,
}

impl Share {
    async fn of(owner: String) -> Option<Self> {
        let new = || Arc::new(Semaphore::new(OF_OWNER_MAX));
        let all = Arc::clone(owners().entry(owner.clone()).or_insert_with(new));
        // Made first: whoever gives up waiting is forgotten as well.
        let mut share = Self {
            owner,
            permit: None,
        };
        share.permit = Some(all.acquire_owned().await.ok()?);
        Some(share)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut owners = owners();
        self.permit = None;
        // Others that wait or resolve hold it as well.
        let unused = owners.get(&self.owner).map(Arc::strong_count) == Some(1);
        if unused {
            owners.remove(&self.owner);
        }
    }
}

fn owners() -> MutexGuard<'static, BTreeMap<String, Arc<Semaphore>>> {
    OWNERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// About what somebody registered of a name: its last two labels, or three where the last two are a country's
/// (`co.uk`). Who shares it with others shares their turns.
fn registered(host: &str) -> String {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let labels: Vec<_> = host.rsplit('.').take(3).collect();
    let taken = match labels[..] {
        [country, kind, _] if country.len() == 2 && kind.len() <= 3 => 3,
        _ => 2,
    };
    let mut labels: Vec<_> = labels.into_iter().take(taken).collect();
    labels.reverse();
    labels.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_owner_have_one_share() {
        for (host, expected) in [
            ("localhost", "localhost"),
            ("Shop.Example", "shop.example"),
            ("a.b.slow.example.", "slow.example"),
            ("hook.shop.co.uk", "shop.co.uk"),
            ("hook.shop.uk", "shop.uk"),
            ("x.example.io", "example.io"),
        ] {
            assert_eq!(registered(host), expected, "{host}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn owner_with_slow_names_waits_and_what_is_written_waits_for_nobody() {
        let mut slow = Vec::new();
        for number in 0..OF_OWNER_MAX {
            slow.push(sent(&format!("{number}.tarpit.test")).await.unwrap());
        }
        assert!(sent("one-more.tarpit.test").await.is_none());
        assert!(sent("hook.quick.test").await.is_some());
        slow.pop();
        assert!(sent("one-more.tarpit.test").await.is_some());
        slow.clear();
        let known = |owner: &str| owners().contains_key(owner);
        assert!(!known("tarpit.test") && !known("quick.test"));
        // The same once there is no place for anybody: what is written has its own.
        let all = u32::try_from(SENT_MAX).unwrap();
        let taken = SENT.acquire_many(all).await.unwrap();
        assert!(sent("full.test").await.is_none());
        assert!(!known("full.test"));
        assert!(written().is_some());
        drop(taken);
        assert!(sent("full.test").await.is_some());
    }
}
