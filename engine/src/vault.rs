//! Seals and opens serials and e-mail addresses, and makes the keyed digests.
//!
//! One root key lies outside the database. Everything else is derived from it (HKDF-SHA256, one
//! label per use) or wrapped by it. A merchant's serials are sealed with `XChaCha20-Poly1305` under
//! that merchant's data key; the associated data names merchant and object, so a row moved to
//! another tenant or another serial does not open.

use std::{fmt, sync::Arc};

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    ids::{
        BalanceId, ConnectionId, KeyId, MailId, MerchantId, PersonId, SerialId, StoreId, WebhookId,
    },
    random::Random,
};

const NONCE_LEN: usize = 24;
const KEY_LEN: usize = 32;
/// What is sealed at installation and opened at every start, to prove that the root key is the one.
const CANARY: &[u8] = b"consign";

/// The key everything hangs on: 32 bytes from a file or the environment.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct RootKey([u8; KEY_LEN]);

impl RootKey {
    pub const fn new(bytes: [u8; KEY_LEN]) -> Self {
        Self(bytes)
    }
}

/// A sealed text does not open: wrong key, or a row that was moved or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open under its key")]
pub struct OpenError;

/// Nonce and ciphertext of something sealed. Cloning shares the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Arc<[u8]>);

impl Sealed {
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed")
    }
}

/// A secret in the clear: zeroized when dropped, and without a text form that a log could take.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Zeroize, ZeroizeOnDrop)]
pub struct Opened(String);

impl Opened {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for an answer, an export or a mail.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened")
    }
}

/// A keyed digest of the secret of one serial, to find that secret a second time.
pub type SerialFingerprint = [u8; 16];

/// Everything that is derived from the root key.
#[derive(Clone)]
pub struct Vault {
    wrapping: XChaCha20Poly1305,
    serials: Hmac<Sha256>,
    requests: Hmac<Sha256>,
    api_keys: Hmac<Sha256>,
    links: Hmac<Sha256>,
    embeds: Hmac<Sha256>,
    pages: Hmac<Sha256>,
    random: Arc<dyn Random>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    pub fn new(root: &RootKey, random: Arc<dyn Random>) -> Self {
        let root = Hkdf::<Sha256>::new(None, &root.0);
        Self {
            wrapping: XChaCha20Poly1305::new(&derive(&root, b"consign wrapping v1").into()),
            serials: keyed(&derive(&root, b"consign serial fingerprints v1")),
            requests: keyed(&derive(&root, b"consign request fingerprints v1")),
            api_keys: keyed(&derive(&root, b"consign api keys v1")),
            links: keyed(&derive(&root, b"consign links v1")),
            embeds: keyed(&derive(&root, b"consign embeds v1")),
            pages: keyed(&derive(&root, b"consign pages v1")),
            random,
        }
    }

    /// What to store at installation, so that a later start can tell a wrong root key.
    pub fn seal_canary(&self) -> Sealed {
        seal(&self.wrapping, &*self.random, CANARY, b"canary")
    }

    /// Whether this root key is the one that sealed the canary.
    pub fn opens_canary(&self, sealed: &Sealed) -> bool {
        open(&self.wrapping, sealed, b"canary").is_ok_and(|canary| canary == CANARY)
    }

    /// A new data key for a merchant, wrapped for storage.
    pub fn generate_merchant_key(&self, merchant: MerchantId) -> Sealed {
        let mut key = [0; KEY_LEN];
        self.random.fill(&mut key);
        let wrapped = seal(
            &self.wrapping,
            &*self.random,
            &key,
            merchant.uuid().as_bytes(),
        );
        key.zeroize();
        wrapped
    }

    /// Unwraps a merchant's data key.
    pub fn merchant_key(
        &self,
        merchant: MerchantId,
        wrapped: &Sealed,
    ) -> Result<MerchantKey, OpenError> {
        let mut key = open(&self.wrapping, wrapped, merchant.uuid().as_bytes())?;
        let bytes: [u8; KEY_LEN] = key.as_slice().try_into().map_err(|_| OpenError)?;
        key.zeroize();
        let cipher = XChaCha20Poly1305::new(&bytes.into());
        Ok(MerchantKey {
            merchant,
            cipher,
            random: Arc::clone(&self.random),
        })
    }

