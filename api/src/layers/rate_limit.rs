//! Token buckets: how many calls a key may make, and how often an address may fail to authenticate.
//!
//! A key's buckets live beside the key in its cache, so charging one is a few atomic operations and
//! no look-up. Failures are counted in a table of fixed size: memory is bounded, and two addresses
//! that share a slot can only make each other's *failures* dearer.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use axum::http::HeaderValue;
use engine::clock::{self, Timestamp};
use governor::{
    InsufficientCapacity, Quota,
    clock::Clock,
    middleware::StateInformationMiddleware,
    state::{InMemoryState, NotKeyed},
};

use crate::error::{ApiError, Code};

/// The runtime's monotonic time, for the buckets.
#[derive(Debug, Clone, Copy)]
struct RuntimeClock;

impl Clock for RuntimeClock {
    type Instant = Instant;

    fn now(&self) -> Instant {
        clock::instant().into_std()
    }
}

/// Which bucket a call is charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Writes,
    Reads,
    DynamicUrl,
    Merchant,
    Session,
}

impl Class {
    const fn name(self) -> &'static str {
        match self {
            Self::Writes => "writes",
            Self::Reads => "reads",
            Self::DynamicUrl => "dynamic",
            Self::Merchant => "merchant",
            Self::Session => "session",
        }
    }

    /// Calls per second, and how many at once.
    const fn documented(self) -> (u32, u32) {
        match self {
            Self::Writes => (100, 200),
            Self::Reads | Self::Merchant => (50, 100),
            Self::DynamicUrl => (10, 40),
            Self::Session => (20, 60),
        }
    }
}

/// The most a bucket can give per second: finer than a nanosecond per call is not counted.
const PER_SECOND_MAX: u32 = 100_000_000;

type Limiter =
    governor::RateLimiter<NotKeyed, InMemoryState, RuntimeClock, StateInformationMiddleware>;

/// One bucket.
#[derive(Debug)]
pub(crate) struct Bucket {
    limiter: Limiter,
    policy: HeaderValue,
    name: &'static str,
    per_second: u32,
    burst: NonZeroU32,
}

/// What is left in a bucket, for the headers of the answer.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) policy: HeaderValue,
    name: &'static str,
    remaining: u32,
    full_in_secs: u32,
}

impl Standing {
    /// The header `RateLimit`.
    pub(crate) fn header(&self) -> HeaderValue {
        let Self {
            name,
            remaining,
            full_in_secs,
            ..
        } = self;
        HeaderValue::try_from(format!("\"{name}\";r={remaining};t={full_in_secs}"))
            .expect("a name and numbers are a header value")
    }
}

impl Bucket {
    /// A bucket of this class: the documented limit times the merchant's factor, or the key's own
    /// limit if that is lower.
    pub(crate) fn new(class: Class, factor: u32, own_per_second: Option<u32>) -> Self {
        let (per_second, burst) = class.documented();
        let scale = |limit: u32| limit.saturating_mul(factor.max(1)).min(PER_SECOND_MAX);
        let (mut per_second, mut burst) = (scale(per_second), scale(burst));
        if let Some(own) = own_per_second.filter(|own| *own < per_second) {
            per_second = own.max(1);
            burst = burst.min(per_second.saturating_mul(2));
        }
        let nonzero = |limit| NonZeroU32::new(limit).unwrap_or(NonZeroU32::MIN);
        let (rate, burst) = (nonzero(per_second), nonzero(burst));
        let quota = Quota::per_second(rate).allow_burst(burst);
        let window = burst.get().div_ceil(per_second);
        let name = class.name();
        let policy = HeaderValue::try_from(format!("\"{name}\";q={burst};w={window}"))
            .expect("a name and numbers are a header value");
        Self {
            limiter: governor::RateLimiter::direct_with_clock(quota, RuntimeClock)
                .with_middleware(),
            policy,
            name,
            per_second,
            burst,
        }
    }

