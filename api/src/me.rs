//! `GET /me` of both surfaces, and `GET /dev/v1/me/capabilities`, which says the same: who the caller is,
//! and what it may do.

use axum::extract::State;
use chrono::{Datelike as _, NaiveDate};
use engine::{
    api_keys::Scope,
    balances::Spending,
    clock::Timestamp,
    merchants::Merchant,
    money::{Currency, Money},
    persons::Role,
    relationships::Terms,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api_keys::{Key, LastUse, SpentToday, spent_today},
    auth::{MerchantKey, ResellerKey, scope::AnyScope},
    error::{ApiError, Code},
    state::App,
    wire::{
        answer::Answer,
        money::{CurrencyCode, MoneyText},
        time::Time,
    },
};

#[derive(Serialize, ToSchema)]
struct Shop {
    id: String,
    name: String,
    url: Option<String>,
    currency: CurrencyCode,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ResellerMe {
    relationship_id: String,
    code: String,
    status: &'static str,
    mode: &'static str,
    tier: &'static str,
    shop: Shop,
    key: Key,
    limits: Limits,
    server_time: Time,
}

#[derive(Serialize, ToSchema)]
struct Limits {
    purchase_limit_daily: Option<MoneyText>,
    used_today: MoneyText,
    purchase_limit_monthly: Option<MoneyText>,
    used_this_month: MoneyText,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MerchantMe {
    shop: Shop,
    mode: &'static str,
    scopes: Vec<&'static str>,
    role: Option<&'static str>,
}

pub(crate) async fn reseller(
    State(app): State<App>,
    caller: ResellerKey<AnyScope>,
) -> Result<Answer<ResellerMe>, ApiError> {
    let (scope, currency, now) = (caller.scope(), caller.currency(), app.now());
    let terms = app.engine.terms(scope.relationship).await?;
    let terms = terms.ok_or_else(|| ApiError::new(Code::InternalError))?;
    // Revoked since it was looked up: nobody's key any more.
    let key_terms = terms.keys.get(&caller.key_id());
    let key_terms = key_terms.ok_or_else(|| ApiError::new(Code::Unauthorized))?;
    let spending = app.engine.balance(scope).await?.spending;
    let spent = SpentToday(currency, Some(spent_today(&spending, caller.key_id(), now)));
    let last_use = LastUse {
        at: Some(now),
        from: Some(caller.call().address),
    };
    Ok(Answer::ok(ResellerMe {
        relationship_id: scope.relationship.to_string(),
        code: terms.code.clone(),
        status: terms.status.name(),
        mode: terms.mode.name(),
        tier: if terms.discount.is_some() {
            "custom"
        } else {
            "default"
        },
        shop: Shop::of(caller.merchant()),
        key: Key::of(caller.key(), key_terms, spent, last_use, now),
        limits: Limits::of(&terms, &spending, currency, now),
        server_time: Time(now),
    }))
}

pub(crate) async fn dev(caller: MerchantKey<AnyScope>) -> Answer<MerchantMe> {
    Answer::ok(MerchantMe {
        shop: Shop::of(caller.merchant()),
        mode: if caller.test() { "test" } else { "live" },
        scopes: caller.scopes().iter().map(Scope::name).collect(),
        role: caller.role().map(Role::name),
    })
}

impl Shop {
    fn of(merchant: &Merchant) -> Self {
        Self {
            id: merchant.id.to_string(),
            name: merchant.name.clone(),
            url: merchant.storefront_url.clone(),
            currency: CurrencyCode(merchant.currency),
        }
    }
}

impl Limits {
    /// What was used on an earlier day, or in an earlier month, does not count any more.
    fn of(terms: &Terms, spending: &Spending, currency: Currency, now: Timestamp) -> Self {
        let today = now.date_naive();
        let month = |date: NaiveDate| (date.year(), date.month());
        let counts = |same: bool, used: Money| if same { used } else { Money::ZERO };
        let money = |amount| MoneyText(currency, amount);
        Self {
            purchase_limit_daily: terms.purchase_limit_daily.map(money),
            used_today: money(counts(spending.day == today, spending.today)),
            purchase_limit_monthly: terms.purchase_limit_monthly.map(money),
            used_this_month: money(counts(month(spending.day) == month(today), spending.month)),
        }
    }
}