    /// The digest under which a merchant's secret is stored once.
    pub fn serial_fingerprint(&self, merchant: MerchantId, secret: &str) -> SerialFingerprint {
        digest(
            &self.serials,
            &[merchant.uuid().as_bytes(), secret.as_bytes()],
        )
    }

    /// The digest by which the items that went to a customer's address are found again.
    pub fn email_fingerprint(&self, merchant: MerchantId, email: &str) -> [u8; 16] {
        let parts = [b"email".as_slice(), merchant.uuid_bytes(), email.as_bytes()];
        digest(&self.requests, &parts)
    }

    /// The digest of a request's meaning; `parts` are delimited, so no two requests share a text.
    pub(crate) fn request_fingerprint(&self, parts: &[&[u8]]) -> [u8; 16] {
        digest(&self.requests, parts)
    }

    /// What proves that a text about a link was made here, and what a visitor is known by for a while.
    pub(crate) fn link_mac(&self, parts: &[&[u8]]) -> [u8; 16] {
        digest(&self.links, parts)
    }

    /// What proves that the token of a snippet was made here.
    pub(crate) fn embed_mac(&self, named: &[u8]) -> [u8; 16] {
        digest(&self.embeds, &[named])
    }

    /// What nobody can guess who does not have the root key: the address of a customer's own page.
    pub(crate) fn page_mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        whole_digest(&self.pages, parts)
    }

    /// What is stored of an API key: a keyed digest of its kind, id and secret.
    pub fn key_digest(&self, kind: &str, id: KeyId, secret: &str) -> [u8; 32] {
        let parts = [kind.as_bytes(), id.uuid_bytes(), secret.as_bytes()];
        whole_digest(&self.api_keys, &parts)
    }

    /// Seals the secret with which a reseller signs dynamic URLs: it is needed in clear to verify.
    pub fn seal_url_secret(&self, key: KeyId, secret: &str) -> Sealed {
        seal(
            &self.wrapping,
            &*self.random,
            secret.as_bytes(),
            key.uuid().as_bytes(),
        )
    }

    pub fn open_url_secret(&self, key: KeyId, sealed: &Sealed) -> Result<Opened, OpenError> {
        open_text(&self.wrapping, sealed, key.uuid().as_bytes())
    }

    /// Seals a mail until it is sent: it holds an address, and perhaps a link that opens something.
    pub fn seal_mail(&self, mail: MailId, letter: &[u8]) -> Sealed {
        let aad = labelled(*b"mail", mail.uuid());
        seal(&self.wrapping, &*self.random, letter, &aad)
    }

    /// Seals the secret with which events for a webhook are signed: it is needed in clear to sign.
    pub fn seal_webhook_secret(&self, webhook: WebhookId, secret: &str) -> Sealed {
        let aad = labelled(*b"hook", webhook.uuid());
        seal(&self.wrapping, &*self.random, secret.as_bytes(), &aad)
    }

    pub fn open_webhook_secret(
        &self,
        webhook: WebhookId,
        sealed: &Sealed,
    ) -> Result<Opened, OpenError> {
        let aad = labelled(*b"hook", webhook.uuid());
        open_text(&self.wrapping, sealed, &aad)
    }

    /// Seals the secret with which a reseller's shop signs its calls: it is needed in clear to verify.
    pub fn seal_connection_secret(&self, connection: ConnectionId, secret: &str) -> Sealed {
        let aad = labelled(*b"conn", connection.uuid());
        seal(&self.wrapping, &*self.random, secret.as_bytes(), &aad)
    }

    pub fn open_connection_secret(
        &self,
        connection: ConnectionId,
        sealed: &Sealed,
    ) -> Result<Opened, OpenError> {
        let aad = labelled(*b"conn", connection.uuid());
        open_text(&self.wrapping, sealed, &aad)
    }

    /// Seals what opens a merchant's shop on a payment server: it is needed in clear to ask there.
    pub fn seal_store_token(&self, store: StoreId, token: &str) -> Sealed {
        let aad = labelled(*b"stok", store.uuid());
        seal(&self.wrapping, &*self.random, token.as_bytes(), &aad)
    }

    pub fn open_store_token(&self, store: StoreId, sealed: &Sealed) -> Result<Opened, OpenError> {
        open_text(&self.wrapping, sealed, &labelled(*b"stok", store.uuid()))
    }

    /// Seals what a payment server signs its notices with.
    pub fn seal_store_notices(&self, store: StoreId, secret: &str) -> Sealed {
        let aad = labelled(*b"snot", store.uuid());
        seal(&self.wrapping, &*self.random, secret.as_bytes(), &aad)
    }

    pub fn open_store_notices(&self, store: StoreId, sealed: &Sealed) -> Result<Opened, OpenError> {
        open_text(&self.wrapping, sealed, &labelled(*b"snot", store.uuid()))
    }

    /// Seals what a person's one-time codes are made from: it is needed in clear to check one.
    pub fn seal_totp(&self, person: PersonId, secret: &[u8]) -> Sealed {
        let aad = labelled(*b"totp", person.uuid());
        seal(&self.wrapping, &*self.random, secret, &aad)
    }

    pub fn open_totp(&self, person: PersonId, sealed: &Sealed) -> Result<Vec<u8>, OpenError> {
        open(&self.wrapping, sealed, &labelled(*b"totp", person.uuid()))
    }

    pub fn open_mail(&self, mail: MailId, sealed: &Sealed) -> Result<Opened, OpenError> {
        open_text(&self.wrapping, sealed, &labelled(*b"mail", mail.uuid()))
    }
}

