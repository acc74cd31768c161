//! `GET` and `PATCH /dev/v1/settings`: what a merchant says of itself.
//!
//! A change is in force wherever the merchant is kept in memory within a minute.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    fulfillments::Email,
    merchants::{Change, NAME_CHARS_MAX, Settings},
};
use persistence::merchants;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::member::{Member, Owner, OwnerSteppedUp},
    error::ApiError,
    extract::Once,
    state::App,
    wire::{
        answer::Answer,
        fields::{Sent, Text},
        money::CurrencyCode,
        texts::{edit, line},
    },
};

const URL_BYTES_MAX: usize = 500;

/// What is not sent stays; null clears what a merchant may be without.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateSettings {
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    storefront_url: Sent<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    support_email: Sent<Text<Email>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = MerchantSettings)]
pub(crate) struct SettingsView {
    name: String,
    storefront_url: Option<String>,
    support_email: Option<String>,
    currency: CurrencyCode,
}

impl SettingsView {
    fn of(settings: Settings) -> Self {
        Self {
            support_email: settings.support_email,
            name: settings.name,
            storefront_url: settings.storefront_url,
            currency: CurrencyCode(settings.currency),
        }
    }
}

pub(crate) async fn get(
    State(app): State<App>,
    Owner(member): Owner,
) -> Result<Answer<SettingsView>, ApiError> {
    let found = merchants::settings(&app.database, member.merchant.id).await?;
    Ok(Answer::ok(SettingsView::of(found)))
}

pub(crate) async fn update(
    State(app): State<App>,
    OwnerSteppedUp(member): OwnerSteppedUp,
    once: Once<UpdateSettings>,
) -> Result<Response, ApiError> {
    once.run(app, member, answer).await
}

async fn answer(app: App, member: Member, wire: UpdateSettings) -> Result<Response, ApiError> {
    let name = line(wire.name, "name", NAME_CHARS_MAX)?;
    let change = Change {
        name: name.map(|name| name.trim().to_owned()),
        storefront_url: edit(&wire.storefront_url, |url| shop(url))?,
        support_email: edit(&wire.support_email, |Text(email)| {
            Ok(email.as_str().to_owned())
        })?,
    };
    let (merchant, by) = (member.merchant.id, (member.actor(), app.now()));
    let changed = merchants::change(&app.database, merchant, change, by).await?;
    Ok(Answer::ok(SettingsView::of(changed)).into_response())
}

/// The address of a shop: links and checkouts may lead to its host.
fn shop(url: &str) -> Result<String, ApiError> {
    let plain = url.len() <= URL_BYTES_MAX && url.bytes().all(|byte| byte.is_ascii_graphic());
    let parsed = Url::parse(url).ok().filter(|_| plain);
    let fits = parsed.is_some_and(|url| {
        let bare = url.username().is_empty() && url.password().is_none() && url.port().is_none();
        url.scheme() == "https" && bare && url.domain().is_some()
    });
    if fits {
        return Ok(url.to_owned());
    }
    let says = "must be an https address of a name, without a port, a user and a password";
    Err(ApiError::field("storefront_url", says))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shop_is_a_plain_address_by_name() {
        for (url, fits) in [
            ("https://shop.example", true),
            ("https://shop.example/de?ref=1", true),
            ("http://shop.example/", false),
            ("https://shop.example:8443/", false),
            ("https://me@shop.example/", false),
            ("https://10.0.0.1/", false),
            ("https://[::1]/", false),
            ("https://shop.example/a b", false),
            ("javascript:alert(1)", false),
            ("", false),
        ] {
            assert_eq!(shop(url).is_ok(), fits, "{url}");
        }
    }
}
