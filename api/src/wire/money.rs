//! Money on the wire: out as text with the currency's decimals, in from the decimal text as it was sent.
//!
//! A JSON number never becomes a float: its characters are read as they stand.

use std::fmt;

use engine::money::{Currency, Money, ParseError};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;

use crate::error::ApiError;

/// An amount as the caller wrote it: a string or a JSON number. Its currency is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Amount(String);

impl Amount {
    #[cfg(test)]
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The amount in this currency, or the error that names the field.
    pub(crate) fn read(&self, currency: Currency, field: &'static str) -> Result<Money, ApiError> {
        read(&self.0, currency, field)
    }
}

/// Reads an amount from its text; the error names the field.
pub(crate) fn read(text: &str, currency: Currency, field: &'static str) -> Result<Money, ApiError> {
    currency.parse_amount(text).map_err(|error| {
        let message = match error {
            ParseError::Malformed => {
                "must be a decimal number without sign or exponent, such as \"8.50\""
            }
            ParseError::TooFine => "has more decimals than the currency",
            ParseError::TooLarge => "is too large",
        };
        ApiError::field(field, message)
    })
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = || de::Error::custom("must be an amount: a string or a number");
        let raw = <&RawValue>::deserialize(deserializer)
            .map_err(|_| expected())?
            .get();
        match raw.as_bytes().first() {
            Some(b'"') => serde_json::from_str(raw).map(Self).map_err(|_| expected()),
            Some(b'-' | b'0'..=b'9') => Ok(Self(raw.to_owned())),
            _ => Err(expected()),
        }
    }
}

/// Room for the longest sum: 19 digits, a sign and a point.
const TEXT_LEN: usize = 24;

/// An amount that serializes as text with exactly the currency's decimals.
#[derive(Clone, Copy)]
pub(crate) struct MoneyText(pub(crate) Currency, pub(crate) Money);

/// A sum of amounts, which may be beyond what a balance can be; serializes like an amount.
#[derive(Clone, Copy)]
pub(crate) struct SumText(pub(crate) Currency, pub(crate) i64);

impl SumText {
    /// Writes the digits from behind; there are several amounts in every answer.
    fn write(self, text: &mut [u8; TEXT_LEN]) -> &str {
        let (mut rest, decimals) = (self.1.unsigned_abs(), usize::from(self.0.decimals()));
        let (mut at, mut digits) = (TEXT_LEN, 0);
        while rest > 0 || digits <= decimals {
            if digits == decimals && digits > 0 {
                at -= 1;
                text[at] = b'.';
            }
            at -= 1;
            text[at] = b'0' + u8::try_from(rest % 10).expect("a digit");
            rest /= 10;
            digits += 1;
        }
        if self.1 < 0 {
            at -= 1;
            text[at] = b'-';
        }
        std::str::from_utf8(&text[at..]).expect("digits are ASCII")
    }
}

impl Serialize for SumText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.write(&mut [0; TEXT_LEN]))
    }
}

impl MoneyText {
    fn write(self, text: &mut [u8; TEXT_LEN]) -> &str {
        SumText(self.0, self.1.minor()).write(text)
    }
}

impl fmt::Display for MoneyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.write(&mut [0; TEXT_LEN]))
    }
}

impl Serialize for MoneyText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.write(&mut [0; TEXT_LEN]))
    }
}

/// An amount as a JSON number, printed from its decimal text. Where the contract wants one.
#[derive(Clone, Copy)]
pub(crate) struct MoneyNumber(pub(crate) Currency, pub(crate) Money);

impl Serialize for MoneyNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = RawValue::from_string(MoneyText(self.0, self.1).to_string());
        number
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

/// The code of a currency.
#[derive(Clone, Copy)]
pub(crate) struct CurrencyCode(pub(crate) Currency);

impl Serialize for CurrencyCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.code())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn amounts_are_written_as_the_domain_writes_them(
            minor in -999_999_999_999_i64..=999_999_999_999,
            scale in 0_u32..12,
            code in prop::sample::select(vec!["USD", "JPY", "KWD"]),
        ) {
            let (currency, minor) = (Currency::parse(code).unwrap(), minor / 10_i64.pow(scale));
            let amount = Money::from_minor(minor).unwrap();
            let text = MoneyText(currency, amount).to_string();
            prop_assert_eq!(text, currency.display(amount).to_string());
        }
    }

    #[test]
    fn amounts_are_read_from_their_own_text() {
        for (json, minor) in [
            ("\"8.5\"", Some(850)),
            ("8.5", Some(850)),
            ("8.50", Some(850)),
            ("0.1", Some(10)),
            ("\"\\u0038.50\"", Some(850)),
            ("9999999999.99", Some(999_999_999_999)),
            ("8.501", None),
            ("1e2", None),
            ("-1", None),
            ("\"+1\"", None),
            ("\" 1\"", None),
            ("99999999999999999999", None),
        ] {
            let amount: Amount = serde_json::from_str(json).unwrap();
            let read = amount.read(Currency::USD, "max_total").ok();
            assert_eq!(read.map(Money::minor), minor, "{json}");
        }
    }

    #[test]
    fn other_types_are_no_amount() {
        for json in ["true", "null", "[1]", "{\"a\":1}"] {
            assert!(serde_json::from_str::<Amount>(json).is_err(), "{json}");
        }
    }
}
