//! An id or a digest: 128 bits, whatever they name.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TEXT_LEN: usize = 26;
const NO_VALUE: u8 = 255;
/// The value of each character: ids are read in every answer of a load test.
const VALUES: [u8; 256] = values();

const fn values() -> [u8; 256] {
    let mut values = [NO_VALUE; 256];
    let mut value = 0;
    while value < 32 {
        values[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    values
}

/// The bits of an id, without its kind; as text, 32 hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u128);

impl Id {
    /// Reads the public form, a prefix and 26 characters of base32: `prd_01h455vb4pex5vsknk084sn02q`.
    pub fn of_text(text: &str) -> Option<Self> {
        let (_, digits) = text.rsplit_once('_')?;
        Self::of_digits(digits.as_bytes())
    }

    /// Reads the 26 characters behind the prefix.
    pub fn of_digits(digits: &[u8]) -> Option<Self> {
        // 26 characters hold 130 bits: the first may only use its low three.
        if digits.len() != TEXT_LEN || digits[0] > b'7' {
            return None;
        }
        let bits = digits.iter().try_fold(0_u128, |bits, digit| {
            let value = VALUES[usize::from(*digit)];
            (value != NO_VALUE).then_some(bits << 5 | u128::from(value))
        });
        bits.map(Self)
    }

    /// A digest of a text that is compared and never shown: a serial, an e-mail address.
    pub fn digest(text: &[u8]) -> Self {
        let digest = Sha256::digest(text);
        let high = digest.iter().take(16);
        Self(high.fold(0, |bits, byte| bits << 8 | u128::from(*byte)))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16)
            .map(Self)
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_form_is_read() {
        let id = Id::of_text("prd_01h455vb4pex5vsknk084sn02q");
        assert_eq!(id, Some(Id(0x0189_0a5d_ac96_774b_bcce_b302_099a_8057)));
        for wrong in [
            "",
            "prd_",
            "prd_01h455vb4pex5vsknk084sn02",
            "prd_81h455vb4pex5vsknk084sn02q",
        ] {
            assert_eq!(Id::of_text(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn equal_texts_have_equal_digests() {
        assert_eq!(Id::digest(b"KEY-1"), Id::digest(b"KEY-1"));
        assert_ne!(Id::digest(b"KEY-1"), Id::digest(b"KEY-2"));
    }
}