    /// Takes the cost of a call, or says when to come back. A cost above the whole bucket takes all.
    pub(crate) fn charge(&self, cost: u32) -> Result<Standing, (Standing, ApiError)> {
        let Some(cost) = NonZeroU32::new(cost.min(self.burst.get())) else {
            return Ok(self.standing(0));
        };
        match self.limiter.check_n(cost) {
            Ok(Ok(snapshot)) => Ok(self.standing(snapshot.remaining_burst_capacity())),
            Ok(Err(until)) => {
                let wait = until.wait_time_from(RuntimeClock.now()).as_secs() + 1;
                let error = ApiError::new(Code::RateLimited).retry_after_secs(wait);
                Err((self.standing(0), error))
            }
            Err(InsufficientCapacity(_)) => {
                Err((self.standing(0), ApiError::new(Code::RateLimited)))
            }
        }
    }

    /// Takes what a call costs beyond the one that was charged for it, or all that the bucket can
    /// hold beside that one: the largest call must pass when the bucket is full. A refusal says when
    /// the whole call would pass, its first one included: whoever came back for the rest alone would
    /// spend it on the first one, for ever.
    pub(crate) fn charge_rest(&self, rest: u32) -> Result<Standing, (Standing, ApiError)> {
        let rest = rest.min(self.burst.get() - 1);
        self.charge(rest).map_err(|(standing, _)| {
            let (whole, burst) = (rest + 1, self.burst);
            let wait = whole.div_ceil(self.per_second).max(1);
            let message = format!(
                "This call takes {whole} of the {burst} calls that the limit of this key holds at once."
            );
            let error = ApiError::saying(Code::RateLimited, message);
            (standing, error.retry_after_secs(u64::from(wait)))
        })
    }

    fn standing(&self, remaining: u32) -> Standing {
        Standing {
            policy: self.policy.clone(),
            name: self.name,
            remaining,
            full_in_secs: (self.burst.get() - remaining.min(self.burst.get()))
                .div_ceil(self.per_second),
        }
    }
}

/// Slots of the table of failures.
const SLOTS: usize = 1 << 15;
/// Failures of one address in a minute.
const FAILURES_MAX: u64 = 30;
/// Bits of a slot that count; the rest is the minute.
const COUNT_BITS: u32 = 16;

