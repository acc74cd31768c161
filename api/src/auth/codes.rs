//! One-time codes (RFC 6238: SHA-1, six digits, 30 seconds) and recovery codes.

use engine::{
    clock::Timestamp,
    ids::PersonId,
    random::Random,
    vault::{Opened, Sealed, Vault},
};
use sha2::{Digest as _, Sha256};
use totp_rs::{Builder, Totp};

use crate::error::{ApiError, Code};

/// What an authenticator shows beside the code.
const ISSUER: &str = "Consign";
const SECRET_LEN: usize = 20;
const RECOVERY_CODES: usize = 10;
/// Characters of a recovery code: 80 bits.
const RECOVERY_LEN: usize = 16;
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// What codes are made from.
pub(crate) struct Secret([u8; SECRET_LEN]);

impl Secret {
    pub(crate) fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0; SECRET_LEN];
        random.fill(&mut bytes);
        Self(bytes)
    }

    pub(crate) fn seal(&self, vault: &Vault, person: PersonId) -> Sealed {
        vault.seal_totp(person, &self.0)
    }

    pub(crate) fn open(vault: &Vault, person: PersonId, sealed: &Sealed) -> Result<Self, ApiError> {
        let opened = vault.open_totp(person, sealed).ok();
        let bytes = opened.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| {
            tracing::error!(person.id = %person, "the secret of one-time codes does not open");
            ApiError::new(Code::InternalError)
        })
    }

    /// The step of this code, if it is one of about now.
    pub(crate) fn step_of(&self, code: &str, now: Timestamp) -> Option<u64> {
        let seconds = u64::try_from(now.timestamp()).ok()?;
        self.totp("")?.check(code.trim(), seconds)
    }

    /// What an authenticator reads.
    pub(crate) fn url(&self, email: &str) -> Option<String> {
        self.totp(email)?.to_url().ok()
    }

    fn totp(&self, email: &str) -> Option<Totp> {
        let builder = Builder::new()
            .with_secret(self.0.to_vec())
            .with_issuer(Some(ISSUER))
            .with_account_name(email);
        builder.build().ok()
    }
}

/// New recovery codes, to be shown once.
pub(crate) fn recovery_codes(random: &dyn Random) -> Vec<String> {
    let mut bytes = [0; RECOVERY_CODES * RECOVERY_LEN];
    random.fill(&mut bytes);
    let character = |byte: &u8| char::from(ALPHABET[usize::from(byte & 31)]);
    let codes = bytes.chunks(RECOVERY_LEN);
    codes
        .map(|code| code.iter().map(character).collect())
        .collect()
}

/// What is stored of a recovery code; blanks, hyphens and capitals make no difference.
pub(crate) fn recovery_digest(code: &str) -> [u8; 32] {
    let plain: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    Sha256::digest(Opened::new(plain).expose()).into()
}
