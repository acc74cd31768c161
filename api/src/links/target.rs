//! Where a link leads: an address that the merchant allowed, else the merchant's shop; of a merchant without a shop
//! the page of the link's product here.
//!
//! Keeps: nobody is sent to a host that the merchant does not allow at this moment, whatever was allowed
//! when the link was made.

use engine::{
    ids::{MerchantId, ProductId},
    links::Target,
};
use persistence::{Database, links::Found, merchants, programs};
use reqwest::Url;

use crate::{checkout::product_path, error::ApiError, state::App};

const URL_BYTES_MAX: usize = 2000;

/// The parameter that carries the token to the merchant's shop.
pub(crate) const TOKEN: &str = "consign_ref";
/// The parameter that names the product that a link is for.
pub(crate) const PRODUCT: &str = "consign_product";

/// Where somebody is led.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To the merchant, who is told in the address by which link.
    Away(Url),
    /// To a page of ours, which reads the cookie.
    Here(String),
}

/// What decides where links of a merchant lead: its shop, and the hosts that it allows.
pub(crate) struct Ground {
    shop: Option<Url>,
    hosts: Vec<String>,
}

impl Ground {
    /// As it is stored now: a link leads elsewhere as soon as its merchant says so.
    pub(crate) async fn of(
        database: &Database,
        merchant: MerchantId,
    ) -> Result<Self, persistence::Error> {
        let shop = merchants::settings(database, merchant)
            .await?
            .storefront_url;
        let program = programs::find(database, merchant).await?;
        let hosts = program.map(|program| program.redirect_hosts);
        Ok(Self::new(shop.as_deref(), hosts.unwrap_or_default()))
    }

    fn new(shop: Option<&str>, hosts: Vec<String>) -> Self {
        let shop = shop.and_then(|url| Url::parse(url).ok());
        Self { shop, hosts }
    }

    fn way(&self, own: Option<&str>, product: Option<ProductId>) -> Option<Way> {
        let own = own.and_then(|url| allowed(url, &self.hosts, self.shop.as_ref()));
        match (own.or_else(|| self.shop.clone()), product) {
            (Some(mut url), Some(product)) => {
                let product = product.to_string();
                url.query_pairs_mut().append_pair(PRODUCT, &product);
                Some(Way::Away(url))
            }
            (Some(url), None) => Some(Way::Away(url)),
            (None, Some(product)) => Some(Way::Here(product_path(product))),
            (None, None) => None,
        }
    }

    /// The address to which a link leads now, without `consign_ref`; none if it leads nowhere.
    pub(super) fn preview(&self, target: &Target, origin: &str) -> Option<String> {
        let way = match target {
            Target::Shop => self.way(None, None),
            Target::Product(product) => self.way(None, Some(*product)),
            Target::Url(url) => self.way(Some(url), None),
        };
        way.map(|way| match way {
            Way::Away(url) => url.into(),
            Way::Here(path) => format!("{origin}{path}"),
        })
    }
}

/// The way, or none: the merchant has no shop to lead to, and the link no product.
pub(super) fn target(found: &Found) -> Option<Way> {
    let ground = Ground::new(found.storefront_url.as_deref(), found.hosts.clone());
    ground.way(found.target_url.as_deref(), found.target_product)
}

/// The address if it is one that links may lead to: https, without a name or a port of its own, to a host
/// of the merchant's list or to the host of its shop.
pub(crate) fn allowed(url: &str, hosts: &[String], shop: Option<&Url>) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let plain = url.scheme() == "https"
        && url.username().is_empty()
        && url.password().is_none()
        && url.port().is_none();
    let host = url.host_str()?;
    let listed = hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
    let at_shop = shop.is_some_and(|shop| shop.host_str() == Some(host));
    (plain && (listed || at_shop)).then_some(url)
}

/// An address that a link may lead to now.
pub(super) async fn checked(
    app: &App,
    merchant: MerchantId,
    url: String,
) -> Result<Target, ApiError> {
    let ground = Ground::of(&app.database, merchant).await?;
    let led = allowed(&url, &ground.hosts, ground.shop.as_ref());
    if url.len() <= URL_BYTES_MAX && led.is_some() {
        return Ok(Target::Url(url));
    }
    let message = "must be an https address at the merchant's shop or at a host that it allows";
    Err(ApiError::field("target_url", message))
}

/// A link leads to one thing.
pub(super) fn both() -> ApiError {
    ApiError::field("target_url", "must not stand beside `target_product_id`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_of_the_list_and_the_shop_are_led_to() {
        let hosts = ["pages.merchant.example".to_owned()];
        let shop = Url::parse("https://shop.merchant.example/").unwrap();
        for (url, led) in [
            ("https://pages.merchant.example/sale?x=1", true),
            ("https://PAGES.merchant.example/", true),
            ("https://shop.merchant.example/p", true),
            ("https://pages.merchant.example:443/", true),
            ("http://pages.merchant.example/", false),
            ("https://pages.merchant.example:8443/", false),
            ("https://pages.merchant.example@evil.example/", false),
            ("https://me@pages.merchant.example/", false),
            ("https://evil.example/pages.merchant.example", false),
            ("https://evil.example\\@pages.merchant.example/", false),
            ("https://pages.merchant.example.evil.example/", false),
            ("//pages.merchant.example/", false),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("", false),
        ] {
            let found = allowed(url, &hosts, Some(&shop));
            assert_eq!(found.is_some(), led, "{url}");
        }
    }
}
