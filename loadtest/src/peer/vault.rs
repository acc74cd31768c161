//! Keys, secrets and public ids of the peers.
//!
//! Keeps: the same work as in Consign - a MAC compared in constant time, XChaCha20-Poly1305 with a
//! random nonce around each address and serial - so that no peer is fast for want of care. The keys
//! are fixed: a peer's database holds made-up serials only.

use anyhow::anyhow;
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

const KEY: [u8; 32] = *b"peer databases hold made-up keys";
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const NONCE_LEN: usize = 24;

#[derive(Clone)]
pub(crate) struct Vault {
    cipher: XChaCha20Poly1305,
    mac: Hmac<Sha256>,
}

impl Vault {
    pub(crate) fn new() -> Self {
        Self {
            cipher: XChaCha20Poly1305::new(&KEY.into()),
            mac: <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&KEY)
                .expect("a MAC takes a key of any length"),
        }
    }

    pub(crate) fn seal(&self, context: &[u8], plain: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce)?;
        let sealed = self
            .cipher
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: plain,
                    aad: context,
                },
            )
            .map_err(|_| anyhow!("sealing failed"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    pub(crate) fn open(&self, context: &[u8], stored: &[u8]) -> anyhow::Result<String> {
        let (nonce, sealed) = stored
            .split_at_checked(NONCE_LEN)
            .ok_or_else(|| anyhow!("too short for a secret"))?;
        let nonce: [u8; NONCE_LEN] = nonce.try_into()?;
        let plain = self
            .cipher
            .decrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: sealed,
                    aad: context,
                },
            )
            .map_err(|_| anyhow!("a stored secret does not open"))?;
        Ok(String::from_utf8(plain)?)
    }

    pub(crate) fn mac(&self, secret: &[u8]) -> Vec<u8> {
        let mut mac = self.mac.clone();
        mac.update(secret);
        mac.finalize().into_bytes().to_vec()
    }

    /// Compares in constant time.
    pub(crate) fn verify(&self, secret: &[u8], mac: &[u8]) -> bool {
        let mut own = self.mac.clone();
        own.update(secret);
        own.verify_slice(mac).is_ok()
    }
}

/// What a serial is bound to: it opens in its own row only.
pub(crate) fn serial_context(serial_id: i64) -> [u8; 8] {
    serial_id.to_be_bytes()
}

/// `prefix_` and 26 characters, as all public ids.
pub(crate) fn public_id(prefix: &str, value: u128) -> String {
    let mut id = String::with_capacity(prefix.len() + 27);
    id.push_str(prefix);
    id.push('_');
    for place in (0..26).rev() {
        let digit = usize::try_from((value >> (place * 5)) & 31).expect("five bits fit");
        id.push(char::from(ALPHABET[digit]));
    }
    id
}

/// The number inside a public id of ours; none if it is not one.
pub(crate) fn row_id(prefix: &str, id: &str) -> Option<i64> {
    let digits = id.strip_prefix(prefix)?.strip_prefix('_')?;
    if digits.len() != 26 {
        return None;
    }
    let value = digits.bytes().try_fold(0_u128, |value, byte| {
        let digit = ALPHABET.iter().position(|&known| known == byte)?;
        Some((value << 5) | u128::try_from(digit).ok()?)
    })?;
    i64::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_id_carries_its_row() {
        let id = public_id("prd", 1_234_567);
        assert_eq!(id.len(), 30);
        assert_eq!(row_id("prd", &id), Some(1_234_567));
        assert_eq!(row_id("rel", &id), None);
        assert_eq!(row_id("prd", "prd_short"), None);
    }

    #[test]
    fn secret_opens_in_its_own_row_only() {
        let vault = Vault::new();
        let sealed = vault.seal(&serial_context(7), b"LT-7QK2").unwrap();
        assert_eq!(vault.open(&serial_context(7), &sealed).unwrap(), "LT-7QK2");
        assert!(vault.open(&serial_context(8), &sealed).is_err());
    }
}
