//! How events are signed: Standard Webhooks, HMAC-SHA256 under the secret of the webhook.
//!
//! Keeps: a signature covers id, time and body, so none of them can be exchanged; while a secret is being
//! replaced both sign, so a receiver that knows either one accepts.

use std::fmt::Write as _;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use engine::{random::Random, vault::Opened};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const PREFIX: &str = "whsec_";
const SECRET_BYTES: usize = 32;

/// A new secret, as its owner gets it.
pub(super) fn new_secret(random: &dyn Random) -> Opened {
    let mut bytes = [0; SECRET_BYTES];
    random.fill(&mut bytes);
    Opened::new(format!("{PREFIX}{}", BASE64_STANDARD.encode(bytes)))
}

/// What the header says: a signature for each secret.
pub(super) fn sign(secrets: &[Opened], id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut signatures = String::new();
    for secret in secrets {
        let text = secret.expose().trim_start_matches(PREFIX);
        // A secret is written by nobody but the function above.
        let key = BASE64_STANDARD.decode(text).unwrap_or_default();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes a key of any length");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
        let space = if signatures.is_empty() { "" } else { " " };
        write!(signatures, "{space}v1,{signature}").expect("a string takes any text");
    }
    signatures
}

#[cfg(test)]
mod tests {
    use engine::random::SeededRandom;

    use super::*;

    #[test]
    fn signature_is_the_one_that_the_standard_gives() {
        let secret = Opened::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signed = sign(
            std::slice::from_ref(&secret),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let both = sign(
            &[secret.clone(), secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(both, format!("{signed} {signed}"));
    }

    #[test]
    fn secrets_are_long_and_never_the_same() {
        let random = SeededRandom::new(1);
        let (one, other) = (new_secret(&random), new_secret(&random));
        assert_ne!(one.expose(), other.expose());
        let bytes = BASE64_STANDARD.decode(one.expose().strip_prefix(PREFIX).unwrap());
        assert_eq!(bytes.unwrap().len(), SECRET_BYTES);
    }
}
