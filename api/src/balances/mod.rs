//! The prepaid balance as its reseller and the merchant read it: the amounts, the ledger, statements; and
//! credits and debits.
//!
//! Amounts come from the balance's actor, so they are as fresh as the next order; entries and open top-ups
//! come from storage.

pub(crate) mod credit;
pub(crate) mod debit;
pub(crate) mod entry;
pub(crate) mod forecast;
pub(crate) mod get;
pub(crate) mod ledger;
pub(crate) mod owner;
pub(crate) mod settings;
pub(crate) mod statement;

use engine::money::{Currency, Money};
use persistence::top_ups::Settings;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    top_ups::TopUpView,
    wire::{
        money::{CurrencyCode, MoneyText},
        time::Time,
    },
};

/// The wire form of a balance.
#[derive(Serialize, ToSchema)]
pub(crate) struct Balance {
    currency: CurrencyCode,
    #[serde(rename = "balance")]
    posted: MoneyText,
    held: MoneyText,
    available: MoneyText,
    debt: MoneyText,
    ledger_version: i64,
    is_low: bool,
    settings: AlertSettings,
    auto_top_up: AutoTopUp,
    open_top_ups: Vec<TopUpView>,
    forecast: ForecastText,
}

/// What is null is off.
#[derive(Serialize, ToSchema)]
struct AlertSettings {
    low_balance_threshold: Option<MoneyText>,
    alert_hours_left: Option<u16>,
}

#[derive(Serialize, ToSchema)]
struct AutoTopUp {
    enabled: bool,
    threshold: MoneyText,
    amount: MoneyText,
    coin: String,
    open_invoice_id: Option<String>,
    paused_reason: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Forecast)]
struct ForecastText {
    spend_24h: MoneyText,
    spend_7d: MoneyText,
    hours_left: Option<i64>,
    empty_at: Option<Time>,
}

impl Balance {
    fn of(
        (balance, debt, currency): (&engine::engine::Balance, Money, Currency),
        spent: forecast::Spent,
        forecast: Option<forecast::Forecast>,
        settings: &Settings,
        open_top_ups: Vec<TopUpView>,
    ) -> Self {
        let money = |amount| MoneyText(currency, amount);
        let hours_left = forecast.map(|forecast| forecast.hours_left);
        Self {
            currency: CurrencyCode(currency),
            posted: money(balance.posted),
            held: money(balance.held),
            available: money(balance.available()),
            debt: money(debt),
            ledger_version: balance.version,
            is_low: settings.alert.is_low(balance.available(), hours_left),
            settings: AlertSettings {
                low_balance_threshold: settings.alert.threshold.map(money),
                alert_hours_left: settings.alert.hours,
            },
            auto_top_up: AutoTopUp::of(settings, currency),
            open_top_ups,
            forecast: ForecastText {
                spend_24h: money(spent.in_24h),
                spend_7d: money(spent.in_7d),
                hours_left,
                empty_at: forecast.map(|forecast| Time(forecast.empty_at)),
            },
        }
    }
}

impl AutoTopUp {
    fn of(settings: &Settings, currency: Currency) -> Self {
        let set = settings.automatic.as_ref();
        let money = |amount: Option<Money>| MoneyText(currency, amount.unwrap_or_default());
        Self {
            enabled: set.is_some_and(|set| set.enabled),
            threshold: money(set.map(|set| set.threshold)),
            amount: money(set.map(|set| set.amount)),
            coin: set.map_or_else(String::new, |set| set.coin.to_string()),
            open_invoice_id: settings.waits.map(|invoice| invoice.to_string()),
            paused_reason: settings.paused.then_some("UNPAID"),
        }
    }
}
