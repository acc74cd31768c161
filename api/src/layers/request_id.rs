//! The id under which a call is found in logs: the caller's own, or a new one.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use engine::random::Random;

pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const LENGTH_MAX: usize = 64;

/// Gives ids that do not repeat within a process and are unlikely to between two.
#[derive(Debug)]
pub(crate) struct RequestIds {
    seed: u64,
    count: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new(random: &dyn Random) -> Self {
        let mut seed = [0; 8];
        random.fill(&mut seed);
        Self {
            seed: u64::from_le_bytes(seed),
            count: AtomicU64::new(0),
        }
    }

    /// The caller's id if it is one, else a new one.
    pub(crate) fn of(&self, headers: &HeaderMap) -> HeaderValue {
        let own = headers.get(HEADER).filter(|id| is_id(id.as_bytes()));
        own.cloned().unwrap_or_else(|| self.generate())
    }

    fn generate(&self) -> HeaderValue {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        // Two rounds of an odd multiplication spread the count over all digits; each is a bijection.
        let mixed = (count ^ self.seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut rest = (mixed ^ (mixed >> 32)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mut text = [0; 16];
        for place in &mut text {
            *place = b"0123456789abcdef"[(rest & 15) as usize];
            rest >>= 4;
        }
        HeaderValue::from_bytes(&text).expect("hex digits are a header value")
    }
}

fn is_id(bytes: &[u8]) -> bool {
    (1..=LENGTH_MAX).contains(&bytes.len())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use engine::random::SeededRandom;

    use super::*;

    fn sent(id: &str) -> HeaderMap {
        HeaderMap::from_iter([(HEADER, HeaderValue::from_str(id).unwrap())])
    }

    #[test]
    fn callers_id_is_kept_only_if_it_is_harmless() {
        let ids = RequestIds::new(&SeededRandom::new(1));
        for (id, kept) in [
            ("a-B_9", true),
            (&"a".repeat(64), true),
            (&"a".repeat(65), false),
            ("", false),
            ("a b", false),
            ("a\"b", false),
        ] {
            assert_eq!(ids.of(&sent(id)) == id, kept, "{id}");
        }
    }

    #[test]
    fn new_ids_do_not_repeat() {
        let ids = RequestIds::new(&SeededRandom::new(1));
        let made: BTreeSet<_> = (0..10_000)
            .map(|_| ids.of(&HeaderMap::new()).to_str().unwrap().to_owned())
            .collect();
        assert_eq!(made.len(), 10_000);
    }
}
