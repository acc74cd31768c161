//! The signature of a dynamic URL: hex HMAC-SHA256 over a canonical form of its query.
//!
//! Canonical are the lines `v1`, `GET`, the path, and all parameters but `sig`, sorted by name, as
//! `name=value` joined by `&`, values percent-encoded by RFC 3986. The order and the escaping of the
//! address itself do not matter.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::PATH;
use crate::extract::Query;

/// Reads a signature of 64 hex digits.
pub(super) fn parse(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut signature = [0; 32];
    for (byte, pair) in signature.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
    }
    Some(signature)
}

/// Whether the signature was made with this secret over this query. Takes as long either way.
pub(super) fn holds(secret: &str, query: &Query, signature: &[u8; 32]) -> bool {
    sign(secret, query).ct_eq(signature).into()
}

/// The signature over a query, whatever `sig` it has.
pub(crate) fn sign(secret: &str, query: &Query) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes any key");
    mac.update(canonical(query).as_bytes());
    mac.finalize().into_bytes().into()
}

fn canonical(query: &Query) -> String {
    let mut pairs: Vec<_> = query.pairs().filter(|(name, _)| *name != "sig").collect();
    pairs.sort_unstable();
    let mut text = format!("v1\nGET\n{PATH}\n");
    for (index, (name, value)) in pairs.into_iter().enumerate() {
        if index > 0 {
            text.push('&');
        }
        escape(name, &mut text);
        text.push('=');
        escape(value, &mut text);
    }
    text
}

/// Everything but the unreserved characters of RFC 3986 as `%XX`.
fn escape(value: &str, text: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("writing to a string");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn query(raw: &str) -> Query {
        Query::parse(raw).ok().unwrap()
    }

    #[test]
    fn canonical_form_is_the_documented_one() {
        let read = query(
            "ts=1764576000&sig=00&external_order_id=77&customer_email=ann%2Bk%40example.com&quantity=1&product_id=prd_x&note=a+b~",
        );
        assert_eq!(
            canonical(&read),
            "v1\nGET\n/reseller/v1/fulfillments/dynamic\n\
             customer_email=ann%2Bk%40example.com&external_order_id=77&note=a%20b~&product_id=prd_x\
             &quantity=1&ts=1764576000"
        );
    }

    #[test]
    fn signature_is_the_hmac_of_the_canonical_form() {
        // Made with another implementation: printf '…' | openssl dgst -sha256 -hmac secret
        let expected = include_str!("signature.hex").trim();
        let signed = sign("secret", &query("b=2&a=1"));
        assert_eq!(parse(expected), Some(signed));
    }

    #[test]
    fn only_64_hex_digits_are_a_signature() {
        let valid = "0123456789abcdefABCDEF".repeat(3)[..64].to_owned();
        assert!(parse(&valid).is_some());
        for text in [
            "",
            "00",
            &valid[..63],
            &format!("{valid}0"),
            &valid.replace('0', "g"),
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_changed_parameter_breaks_the_signature(
            value in "[a-z0-9@. ]{1,20}", other in "[a-z0-9@. ]{1,20}",
        ) {
            let of = |value: &str| query(&format!("a={}&b=1", value.replace(' ', "+")));
            let signature = sign("secret", &of(&value));
            prop_assert!(holds("secret", &of(&value), &signature));
            prop_assert!(!holds("other", &of(&value), &signature));
            prop_assert_eq!(holds("secret", &of(&other), &signature), value == other);
        }

        #[test]
        fn any_text_is_read_or_none(text in ".{0,80}") {
            let _read_or_none = parse(&text);
        }
    }
}
