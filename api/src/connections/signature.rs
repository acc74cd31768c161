//! Whether a shop signed a call: HMAC over the body as it came, compared in constant time.
//!
//! Keeps: each kind in its own way only, so what is signed for one purpose is no call; where a time is signed,
//! it is near.

use axum::http::HeaderMap;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use engine::{
    clock::Timestamp,
    connections::{Connection, Digest, Kind, SKEW_SECS_MAX},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};

/// Whether this secret of the connection signed this call.
pub(super) fn signed(
    connection: &Connection,
    secret: &str,
    (headers, body): (&HeaderMap, &[u8]),
    now: Timestamp,
) -> bool {
    let header = |name: &str| text_of(headers, name);
    let plain = |name: &str, digest: Digest| {
        header(name).is_some_and(|digits| over_body(digest, secret, digits, body))
    };
    match connection.kind {
        Kind::Shoppex => shoppex(secret, headers, body, now),
        Kind::SellAuth => plain("x-signature", Digest::Sha256),
        // The same body with and without escaped slashes: whichever was sent.
        Kind::Sellix => {
            plain("x-sellix-signature", Digest::Sha512)
                || plain("x-sellix-unescaped-signature", Digest::Sha512)
        }
        Kind::SellApp => plain("signature", Digest::Sha256),
        Kind::Custom => connection
            .custom
            .as_ref()
            .is_some_and(|custom| plain(&custom.signature_header, custom.digest)),
    }
}

/// A header that was sent once.
pub(super) fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

fn over_body(digest: Digest, secret: &str, digits: &str, body: &[u8]) -> bool {
    let (key, parts) = (secret.as_bytes(), [body]);
    match digest {
        Digest::Sha256 => {
            let digits = digits.strip_prefix("sha256=").unwrap_or(digits);
            holds::<Hmac<Sha256>>(key, &parts, digits)
        }
        Digest::Sha512 => {
            let digits = digits.strip_prefix("sha512=").unwrap_or(digits);
            holds::<Hmac<Sha512>>(key, &parts, digits)
        }
    }
}

/// `v1,t=<seconds>,h=<hex>` over `<delivery id>.<seconds>.<body>`.
fn shoppex(secret: &str, headers: &HeaderMap, body: &[u8], now: Timestamp) -> bool {
    let Some(delivery) = text_of(headers, "x-shoppex-delivery-id") else {
        return false;
    };
    let Some(signature) = text_of(headers, "x-shoppex-signature-v2") else {
        return false;
    };
    let mut parts = signature.split(',').map(str::trim);
    let is_v1 = parts.next() == Some("v1");
    let (mut time, mut digits) = (None, None);
    for part in parts {
        match part.split_once('=') {
            Some(("t", text)) => time = Some(text),
            Some(("h", text)) => digits = Some(text),
            _ => {}
        }
    }
    let (Some(time), Some(digits), true) = (time, digits, is_v1) else {
        return false;
    };
    let near = |at: i64| now.timestamp().abs_diff(at) <= SKEW_SECS_MAX;
    if !time.parse().is_ok_and(near) {
        return false;
    }
    let message = [delivery.as_bytes(), b".", time.as_bytes(), b".", body];
    let mut forms = secret_forms(secret).into_iter();
    forms.any(|key| holds::<Hmac<Sha256>>(&key, &message, digits))
}

/// A secret as it is given, and as what it may stand for: without its prefix, and that decoded.
fn secret_forms(secret: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.as_bytes().to_vec()];
    if let Some((_prefix, rest)) = secret.rsplit_once('_').filter(|(_, rest)| rest.len() >= 16) {
        forms.push(rest.as_bytes().to_vec());
        forms.extend(unhex(rest));
        forms.extend(BASE64_STANDARD.decode(rest).ok());
    }
    forms
}

fn holds<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]], digits: &str) -> bool {
    let Some(bytes) = unhex(digits) else {
        return false;
    };
    let mac = <M as KeyInit>::new_from_slice(key);
    let mut mac = mac.expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.verify_slice(&bytes).is_ok()
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = (0..digits.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use engine::clock::EPOCH;

    use super::*;

    #[test]
    fn signature_is_over_the_body_with_and_without_a_prefix() {
        // The digest that RFC 4231 gives for its second case.
        let (key, body) = ("Jefe", b"what do ya want for nothing?");
        let digits = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert!(over_body(Digest::Sha256, key, digits, body));
        assert!(over_body(
            Digest::Sha256,
            key,
            &format!("sha256={digits}"),
            body
        ));
        for wrong in ["", "5b", "zz", &digits[2..], &digits.replace('5', "6")] {
            assert!(!over_body(Digest::Sha256, key, wrong, body), "{wrong}");
        }
        assert!(!over_body(Digest::Sha256, "Jeff", digits, body));
        assert!(!over_body(Digest::Sha512, key, digits, body));
    }

    fn shoppex_headers(signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("x-shoppex-delivery-id", HeaderValue::from_static("d1"));
        headers.insert(
            "x-shoppex-signature-v2",
            HeaderValue::from_str(signature).unwrap(),
        );
        headers
    }

    #[test]
    fn time_that_a_shop_signed_is_near() {
        let (secret, body) = ("dynsec_0123456789abcdef", b"{}");
        let at = EPOCH.timestamp();
        let message = format!("d1.{at}.{{}}");
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(message.as_bytes());
        let bytes = mac.finalize().into_bytes();
        let digits = bytes
            .iter()
            .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let holds = |signature: &str, seconds: i64| {
            let now = EPOCH + chrono::TimeDelta::seconds(seconds);
            shoppex(secret, &shoppex_headers(signature), body, now)
        };
        let signature = format!("v1,t={at},h={digits}");
        assert!(holds(&signature, 0) && holds(&signature, 300) && holds(&signature, -300));
        assert!(!holds(&signature, 301) && !holds(&signature, -301));
        for wrong in [
            format!("v2,t={at},h={digits}"),
            format!("v1,t={},h={digits}", at + 1),
            format!("v1,t=soon,h={digits}"),
            format!("v1,h={digits}"),
            format!("v1,t={at}"),
        ] {
            assert!(!holds(&wrong, 0), "{wrong}");
        }
    }

    #[test]
    fn secret_is_tried_as_what_it_may_stand_for() {
        assert_eq!(secret_forms("plain-secret"), [b"plain-secret".to_vec()]);
        let forms = secret_forms("whsec_00112233445566778899aabbccddeeff");
        assert_eq!(forms[1], b"00112233445566778899aabbccddeeff");
        assert_eq!(forms[2][..3], [0x00, 0x11, 0x22]);
    }
}
