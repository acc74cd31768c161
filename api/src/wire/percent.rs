//! Percentages: out as a JSON number, in from a number or text, in hundredths of a percent inside.
//!
//! Keeps: nothing passes through a float.

use engine::money::{Currency, Percent};
use serde::{Serialize, Serializer};

use super::money::Amount;
use crate::error::ApiError;

/// A percentage as a JSON number, written from whole hundredths.
pub(crate) struct Hundredths(pub(crate) u16);

impl From<Percent> for Hundredths {
    fn from(percent: Percent) -> Self {
        Self(percent.hundredths())
    }
}

/// Reads a percentage; the error names the field. Its two decimals are those of a dollar.
pub(crate) fn read(sent: &Amount, field: &'static str) -> Result<Percent, ApiError> {
    let hundredths = sent.read(Currency::USD, field).ok();
    let hundredths = hundredths.and_then(|read| u16::try_from(read.minor()).ok());
    hundredths
        .and_then(Percent::from_hundredths)
        .ok_or_else(|| ApiError::field(field, "must be 0 to 100 with at most two decimals"))
}

impl Serialize for Hundredths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(100) {
            return serializer.serialize_u16(self.0 / 100);
        }
        let text = format!("{}.{:02}", self.0 / 100, self.0 % 100);
        let number =
            serde_json::value::RawValue::from_string(text.trim_end_matches('0').to_owned());
        number
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_read_and_written_without_a_float() {
        for (sent, hundredths, written) in [
            ("15", Some(1500), "15"),
            ("12.5", Some(1250), "12.5"),
            ("\"0.01\"", Some(1), "0.01"),
            ("100", Some(10_000), "100"),
            ("100.01", None, ""),
            ("0.001", None, ""),
            ("-1", None, ""),
            ("1e1", None, ""),
        ] {
            let amount: Amount = serde_json::from_str(sent).unwrap();
            let percent = read(&amount, "percent").ok();
            assert_eq!(percent.map(Percent::hundredths), hundredths, "{sent}");
            if let Some(percent) = percent {
                let text = serde_json::to_string(&Hundredths::from(percent)).unwrap();
                assert_eq!(text, written, "{sent}");
            }
        }
    }
}
