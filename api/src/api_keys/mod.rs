//! API keys as their owners and merchants see them: everything but the secret.

pub(crate) mod create;
pub(crate) mod dynamic_url;
pub(crate) mod expiry;
mod fields;
mod keyring;
pub(crate) mod list;
mod owner;
mod refusal;
pub(crate) mod reset;
pub(crate) mod revoke;
pub(crate) mod rotate;
mod test_balance;
pub(crate) mod update;

use engine::{
    api_keys::{ApiKey, KeyText},
    balances::Spending,
    clock::Timestamp,
    ids::KeyId,
    money::{Currency, Money},
    relationships::KeyTerms,
};
use keyring::Keyring;
use owner::Owner;
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::{money::MoneyText, time::Time};

/// The wire form of a key.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(crate) struct Key {
    id: String,
    uniqid: String,
    name: String,
    prefix: String,
    last4: String,
    status: &'static str,
    test: bool,
    scopes: Vec<&'static str>,
    product_ids: Vec<String>,
    max_quantity: Option<u32>,
    ip_allow_list: Vec<String>,
    daily_spend_cap: Option<MoneyText>,
    // None while the balance cannot tell.
    spent_today: Option<MoneyText>,
    rate_limit_per_second: Option<u32>,
    expires_at: Option<Time>,
    retires_at: Option<Time>,
    replaced_by: Option<String>,
    last_used_at: Option<Time>,
    last_used_ip: Option<String>,
    created_at: Time,
}

/// When and from where a key was last used.
#[derive(Clone, Copy)]
pub(crate) struct LastUse {
    pub(crate) at: Option<Timestamp>,
    pub(crate) from: Option<std::net::IpAddr>,
}

/// What a key spent today, if it is known, and in which currency.
#[derive(Clone, Copy)]
pub(crate) struct SpentToday(pub(crate) Currency, pub(crate) Option<Money>);

impl Key {
    /// As it is stored, where nobody asks what it spent.
    pub(crate) fn stored(
        stored: &persistence::api_keys::StoredKey,
        currency: Currency,
        now: Timestamp,
    ) -> Self {
        let last_use = LastUse {
            at: stored.last_used_at,
            from: stored.last_used_ip,
        };
        Self::of(
            &stored.key,
            &stored.terms,
            SpentToday(currency, None),
            last_use,
            now,
        )
    }

    pub(crate) fn of(
        key: &ApiKey,
        terms: &KeyTerms,
        SpentToday(currency, spent): SpentToday,
        last_use: LastUse,
        now: Timestamp,
    ) -> Self {
        let id = key.id.to_string();
        Self {
            uniqid: id.clone(),
            id,
            name: key.name.clone(),
            prefix: KeyText::public_prefix(key.kind, key.test, key.id),
            last4: key.last4.clone(),
            status: key.state(now).name(),
            test: key.test,
            scopes: key
                .scopes
                .iter()
                .map(engine::api_keys::Scope::name)
                .collect(),
            product_ids: terms.products.iter().map(ToString::to_string).collect(),
            max_quantity: terms.max_quantity,
            ip_allow_list: key.ip_allow_list.iter().map(ToString::to_string).collect(),
            daily_spend_cap: terms.daily_spend_cap.map(|cap| MoneyText(currency, cap)),
            spent_today: spent.map(|spent| MoneyText(currency, spent)),
            rate_limit_per_second: key.rate_limit_per_second,
            expires_at: key.expires_at.map(Time),
            retires_at: key.retires_at.map(Time),
            replaced_by: key.replaced_by.map(|id| id.to_string()),
            last_used_at: last_use.at.map(Time),
            last_used_ip: last_use.from.map(|from| from.to_string()),
            created_at: Time(key.created_at),
        }
    }
}

/// What a key spent today; what it spent on an earlier day does not count any more.
pub(crate) fn spent_today(spending: &Spending, key: KeyId, now: Timestamp) -> Money {
    let today = spending.day == now.date_naive();
    spending
        .keys_today
        .get(&key)
        .copied()
        .filter(|_| today)
        .unwrap_or_default()
}
