//! The filters of a list of fulfillments, read from its query.

use engine::{fulfillments::Channel, ids::ProductId};
use persistence::fulfillments::list::Filter;
use uuid::Uuid;

use super::answer;
use crate::{error::ApiError, extract::Query, wire::filters::time};

const CHANNELS: [Channel; 6] = [
    Channel::Api,
    Channel::Orders,
    Channel::Bulk,
    Channel::DynamicUrl,
    Channel::SignedUrl,
    Channel::Callback,
];
const STATUSES: [&str; 3] = [answer::STATUS, "PARTIALLY_REFUNDED", "REFUNDED"];

/// The filter, or none if no fulfillment can pass it.
pub(crate) fn read(query: &Query) -> Result<Option<Filter>, ApiError> {
    let product = query.get("product_id").map(|text| {
        // A malformed id is one that no product has.
        ProductId::parse(text).unwrap_or(ProductId::from_uuid(Uuid::nil()))
    });
    let filter = Filter {
        product,
        channel: query.get("channel").map(channel).transpose()?,
        from: time(query, "from")?,
        to: time(query, "to")?,
    };
    Ok(delivered(query)?.then_some(filter))
}

fn channel(text: &str) -> Result<Channel, ApiError> {
    let named = |known: &Channel| answer::channel(*known).eq_ignore_ascii_case(text);
    let found = CHANNELS.into_iter().find(named);
    found.ok_or_else(|| ApiError::field("channel", "is not a known channel"))
}

/// Whether the statuses asked for include the one that there is.
fn delivered(query: &Query) -> Result<bool, ApiError> {
    let Some(text) = query.get("status") else {
        return Ok(true);
    };
    let mut delivered = false;
    for status in text.split(',') {
        let named = |known: &&str| known.eq_ignore_ascii_case(status);
        let Some(known) = STATUSES.into_iter().find(named) else {
            return Err(ApiError::field("status", "is not a known status"));
        };
        delivered |= known == answer::STATUS;
    }
    Ok(delivered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(query: &str) -> Result<Option<Filter>, ApiError> {
        read(&Query::parse(query).ok().unwrap())
    }

    #[test]
    fn filters_are_read_whatever_their_case() {
        let filter = read_text(
            "channel=dynamic_url&status=refunded,delivered&from=2025-12-01T00:00:00%2B01:00",
        );
        let filter = filter.ok().flatten().unwrap();
        assert_eq!(filter.channel, Some(Channel::DynamicUrl));
        assert_eq!(
            filter.from.unwrap().to_rfc3339(),
            "2025-11-30T23:00:00+00:00"
        );
    }

    #[test]
    fn status_that_nothing_has_yet_gives_an_empty_list() {
        assert_eq!(read_text("status=REFUNDED").ok().unwrap(), None);
    }

    #[test]
    fn unknown_values_are_refused() {
        for query in ["status=X", "status=", "channel=X", "from=yesterday", "to=1"] {
            assert!(read_text(query).is_err(), "{query}");
        }
    }
}