/// A merchant's data key: seals and opens this merchant's serials and its customers' addresses.
#[derive(Clone)]
pub struct MerchantKey {
    merchant: MerchantId,
    cipher: XChaCha20Poly1305,
    random: Arc<dyn Random>,
}

impl fmt::Debug for MerchantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MerchantKey")
    }
}

impl MerchantKey {
    pub fn seal_serial(&self, serial: SerialId, secret: &str) -> Sealed {
        seal(
            &self.cipher,
            &*self.random,
            secret.as_bytes(),
            &self.serial_data(serial),
        )
    }

    pub fn open_serial(&self, serial: SerialId, sealed: &Sealed) -> Result<Opened, OpenError> {
        open_text(&self.cipher, sealed, &self.serial_data(serial))
    }

    pub fn seal_email(&self, balance: BalanceId, email: &str) -> Sealed {
        seal(
            &self.cipher,
            &*self.random,
            email.as_bytes(),
            &self.email_data(balance),
        )
    }

    pub fn open_email(&self, balance: BalanceId, sealed: &Sealed) -> Result<Opened, OpenError> {
        open_text(&self.cipher, sealed, &self.email_data(balance))
    }

    /// Seals the address of a customer of one visit or one invoice.
    pub fn seal_customer(&self, of: Uuid, email: &str) -> Sealed {
        let data = pair(self.merchant.uuid(), of);
        seal(&self.cipher, &*self.random, email.as_bytes(), &data)
    }

    pub fn open_customer(&self, of: Uuid, sealed: &Sealed) -> Result<Opened, OpenError> {
        open_text(&self.cipher, sealed, &pair(self.merchant.uuid(), of))
    }

    // The import, and by it the product, is part of the serial's id.
    fn serial_data(&self, serial: SerialId) -> [u8; 32] {
        pair(self.merchant.uuid(), serial.uuid())
    }

    fn email_data(&self, balance: BalanceId) -> [u8; 32] {
        pair(
            self.merchant.uuid(),
            Uuid::from_u64_pair(u64::MAX, balance.0.unsigned_abs()),
        )
    }
}

fn labelled(label: [u8; 4], id: Uuid) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&label);
    bytes[4..].copy_from_slice(id.as_bytes());
    bytes
}

