//! What a key is made with, read and bounded.

use std::net::IpAddr;

use engine::{
    api_keys::{Scope, Scopes},
    clock::Timestamp,
    ids::ProductId,
};
use ipnet::IpNet;

use crate::{
    error::ApiError,
    wire::{
        fields::{Text, Whole},
        texts, time,
    },
};

const NAME_CHARS_MAX: usize = 80;
const NETS_MAX: usize = 32;
const PRODUCTS_MAX: usize = 500;
const QUANTITY_MAX: u32 = 100;
const RATE_MAX: u32 = 100;

pub(super) fn name(sent: Option<String>) -> Result<Option<String>, ApiError> {
    texts::line(sent, "name", NAME_CHARS_MAX)
}

pub(super) fn scopes(sent: &[String]) -> Result<Scopes, ApiError> {
    let parsed = sent.iter().map(|name| Scope::parse(name));
    let parsed: Option<Scopes> = parsed.collect();
    parsed.ok_or_else(|| ApiError::field("scopes", "must be names of scopes"))
}

pub(super) fn products(sent: Vec<Text<ProductId>>) -> Result<Vec<ProductId>, ApiError> {
    if sent.len() > PRODUCTS_MAX {
        return Err(ApiError::field("product_ids", "must be at most 500"));
    }
    let mut ids: Vec<_> = sent.into_iter().map(|Text(id)| id).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// CIDR blocks in one spelling; a single address is a block of its own.
pub(super) fn nets(sent: &[String]) -> Result<Vec<String>, ApiError> {
    if sent.len() > NETS_MAX {
        return Err(ApiError::field("ip_allow_list", "must be at most 32"));
    }
    let read = |text: &String| {
        let net = text.parse::<IpNet>().ok();
        let net = net.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        net.map(|net| net.trunc().to_string())
    };
    let nets: Option<Vec<_>> = sent.iter().map(read).collect();
    nets.ok_or_else(|| {
        ApiError::field(
            "ip_allow_list",
            "must be addresses or blocks such as 203.0.113.0/24",
        )
    })
}

pub(super) fn max_quantity(Whole(quantity): Whole) -> Result<u32, ApiError> {
    if (1..=QUANTITY_MAX).contains(&quantity) {
        Ok(quantity)
    } else {
        Err(ApiError::field("max_quantity", "must be from 1 to 100"))
    }
}

pub(super) fn rate(Whole(rate): Whole) -> Result<u32, ApiError> {
    if (1..=RATE_MAX).contains(&rate) {
        Ok(rate)
    } else {
        let message = "must be from 1 to 100";
        Err(ApiError::field("rate_limit_per_second", message))
    }
}

pub(super) fn expires_at(sent: &str) -> Result<Timestamp, ApiError> {
    let message = "must be a time such as 2026-12-01T08:00:00.000Z";
    time::read(sent).ok_or_else(|| ApiError::field("expires_at", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_blocks_in_one_spelling() {
        let read = |text: &str| nets(&[text.to_owned()]).ok().map(|mut nets| nets.remove(0));
        assert_eq!(read("10.1.2.3/8").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(read("203.0.113.7").as_deref(), Some("203.0.113.7/32"));
        assert_eq!(read("2001:DB8::1/32").as_deref(), Some("2001:db8::/32"));
        for text in ["", "10.0.0.0/33", "10.0.0", "example.com", "10.0.0.0/8 "] {
            assert_eq!(read(text), None, "{text:?}");
        }
        let many = vec!["10.0.0.1".to_owned(); NETS_MAX + 1];
        assert!(nets(&many).is_err());
    }
}
