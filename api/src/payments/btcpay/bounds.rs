//! What a merchant's server says, bounded before it is stored or shown.
//!
//! Keeps: a link that a reseller or a customer is shown leads to the server that the merchant named, whose address
//! was checked; an id fits where it is stored and found by.

use engine::money::{Currency, Money};
use reqwest::Url;
use rust_decimal::Decimal;

const LINK_BYTES_MAX: usize = 2000;
const ID_BYTES_MAX: usize = 200;
/// Decimals that the finest coins have.
const COIN_DECIMALS: u32 = 8;

/// The page of an invoice, if it is one of this server.
pub(super) fn link(server: &str, link: String) -> Option<String> {
    let origin = |text: &str| {
        let url = Url::parse(text).ok()?;
        let plain = url.username().is_empty() && url.password().is_none();
        let origin = url.origin();
        (plain && origin.is_tuple()).then_some(origin)
    };
    let same = link.len() <= LINK_BYTES_MAX
        && origin(&link).is_some_and(|of_link| origin(server) == Some(of_link));
    same.then_some(link)
}

/// Whether a text is short and plain enough to be an id.
pub(super) fn is_id(text: &str) -> bool {
    (1..=ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What so much of a coin is worth, rounded down: many small payments are worth no more than their sum. A coin
/// cannot be divided at will, so one that is short by the finest part of it counts as whole.
pub(super) fn worth(value: Decimal, rate: Decimal, currency: Currency) -> Option<Money> {
    let finest = rate.checked_mul(Decimal::new(1, COIN_DECIMALS))?;
    let half = Decimal::new(5, u32::from(currency.decimals()) + 1);
    let worth = value.checked_mul(rate)?;
    currency.at_most(worth.checked_add(finest.min(half))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_leads_to_the_server_itself() {
        for (text, same) in [
            ("https://pay.example/i/1", true),
            ("https://pay.example:443/i/1", true),
            ("https://PAY.example/other", true),
            ("http://pay.example/i/1", false),
            ("https://pay.example:8443/i/1", false),
            ("https://pay.example.evil.example/i/1", false),
            ("https://ann@pay.example/i/1", false),
            ("https://pay.example@evil.example/", false),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("/i/1", false),
            ("", false),
        ] {
            let shown = link("https://pay.example/btcpay", text.to_owned());
            assert_eq!(shown.is_some(), same, "{text}");
        }
        let long = format!("https://pay.example/{}", "x".repeat(LINK_BYTES_MAX));
        assert_eq!(link("https://pay.example", long), None);
    }

    #[test]
    fn ids_are_short_and_plain() {
        let longest = "x".repeat(ID_BYTES_MAX);
        for (text, is) in [
            ("a-0", true),
            (longest.as_str(), true),
            ("", false),
            ("a b", false),
            ("é", false),
            (&"x".repeat(ID_BYTES_MAX + 1), false),
        ] {
            assert_eq!(is_id(text), is, "{text}");
        }
    }

    #[test]
    fn payments_are_worth_no_more_than_their_sum() {
        let number = |text: &str| text.parse::<Decimal>().expect("a number");
        for (value, rate, amount) in [
            // What the finest part of a coin is short.
            ("0.00039999", "62500", "25.00"),
            ("0.00039998", "62500", "24.99"),
            // Dust of a coin that is cheap.
            ("0.0051", "1", "0.00"),
            ("0.0099", "1", "0.00"),
            ("0.0199", "1", "0.01"),
            // However dear a coin is, half of the smallest amount is the most that is forgiven.
            ("0.00000001", "100000000", "1.00"),
            ("0.000000001", "9000000", "0.01"),
            ("0", "62500", "0.00"),
        ] {
            let amount = Currency::USD.parse_amount(amount).ok();
            let worth = worth(number(value), number(rate), Currency::USD);
            assert_eq!(worth, amount, "{value} at {rate}");
        }
        assert_eq!(worth(Decimal::MAX, Decimal::MAX, Currency::USD), None);
        assert_eq!(worth(number("-1"), number("5"), Currency::USD), None);
    }
}
