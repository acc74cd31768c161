//! An address of Ethereum, and of what writes addresses as it does.

use std::fmt;

use super::keccak::keccak256;

const BYTES: usize = 20;

/// Twenty bytes, written as forty hex digits whose letters are upper case where EIP-55 says so.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EvmAddress([u8; BYTES]);

impl EvmAddress {
    pub const fn from_bytes(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    /// Of a public key, as its two coordinates.
    pub(super) fn of_key(coordinates: &[u8; 64]) -> Self {
        let digest = keccak256(coordinates);
        Self(*digest.last_chunk().expect("a digest is longer"))
    }

    /// As people write it: with its checksum. All in one case has none, and is refused for that.
    pub fn parse(text: &str) -> Option<Self> {
        let address = Self::of_digits(text.strip_prefix("0x")?)?;
        (address.to_string() == text).then_some(address)
    }

    /// As machines write it: forty hex digits in any case.
    pub fn of_digits(digits: &str) -> Option<Self> {
        if digits.len() != 2 * BYTES || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = [0; BYTES];
        for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&digits[at..at + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }

    pub const fn bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    /// As machines write it: forty hex digits in lower case.
    pub fn digits(&self) -> String {
        let digit = |nibble: u8| char::from_digit(nibble.into(), 16).expect("below sixteen");
        let both = |byte: &u8| [digit(byte >> 4), digit(byte & 0x0f)];
        self.0.iter().flat_map(both).collect()
    }
}

impl fmt::Display for EvmAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        let digest = keccak256(digits.as_bytes());
        f.write_str("0x")?;
        for (at, digit) in digits.chars().enumerate() {
            let byte = digest[at / 2];
            let nibble = if at % 2 == 0 { byte >> 4 } else { byte & 0x0f };
            let upper = nibble >= 8;
            fmt::Write::write_char(
                f,
                if upper {
                    digit.to_ascii_uppercase()
                } else {
                    digit
                },
            )?;
        }
        Ok(())
    }
}

impl fmt::Debug for EvmAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
