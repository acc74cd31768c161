//! The prepaid balance as its reseller and the merchant read it: the amounts, the ledger, statements; and
//! credits and debits.
//!
//! Amounts come from the balance's actor, so they are as fresh as the next order; entries and open top-ups
//! come from storage.

pub(crate) mod credit;
pub(crate) mod debit;
pub(crate) mod entry;
mod forecast;
pub(crate) mod get;
pub(crate) mod ledger;
pub(crate) mod owner;
pub(crate) mod statement;

use engine::money::{Currency, Money};
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

/// Nothing is set: no alerts.
#[derive(Default, Serialize, ToSchema)]
struct AlertSettings {
    low_balance_threshold: Option<MoneyText>,
    alert_hours_left: Option<u16>,
}

#[derive(Serialize, ToSchema)]
struct AutoTopUp {
    enabled: bool,
    threshold: MoneyText,
    amount: MoneyText,
    coin: &'static str,
    open_invoice_id: Option<&'static str>,
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
        balance: &engine::engine::Balance,
        currency: Currency,
        spent: forecast::Spent,
        forecast: Option<forecast::Forecast>,
        open_top_ups: Vec<TopUpView>,
    ) -> Self {
        let money = |amount| MoneyText(currency, amount);
        Self {
            currency: CurrencyCode(currency),
            posted: money(balance.posted),
            held: money(balance.held),
            available: money(balance.available()),
            debt: money(Money::ZERO),
            ledger_version: balance.version,
            is_low: false,
            settings: AlertSettings::default(),
            auto_top_up: AutoTopUp {
                enabled: false,
                threshold: money(Money::ZERO),
                amount: money(Money::ZERO),
                coin: "",
                open_invoice_id: None,
                paused_reason: None,
            },
            open_top_ups,
            forecast: ForecastText {
                spend_24h: money(spent.in_24h),
                spend_7d: money(spent.in_7d),
                hours_left: forecast.map(|forecast| forecast.hours_left),
                empty_at: forecast.map(|forecast| Time(forecast.empty_at)),
            },
        }
    }
}
