//! The text of a key: read, checked and made.

use crate::{ids::KeyId, random::Random, vault::Opened};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SECRET_LEN: usize = 43;
const CRC_LEN: usize = 6;
const ID_PREFIX: &str = "key_";

/// Whose key it is; the prefix of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    Reseller,
    Merchant,
}

impl KeyKind {
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Reseller => "crk",
            Self::Merchant => "cmk",
        }
    }
}

/// A well-formed key. Whether it exists is not known yet.
#[derive(Debug, Clone)]
pub struct KeyText {
    pub kind: KeyKind,
    pub test: bool,
    pub id: KeyId,
    pub secret: Opened,
}

impl KeyText {
    /// Makes a new secret for a key.
    pub fn generate(kind: KeyKind, test: bool, id: KeyId, random: &dyn Random) -> Self {
        Self {
            kind,
            test,
            id,
            secret: Opened::new(base62_secret(random)),
        }
    }

    /// Reads a key's text; `None` if its form or its checksum is wrong.
    pub fn parse(key: &str) -> Option<Self> {
        let (body, crc) = key.rsplit_once('_')?;
        if crc != checksum(body) {
            return None;
        }
        let mut parts = body.splitn(4, '_');
        let kind = match parts.next()? {
            "crk" => KeyKind::Reseller,
            "cmk" => KeyKind::Merchant,
            _ => return None,
        };
        let test = match parts.next()? {
            "live" => false,
            "test" => true,
            _ => return None,
        };
        let id = KeyId::parse(&format!("{ID_PREFIX}{}", parts.next()?))?;
        let secret = parts.next()?;
        let formed =
            secret.len() == SECRET_LEN && secret.bytes().all(|b| b.is_ascii_alphanumeric());
        formed.then(|| Self {
            kind,
            test,
            id,
            secret: Opened::new(secret),
        })
    }

    /// What may be shown of a key for ever: everything before the secret.
    pub fn public_prefix(kind: KeyKind, test: bool, id: KeyId) -> String {
        let id = id.to_string();
        let mode = if test { "test" } else { "live" };
        format!("{}_{mode}_{}", kind.prefix(), &id[ID_PREFIX.len()..])
    }

    /// The whole text, to be shown once.
    pub fn expose(&self) -> Opened {
        let prefix = Self::public_prefix(self.kind, self.test, self.id);
        let body = format!("{prefix}_{}", self.secret.expose());
        let crc = checksum(&body);
        Opened::new(format!("{body}_{crc}"))
    }

    /// The last four characters of the whole text, for people to tell keys apart.
    pub fn last4(&self) -> String {
        let text = self.expose();
        text.expose()[text.expose().len() - 4..].to_owned()
    }
}

/// 43 characters of base62: more than 256 bits.
pub fn base62_secret(random: &dyn Random) -> String {
    let mut secret = String::with_capacity(SECRET_LEN);
    let mut byte = [0];
    while secret.len() < SECRET_LEN {
        random.fill(&mut byte);
        // 248 is the largest multiple of 62 in a byte: beyond it the low characters would be likelier.
        if byte[0] < 248 {
            secret.push(char::from(BASE62[usize::from(byte[0] % 62)]));
        }
    }
    secret
}

fn checksum(body: &str) -> String {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut text = [b'0'; CRC_LEN];
    for place in text.iter_mut().rev() {
        *place = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock, random::SeededRandom};

    fn example() -> KeyText {
        let random = SeededRandom::new(3);
        KeyText::generate(
            KeyKind::Reseller,
            false,
            KeyId::generate(clock::EPOCH, &random),
            &random,
        )
    }

    #[test]
    fn key_reads_back() {
        let key = example();
        let read = KeyText::parse(key.expose().expose()).expect("a well-formed key");
        assert_eq!(
            (read.kind, read.test, read.id),
            (key.kind, key.test, key.id)
        );
        assert!(read.secret == key.secret);
    }

    #[test]
    fn any_changed_character_is_refused() {
        let text = example().expose();
        for at in 0..text.expose().len() {
            let mut bytes = text.expose().as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            let changed = String::from_utf8(bytes).expect("ASCII");
            assert!(KeyText::parse(&changed).is_none(), "changed at {at}");
        }
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "",
            "crk",
            "crk_live",
            "____",
            "crk_live_x_y_z",
            "sk_live_x_y_z",
        ] {
            assert!(KeyText::parse(text).is_none(), "{text}");
        }
    }
}
