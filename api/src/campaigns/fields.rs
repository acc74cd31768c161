//! What owners of campaigns write: pages that may show them, and what they are limited to.

use std::collections::BTreeSet;

use engine::{
    campaigns::{ORIGINS_MAX, SCOPE_MAX},
    ids::{ProductId, VariantId},
};
use persistence::campaigns::Named;
use reqwest::Url;

use crate::{error::ApiError, wire::fields::Text};

const ORIGIN_BYTES_MAX: usize = 300;

/// Products and variants that a campaign is limited to.
pub(super) fn named(
    products: Option<Vec<Text<ProductId>>>,
    variants: Option<Vec<Text<VariantId>>>,
) -> Result<Named, ApiError> {
    let products = products.unwrap_or_default();
    let variants = variants.unwrap_or_default();
    for (field, count) in [
        ("product_ids", products.len()),
        ("variant_ids", variants.len()),
    ] {
        if count > SCOPE_MAX {
            return Err(ApiError::field(field, "must name at most 100"));
        }
    }
    Ok(Named {
        products: products.into_iter().map(|id| id.0).collect(),
        variants: variants.into_iter().map(|id| id.0).collect(),
    })
}

/// Origins of pages, as browsers write them, each once.
pub(super) fn origins(sent: &[String]) -> Result<Vec<String>, ApiError> {
    let read: Option<BTreeSet<String>> = sent.iter().map(|text| origin(text)).collect();
    match read {
        Some(origins) if sent.len() <= ORIGINS_MAX => Ok(origins.into_iter().collect()),
        _ => Err(ApiError::field(
            "allowed_origins",
            "must be at most 20 origins such as `https://shop.example`",
        )),
    }
}

/// `https://` and a host, perhaps with a port; what stands in a header as it is.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text)
        .ok()
        .filter(|_| text.len() <= ORIGIN_BYTES_MAX)?;
    let bare = url.scheme() == "https"
        && url.path() == "/"
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let origin = url.origin().ascii_serialization();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:/[]".contains(&byte);
    (bare && origin.bytes().all(plain)).then_some(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_is_a_host_and_nothing_else() {
        for (text, read) in [
            ("https://shop.example", Some("https://shop.example")),
            ("https://SHOP.example/", Some("https://shop.example")),
            (
                "https://shop.example:8443",
                Some("https://shop.example:8443"),
            ),
            ("https://shop.example:443", Some("https://shop.example")),
            (
                "https://bücher.example",
                Some("https://xn--bcher-kva.example"),
            ),
            ("http://shop.example", None),
            ("https://shop.example/path", None),
            ("https://shop.example?x", None),
            ("https://shop.example#x", None),
            ("https://me@shop.example", None),
            ("https://shop.example; script-src *", None),
            ("https://*.example", None),
            ("https://shop.example https://evil.example", None),
            ("*", None),
            ("null", None),
            ("", None),
        ] {
            assert_eq!(origin(text).as_deref(), read, "{text}");
        }
    }

    #[test]
    fn origins_are_kept_once_and_twenty_at_most() {
        let twice = [
            "https://a.example".to_owned(),
            "https://a.example/".to_owned(),
        ];
        assert_eq!(origins(&twice).unwrap(), ["https://a.example"]);
        let many: Vec<_> = (0..21).map(|at| format!("https://a{at}.example")).collect();
        assert!(origins(&many[..20]).is_ok() && origins(&many).is_err());
    }
}
