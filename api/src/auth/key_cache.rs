//! Keys that were used lately, so that a call needs no look-up.
//!
//! Keeps: only a key whose caller proved the secret is here; an entry is dropped when its key is
//! revoked in this process, and one that was read before that is not kept any more; it is looked up
//! again every few seconds for what happened elsewhere; the number of entries is bounded. What a key may *execute* is decided by the engine's terms, exactly.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use dashmap::DashMap;
use engine::{
    api_keys::{ApiKey, KeyKind},
    clock::Timestamp,
    ids::KeyId,
    merchants::Merchant,
};

use crate::layers::rate_limit::{Bucket, Class};

/// How long an entry is believed without looking again.
const RECHECK_AFTER: Duration = Duration::from_secs(10);
/// How often the use of a key is recorded.
const RECORD_USE_EVERY: Duration = Duration::from_mins(1);
/// How long an unused entry is kept.
const IDLE: Duration = Duration::from_mins(5);
const ENTRIES_MAX: usize = 100_000;

/// A key with its merchant and its buckets.
#[derive(Debug)]
pub(crate) struct CachedKey {
    pub(crate) key: ApiKey,
    pub(crate) merchant: Arc<Merchant>,
    buckets: Arc<Buckets>,
    checked_ms: AtomicI64,
    used_ms: AtomicI64,
    recorded_ms: AtomicI64,
}

#[derive(Debug)]
struct Buckets {
    factor: u32,
    own_per_second: Option<u32>,
    writes: Bucket,
    reads: Bucket,
    dynamic: Bucket,
    merchant: Bucket,
}

impl Buckets {
    fn new(factor: u32, own_per_second: Option<u32>) -> Self {
        let bucket = |class| Bucket::new(class, factor, own_per_second);
        Self {
            factor,
            own_per_second,
            writes: bucket(Class::Writes),
            reads: bucket(Class::Reads),
            dynamic: bucket(Class::DynamicUrl),
            merchant: bucket(Class::Merchant),
        }
    }
}

impl CachedKey {
    pub(crate) fn new(key: ApiKey, merchant: Arc<Merchant>, now: Timestamp) -> Self {
        let buckets = Buckets::new(merchant.rate_limit_factor, key.rate_limit_per_second);
        let now = now.timestamp_millis();
        Self {
            key,
            merchant,
            buckets: Arc::new(buckets),
            checked_ms: AtomicI64::new(now),
            used_ms: AtomicI64::new(now),
            recorded_ms: AtomicI64::new(0),
        }
    }

    /// The bucket that this key's calls of a class are charged to.
    pub(crate) fn bucket(&self, class: Class) -> &Bucket {
        match (self.key.kind, class) {
            (KeyKind::Merchant, _) | (_, Class::Merchant) => &self.buckets.merchant,
            (KeyKind::Reseller, Class::Writes) => &self.buckets.writes,
            (KeyKind::Reseller, Class::Reads | Class::Session) => &self.buckets.reads,
            (KeyKind::Reseller, Class::DynamicUrl) => &self.buckets.dynamic,
        }
    }

    /// True for the one caller that is to look the key up again.
    pub(crate) fn claim_recheck(&self, now: Timestamp) -> bool {
        claim(&self.checked_ms, now, RECHECK_AFTER)
    }

    /// True for the one caller that is to record the use.
    pub(crate) fn claim_recording(&self, now: Timestamp) -> bool {
        self.used_ms
            .store(now.timestamp_millis(), Ordering::Relaxed);
        claim(&self.recorded_ms, now, RECORD_USE_EVERY)
    }

    /// The same key as it is stored now; its buckets stay as full as they are.
    fn renewed(&self, new: &Self) -> Self {
        let same = (new.buckets.factor, new.buckets.own_per_second)
            == (self.buckets.factor, self.buckets.own_per_second);
        let copied = |ms: &AtomicI64| AtomicI64::new(ms.load(Ordering::Relaxed));
        Self {
            key: new.key.clone(),
            merchant: Arc::clone(&new.merchant),
            buckets: Arc::clone(if same { &self.buckets } else { &new.buckets }),
            checked_ms: copied(&new.checked_ms),
            used_ms: copied(&new.used_ms),
            recorded_ms: copied(&self.recorded_ms),
        }
    }
}

fn claim(last_ms: &AtomicI64, now: Timestamp, every: Duration) -> bool {
    let (now, last) = (now.timestamp_millis(), last_ms.load(Ordering::Relaxed));
    let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
    now.saturating_sub(last) >= every
        && last_ms
            .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
}

/// How many changes of keys there were before something was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen(u64);

/// The entries, by id.
#[derive(Debug, Default)]
pub(crate) struct KeyCache {
    entries: DashMap<KeyId, Arc<CachedKey>>,
    changes: AtomicU64,
}

impl KeyCache {
    pub(crate) fn find(&self, id: KeyId) -> Option<Arc<CachedKey>> {
        self.entries.get(&id).map(|entry| Arc::clone(&entry))
    }

    /// To be taken before a key is read that is to be kept.
    pub(crate) fn seen(&self) -> Seen {
        Seen(self.changes.load(Ordering::Acquire))
    }

    /// Keeps a key whose secret was proved, unless a key was changed since: it may be this one.
    pub(crate) fn keep(&self, new: Arc<CachedKey>, seen: Seen, now: Timestamp) -> Arc<CachedKey> {
        let id = new.key.id;
        let new = match self.find(id) {
            Some(old) if Arc::ptr_eq(&old, &new) => return old,
            Some(old) => Arc::new(old.renewed(&new)),
            None => new,
        };
        if self.entries.len() >= ENTRIES_MAX {
            self.make_room(now);
        }
        // Looked at under the entry's lock: whoever forgets counts first and removes afterwards.
        let entry = self.entries.entry(id);
        if self.seen() == seen {
            entry.insert(Arc::clone(&new));
        }
        new
    }