fn pair(first: Uuid, second: Uuid) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(first.as_bytes());
    bytes[16..].copy_from_slice(second.as_bytes());
    bytes
}

fn derive(root: &Hkdf<Sha256>, label: &[u8]) -> [u8; KEY_LEN] {
    let mut key = [0; KEY_LEN];
    root.expand(label, &mut key)
        .expect("32 bytes are a valid length for HKDF-SHA256");
    key
}

fn keyed(key: &[u8; KEY_LEN]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

fn digest(keyed: &Hmac<Sha256>, parts: &[&[u8]]) -> [u8; 16] {
    let bytes = whole_digest(keyed, parts);
    bytes[..16].try_into().expect("SHA-256 has 32 bytes")
}

fn whole_digest(keyed: &Hmac<Sha256>, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = keyed.clone();
    for part in parts {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn seal(cipher: &XChaCha20Poly1305, random: &dyn Random, msg: &[u8], aad: &[u8]) -> Sealed {
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce);
    let text = cipher
        .encrypt(&XNonce::from(nonce), Payload { msg, aad })
        .expect("a serial is far below the cipher's limit");
    let mut bytes = Vec::with_capacity(NONCE_LEN + text.len());
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(&text);
    Sealed(bytes.into())
}

fn open(cipher: &XChaCha20Poly1305, sealed: &Sealed, aad: &[u8]) -> Result<Vec<u8>, OpenError> {
    let (nonce, msg) = sealed.0.split_first_chunk::<NONCE_LEN>().ok_or(OpenError)?;
    cipher
        .decrypt(&XNonce::from(*nonce), Payload { msg, aad })
        .map_err(|_| OpenError)
}

fn open_text(cipher: &XChaCha20Poly1305, sealed: &Sealed, aad: &[u8]) -> Result<Opened, OpenError> {
    let bytes = open(cipher, sealed, aad)?;
    String::from_utf8(bytes).map(Opened).map_err(|_| OpenError)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock, ids::ImportId, random::SeededRandom};

    fn vault(seed: u8) -> Vault {
        Vault::new(
            &RootKey::new([seed; KEY_LEN]),
            Arc::new(SeededRandom::new(u64::from(seed))),
        )
    }

    #[test]
    fn serial_opens_only_for_its_merchant_and_its_id() {
        let vault = vault(1);
        let random = SeededRandom::new(9);
        let mine = MerchantId::generate(clock::EPOCH, &random);
        let other = MerchantId::generate(clock::EPOCH, &random);
        let wrapped = vault.generate_merchant_key(mine);
        let key = vault
            .merchant_key(mine, &wrapped)
            .expect("the right merchant");
        let import = ImportId::for_import(clock::EPOCH, &random);
        let sealed = key.seal_serial(import.serial(1), "LT-7QK2");

        let opened = key
            .open_serial(import.serial(1), &sealed)
            .expect("what was sealed");
        assert_eq!(opened.expose(), "LT-7QK2");
        assert_eq!(key.open_serial(import.serial(2), &sealed), Err(OpenError));
        assert!(vault.merchant_key(other, &wrapped).is_err());
        let wrapped = vault.generate_merchant_key(other);
        let foreign = vault
            .merchant_key(other, &wrapped)
            .expect("the right merchant");
        assert_eq!(
            foreign.open_serial(import.serial(1), &sealed),
            Err(OpenError)
        );
    }

    #[test]
    fn another_root_key_does_not_open_the_canary() {
        let canary = vault(1).seal_canary();
        assert!(vault(1).opens_canary(&canary));
        assert!(!vault(2).opens_canary(&canary));
    }

    #[test]
    fn digests_delimit_their_parts() {
        let vault = vault(1);
        assert_ne!(
            vault.request_fingerprint(&[b"ab", b"c"]),
            vault.request_fingerprint(&[b"a", b"bc"])
        );
    }

    #[test]
    fn secrets_have_no_debug_text() {
        assert_eq!(format!("{:?}", Opened::new("LT-7QK2")), "Opened");
        assert_eq!(format!("{:?}", Sealed::from_bytes(*b"LT-7QK2")), "Sealed");
    }
}
