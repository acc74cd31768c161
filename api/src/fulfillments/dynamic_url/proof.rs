//! How an address proves whose it is: by a key in it, or by a signature over it.

use std::{net::IpAddr, sync::Arc};

use engine::{api_keys::KeyText, clock::Timestamp, fulfillments::Channel, ids::KeyId};

use super::signature;
use crate::{
    auth::{key_cache::CachedKey, verify},
    error::ApiError,
    extract::Query,
    state::App,
};

/// How far the time stamp of a first execution may be off, in seconds.
const SKEW_SECS_MAX: u64 = 300;

pub(super) enum Proof {
    /// The vendor-compatible form: `api_key`.
    Key(KeyText),
    /// `key_id`, `ts` and `sig`.
    Signed(Signed),
}

/// A signature and when it was made.
pub(super) struct Signed {
    key: KeyId,
    at_secs: i64,
    signature: [u8; 32],
}

impl Proof {
    /// Reads the proof of a query; none if there is no complete one.
    pub(super) fn read(query: &Query) -> Option<Self> {
        if let Some(key) = query.get("api_key") {
            return KeyText::parse(key).map(Self::Key);
        }
        Some(Self::Signed(Signed {
            key: KeyId::parse(query.get("key_id")?)?,
            at_secs: query.get("ts")?.parse().ok()?,
            signature: signature::parse(query.get("sig")?)?,
        }))
    }

    /// The live key that this proves; everything else is the one 401.
    pub(super) async fn verify(
        &self,
        app: &App,
        query: &Query,
        address: IpAddr,
    ) -> Result<Arc<CachedKey>, ApiError> {
        match self {
            Self::Key(text) => verify::verify(app, text, address).await,
            Self::Signed(signed) => {
                let holds = |secret: &str| signature::holds(secret, query, &signed.signature);
                verify::verify_signed(app, signed.key, address, holds).await
            }
        }
    }

    pub(super) const fn channel(&self) -> Channel {
        match self {
            Self::Key(_) => Channel::DynamicUrl,
            Self::Signed(_) => Channel::SignedUrl,
        }
    }

    /// The parameters that carry the proof.
    pub(super) const fn parameters(&self) -> &'static [&'static str] {
        match self {
            Self::Key(_) => &["api_key"],
            Self::Signed(_) => &["key_id", "ts", "sig"],
        }
    }
}

impl Signed {
    /// Whether the address may still execute; later it may only replay.
    pub(super) fn fresh(&self, now: Timestamp) -> bool {
        now.timestamp().abs_diff(self.at_secs) <= SKEW_SECS_MAX
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn address_executes_for_five_minutes_around_its_time_stamp() {
        let signed = |at_secs| Signed {
            key: KeyId::from_uuid(uuid::Uuid::nil()),
            at_secs,
            signature: [0; 32],
        };
        let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
        for (at_secs, fresh) in [
            (1_000_000, true),
            (999_700, true),
            (999_699, false),
            (1_000_300, true),
            (1_000_301, false),
            (i64::MIN, false),
            (i64::MAX, false),
        ] {
            assert_eq!(signed(at_secs).fresh(now), fresh, "{at_secs}");
        }
    }

    #[test]
    fn incomplete_proofs_are_none() {
        for query in [
            "",
            "api_key=",
            "api_key=crk_live_x",
            "key_id=key_00000000000000000000000000&ts=1",
            "key_id=key_00000000000000000000000000&ts=x&sig=00",
        ] {
            assert!(
                Proof::read(&Query::parse(query).ok().unwrap()).is_none(),
                "{query}"
            );
        }
    }
}
