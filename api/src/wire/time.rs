//! Times as RFC 3339 in UTC with milliseconds: `2025-12-01T08:00:00.405Z`.

use chrono::{DateTime, Datelike, Timelike, Utc};
use engine::clock::Timestamp;
use serde::{Serialize, Serializer};

const LEN: usize = 24;

/// A time that serializes as text, without a detour over a format description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(write(self.0, &mut [0; LEN]))
    }
}

/// The text of a time.
pub(crate) fn text(at: Timestamp) -> String {
    write(at, &mut [0; LEN]).to_owned()
}

/// A time since 1970 with any offset; none if it is written in another way.
pub(crate) fn read(text: &str) -> Option<Timestamp> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    let time = time.with_timezone(&Utc);
    (time >= DateTime::UNIX_EPOCH).then_some(time)
}

fn write(at: Timestamp, text: &mut [u8; LEN]) -> &str {
    *text = *b"0000-00-00T00:00:00.000Z";
    let (date, time) = (at.date_naive(), at.time());
    let year = u32::try_from(date.year().clamp(0, 9999)).unwrap_or_default();
    // A leap second is written as the last millisecond of its minute.
    let millis = (time.nanosecond() / 1_000_000).min(999);
    for (number, from, digits) in [
        (year, 0, 4),
        (date.month(), 5, 2),
        (date.day(), 8, 2),
        (time.hour(), 11, 2),
        (time.minute(), 14, 2),
        (time.second(), 17, 2),
        (millis, 20, 3),
    ] {
        let mut rest = number;
        for place in text[from..from + digits].iter_mut().rev() {
            *place = b'0' + u8::try_from(rest % 10).expect("a digit");
            rest /= 10;
        }
    }
    std::str::from_utf8(text).expect("digits are ASCII")
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, SecondsFormat};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_is_what_the_standard_says(micros in 0_i64..253_402_300_800_000_000) {
            let at = DateTime::from_timestamp_micros(micros).unwrap();
            prop_assert_eq!(text(at), at.to_rfc3339_opts(SecondsFormat::Millis, true));
        }
    }
}
