//! Filters that many lists have.

use engine::clock::Timestamp;

use crate::{error::ApiError, extract::Query};

/// A time in the query, if it is there.
pub(crate) fn time(query: &Query, name: &'static str) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = query.get(name) else {
        return Ok(None);
    };
    super::time::read(text).map(Some).ok_or_else(|| {
        ApiError::field(
            name,
            "must be a time since 1970 such as 2025-12-01T08:00:00.000Z",
        )
    })
}

/// True or false in the query, if it is there.
pub(crate) fn flag(query: &Query, name: &'static str) -> Result<Option<bool>, ApiError> {
    match query.get(name) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(ApiError::field(name, "must be true or false")),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::extract::query::escaped;

    fn read(raw: &str) -> Result<Option<i64>, ApiError> {
        let time = time(&Query::parse(raw)?, "from")?;
        Ok(time.map(|time| time.timestamp()))
    }

    proptest! {
        #[test]
        fn any_range_is_read_as_it_was_meant_or_refused(
            text in r"[0-9TZ:+.% -]{0,30}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z",
            seconds in -1_000_000_000_i64..4_000_000_000,
        ) {
            let _read_or_refused = read(&format!("from={text}"));
            let at = DateTime::from_timestamp(seconds, 0).unwrap().to_rfc3339();
            let read = read(&format!("from={}", escaped(&at)));
            prop_assert_eq!(read.ok(), (seconds >= 0).then_some(Some(seconds)));
        }
    }

    #[test]
    fn times_with_any_offset_are_read() {
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("from=1970-01-01T00:01:00Z"), Ok(Some(60)));
        assert_eq!(read("from=1970-01-01T01:01:00.5%2B01:00"), Ok(Some(60)));
        for raw in [
            "from=",
            "from=60",
            "from=1970-01-01",
            "from=1969-12-31T23:59:59Z",
        ] {
            assert!(read(raw).is_err(), "{raw}");
        }
    }
}