    /// Forgets a key, because it was revoked or changed.
    pub(crate) fn forget(&self, id: KeyId) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.entries.remove(&id);
    }

    /// Forgets a key that is not stored any more. No change: whoever names unknown keys must not keep
    /// others from being kept.
    pub(crate) fn drop_unknown(&self, id: KeyId) {
        self.entries.remove(&id);
    }

    /// Forgets keys that were not used for a while.
    pub(crate) fn sweep(&self, now: Timestamp) {
        self.retain_used_within(IDLE, now);
    }

    fn make_room(&self, now: Timestamp) {
        for within in [IDLE, Duration::from_secs(10), Duration::ZERO] {
            if self.entries.len() < ENTRIES_MAX {
                return;
            }
            self.retain_used_within(within, now);
        }
    }

    fn retain_used_within(&self, within: Duration, now: Timestamp) {
        let now = now.timestamp_millis();
        let within = i64::try_from(within.as_millis()).unwrap_or(i64::MAX);
        self.entries
            .retain(|_, entry| now.saturating_sub(entry.used_ms.load(Ordering::Relaxed)) < within);
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use engine::{
        api_keys::Scopes,
        clock,
        ids::{BalanceId, MerchantId, RelationshipId},
        money::Currency,
        random::SeededRandom,
        vault::{RootKey, Vault},
    };

    use super::*;

    struct Setting {
        random: Arc<SeededRandom>,
        vault: Vault,
    }

    impl Setting {
        fn new() -> Self {
            let random = Arc::new(SeededRandom::new(1));
            let vault = Vault::new(&RootKey::new([1; 32]), random.clone());
            Self { random, vault }
        }

        fn key_id(&self) -> KeyId {
            KeyId::generate(clock::EPOCH, &*self.random)
        }

        fn cached(&self, id: KeyId, own_per_second: Option<u32>, now: Timestamp) -> Arc<CachedKey> {
            let merchant = MerchantId::generate(clock::EPOCH, &*self.random);
            let wrapped = self.vault.generate_merchant_key(merchant);
            let relationship = RelationshipId::generate(clock::EPOCH, &*self.random);
            let key = ApiKey {
                id,
                kind: KeyKind::Reseller,
                digest: [0; 32],
                merchant,
                reseller: Some((relationship, BalanceId(1))),
                test: false,
                name: String::new(),
                last4: String::new(),
                scopes: Scopes::default(),
                ip_allow_list: Vec::new(),
                rate_limit_per_second: own_per_second,
                created_at: clock::EPOCH,
                expires_at: None,
                revoked_at: None,
                retires_at: None,
                replaced_by: None,
                replaces: None,
                url_secret: None,
            };
            let merchant = Merchant {
                id: merchant,
                name: String::new(),
                storefront_url: None,
                currency: Currency::USD,
                key: self.vault.merchant_key(merchant, &wrapped).unwrap(),
                rate_limit_factor: 1,
            };
            Arc::new(CachedKey::new(key, Arc::new(merchant), now))
        }
    }

    fn after(seconds: i64) -> Timestamp {
        clock::EPOCH + TimeDelta::days(1) + TimeDelta::seconds(seconds)
    }

    #[test]
    fn one_caller_looks_again_and_one_records_the_use() {
        let setting = Setting::new();
        let cached = setting.cached(setting.key_id(), None, after(0));
        assert!(!cached.claim_recheck(after(9)));
        assert!(cached.claim_recheck(after(10)));
        assert!(!cached.claim_recheck(after(10)));
        assert!(cached.claim_recording(after(0)));
        assert!(!cached.claim_recording(after(59)));
        assert!(cached.claim_recording(after(60)));
    }

    #[test]
    fn key_that_is_looked_up_again_keeps_its_bucket_as_full_as_it_was() {
        let (setting, cache) = (Setting::new(), KeyCache::default());
        let id = setting.key_id();
        let first = cache.keep(
            setting.cached(id, Some(1), after(0)),
            cache.seen(),
            after(0),
        );
        assert!(first.bucket(Class::Writes).charge(2).is_ok());
        let again = cache.keep(
            setting.cached(id, Some(1), after(10)),
            cache.seen(),
            after(10),
        );
        assert!(again.bucket(Class::Writes).charge(1).is_err());
        let raised = cache.keep(
            setting.cached(id, Some(2), after(20)),
            cache.seen(),
            after(20),
        );
        assert!(raised.bucket(Class::Writes).charge(4).is_ok());
    }

    #[test]
    fn keys_are_forgotten_when_told_and_when_idle() {
        let (setting, cache) = (Setting::new(), KeyCache::default());
        let [told, idle, used] = [(); 3].map(|()| setting.key_id());
        for id in [told, idle, used] {
            cache.keep(setting.cached(id, None, after(0)), cache.seen(), after(0));
        }
        cache.forget(told);
        assert!(cache.find(told).is_none());
        cache.find(used).unwrap().claim_recording(after(299));
        cache.sweep(after(300));
        assert!(cache.find(idle).is_none());
        assert!(cache.find(used).is_some());
    }

    #[test]
    fn key_that_was_read_before_it_was_revoked_is_not_kept() {
        let (setting, cache) = (Setting::new(), KeyCache::default());
        let id = setting.key_id();
        let (seen, read) = (cache.seen(), setting.cached(id, None, after(0)));
        cache.forget(id);
        let used = cache.keep(Arc::clone(&read), seen, after(0));
        assert_eq!(used.key.id, id);
        assert!(cache.find(id).is_none());
        cache.keep(read, cache.seen(), after(0));
        assert!(cache.find(id).is_some());
    }
}