/// Failed authentications, by address and minute.
#[derive(Debug)]
pub(crate) struct Failures {
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Failures {
    pub(crate) fn new() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Whether this address failed too often to be looked up again.
    pub(crate) fn exhausted(&self, address: IpAddr, now: Timestamp) -> bool {
        let stored = self.slot(address).load(Ordering::Relaxed);
        stored >> COUNT_BITS == minute(now) && stored & COUNT_MASK >= FAILURES_MAX
    }

    /// Counts a failure.
    pub(crate) fn record(&self, address: IpAddr, now: Timestamp) {
        let minute = minute(now);
        let next = |stored: u64| {
            let same = stored >> COUNT_BITS == minute;
            let count = if same { (stored & COUNT_MASK) + 1 } else { 1 };
            Some(minute << COUNT_BITS | count.min(COUNT_MASK))
        };
        let _never_refused =
            self.slot(address)
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }

    fn slot(&self, address: IpAddr) -> &AtomicU64 {
        // One customer of an IPv6 network has a /64 at least.
        let network = match address {
            IpAddr::V4(v4) => u128::from(u32::from(v4)),
            IpAddr::V6(v6) => u128::from(v6) >> 64 << 64,
        };
        let hash = self.hasher.hash_one(network) % SLOTS as u64;
        &self.slots[usize::try_from(hash).expect("a slot's number is small")]
    }
}

const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

/// When an address that failed too often may try again.
pub(crate) fn too_many_failures(now: Timestamp) -> ApiError {
    let seconds = 60 - now.timestamp().rem_euclid(60);
    ApiError::saying(Code::RateLimited, "Too many failed authentications.")
        .retry_after_secs(seconds.unsigned_abs())
}

/// When an address that somebody tried to sign in under too often may be tried again.
pub(crate) fn too_many_sign_ins(now: Timestamp) -> ApiError {
    let error = ApiError::saying(Code::RateLimited, "Too many tries for this e-mail address.");
    error.retry_after_secs(super::tries::seconds_to_next(now))
}

/// When a person who read too many serials one by one may read the next.
pub(crate) fn too_many_readings(now: Timestamp) -> ApiError {
    let said = "Too many serials were read one by one. An export has them all.";
    let error = ApiError::saying(Code::RateLimited, said);
    error.retry_after_secs(super::tries::seconds_to_next(now))
}

/// Others read everything at this moment.
pub(crate) fn too_many_exports() -> ApiError {
    let said = "Other exports are under way. Ask again in a minute.";
    ApiError::saying(Code::RateLimited, said).retry_after_secs(60)
}

fn minute(now: Timestamp) -> u64 {
    now.timestamp().div_euclid(60).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn remaining(bucket: &Bucket, cost: u32) -> Option<u32> {
        bucket.charge(cost).ok().map(|standing| standing.remaining)
    }

    #[tokio::test(start_paused = true)]
    async fn bucket_gives_its_burst_and_then_its_rate() {
        let bucket = Bucket::new(Class::DynamicUrl, 1, None);
        assert_eq!(bucket.policy, "\"dynamic\";q=40;w=4");
        assert_eq!(remaining(&bucket, 39), Some(1));
        assert_eq!(remaining(&bucket, 1), Some(0));
        let (standing, error) = bucket.charge(1).unwrap_err();
        assert_eq!(error.code(), Code::RateLimited);
        assert_eq!(standing.header(), "\"dynamic\";r=0;t=4");
    }

    #[test]
    fn bulk_call_costs_its_rows_and_never_more_than_the_bucket() {
        let bucket = Bucket::new(Class::Writes, 1, Some(10));
        assert_eq!(bucket.policy, "\"writes\";q=20;w=2");
        assert_eq!(remaining(&bucket, 1), Some(19));
        assert!(bucket.charge_rest(99).is_ok());
        assert!(bucket.charge(1).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn bulk_call_passes_when_it_comes_back_as_told() {
        for own in [1, 3, 100] {
            let bucket = Bucket::new(Class::Writes, 1, Some(own));
            let bulk = || bucket.charge(1).and_then(|_| bucket.charge_rest(99));
            assert!(bulk().is_ok());
            tokio::time::advance(Duration::from_secs(1)).await;
            let mut refusals = 0;
            while let Err((_, error)) = bulk() {
                refusals += 1;
                assert_eq!(error.code(), Code::RateLimited);
                let response = axum::response::IntoResponse::into_response(error);
                let wait = response.headers()["retry-after"].to_str().unwrap();
                tokio::time::advance(Duration::from_secs(wait.parse().unwrap())).await;
            }
            assert!(refusals <= 1, "{own}");
        }
    }

    #[test]
    fn operator_raises_limits_and_a_key_lowers_them() {
        for (factor, own, policy) in [
            (1, None, "\"writes\";q=200;w=2"),
            (3, None, "\"writes\";q=600;w=2"),
            (3, Some(500), "\"writes\";q=600;w=2"),
            (1, Some(5), "\"writes\";q=10;w=2"),
            (1, Some(0), "\"writes\";q=2;w=2"),
            (1_000_000, None, "\"writes\";q=100000000;w=1"),
        ] {
            assert_eq!(Bucket::new(Class::Writes, factor, own).policy, policy);
        }
    }

    #[test]
    fn failures_count_by_address_and_minute() {
        let failures = Failures::new();
        let (address, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let now = clock::EPOCH;
        for _ in 0..FAILURES_MAX {
            assert!(!failures.exhausted(address, now));
            failures.record(address, now);
        }
        assert!(failures.exhausted(address, now));
        assert!(
            !failures.exhausted(other, now)
                || std::ptr::eq(failures.slot(address), failures.slot(other))
        );
        assert!(!failures.exhausted(address, now + chrono::TimeDelta::minutes(1)));
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_together() {
        let failures = Failures::new();
        let (a, b) = (
            "2001:db8::1".parse().unwrap(),
            "2001:db8::ffff:1".parse().unwrap(),
        );
        assert!(std::ptr::eq(failures.slot(a), failures.slot(b)));
    }
}
