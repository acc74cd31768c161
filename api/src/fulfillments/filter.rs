//! The filters of a list of fulfillments, read from its query.

use engine::{
    fulfillments::{Channel, Standing},
    ids::ProductId,
};
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

pub(crate) fn read(query: &Query) -> Result<Filter, ApiError> {
    let product = query.get("product_id").map(|text| {
        // A malformed id is one that no product has.
        ProductId::parse(text).unwrap_or(ProductId::from_uuid(Uuid::nil()))
    });
    Ok(Filter {
        product,
        channel: query.get("channel").map(channel).transpose()?,
        from: time(query, "from")?,
        to: time(query, "to")?,
        statuses: statuses(query)?,
        customer: None,
    })
}

fn channel(text: &str) -> Result<Channel, ApiError> {
    let named = |known: &Channel| answer::channel(*known).eq_ignore_ascii_case(text);
    let found = CHANNELS.into_iter().find(named);
    found.ok_or_else(|| ApiError::field("channel", "is not a known channel"))
}

fn statuses(query: &Query) -> Result<Vec<Standing>, ApiError> {
    let Some(text) = query.get("status") else {
        return Ok(Vec::new());
    };
    let named = |status: &str| {
        let mut all = Standing::ALL.into_iter();
        let found = all.find(|known| known.name().eq_ignore_ascii_case(status));
        found.ok_or_else(|| ApiError::field("status", "is not a known status"))
    };
    text.split(',').map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(query: &str) -> Result<Filter, ApiError> {
        read(&Query::parse(query).ok().unwrap())
    }

    #[test]
    fn filters_are_read_whatever_their_case() {
        let filter = read_text(
            "channel=dynamic_url&status=refunded,delivered&from=2025-12-01T00:00:00%2B01:00",
        );
        let filter = filter.ok().unwrap();
        assert_eq!(filter.statuses, [Standing::Refunded, Standing::Delivered]);
        assert_eq!(filter.channel, Some(Channel::DynamicUrl));
        assert_eq!(
            filter.from.unwrap().to_rfc3339(),
            "2025-11-30T23:00:00+00:00"
        );
    }

    #[test]
    fn unknown_values_are_refused() {
        for query in ["status=X", "status=", "channel=X", "from=yesterday", "to=1"] {
            assert!(read_text(query).is_err(), "{query}");
        }
    }
}
