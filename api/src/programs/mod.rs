//! The merchant's reseller program: whether it is on, and what it sets for its resellers.

pub(crate) mod get;
pub(crate) mod update;

use engine::programs::Program;
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::{
    money::{CurrencyCode, MoneyNumber, MoneyText},
    percent::Hundredths,
    time::Time,
};

#[derive(Serialize, ToSchema)]
#[schema(as = Program)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch that the merchant sets by itself"
)]
pub(crate) struct ProgramView {
    id: String,
    uniqid: String,
    is_enabled: bool,
    default_mode: &'static str,
    default_commission_percent: Option<Hundredths>,
    default_wholesale_discount_percent: Option<Hundredths>,
    min_payout_threshold: Option<MoneyNumber>,
    require_verification: bool,
    terms_url: Option<String>,
    currency: CurrencyCode,
    attribution_window_days: u16,
    commission_hold_days: u16,
    allow_self_purchase: bool,
    stock_approval: &'static str,
    auto_allocate: bool,
    payout_assets: Vec<PayoutAssetView>,
    min_top_up: MoneyText,
    max_top_up: MoneyText,
    replacement: ReplacementView,
    dynamic_url_policy: &'static str,
    customer_mail: &'static str,
    allowed_redirect_hosts: Vec<String>,
    created_at: Time,
    updated_at: Time,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PayoutAsset)]
struct PayoutAssetView {
    asset: String,
    network: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ReplacementRule)]
struct ReplacementView {
    window_hours: u16,
    auto_approve: bool,
    max_percent: Hundredths,
}

impl From<Program> for ProgramView {
    fn from(program: Program) -> Self {
        let (id, currency) = (program.merchant.program().to_string(), program.currency);
        let assets = program.payout_assets.into_iter();
        Self {
            uniqid: id.clone(),
            id,
            is_enabled: program.enabled,
            default_mode: program.default_mode.name(),
            default_commission_percent: program.commission.map(Hundredths::from),
            default_wholesale_discount_percent: program.discount.map(Hundredths::from),
            min_payout_threshold: program.min_payout.map(|min| MoneyNumber(currency, min)),
            require_verification: program.require_verification,
            terms_url: program.terms_url,
            currency: CurrencyCode(currency),
            attribution_window_days: program.attribution_window_days,
            commission_hold_days: program.commission_hold_days,
            allow_self_purchase: program.allow_self_purchase,
            stock_approval: program.stock_approval.name(),
            auto_allocate: program.auto_allocate,
            payout_assets: assets
                .map(|one| PayoutAssetView {
                    asset: one.asset,
                    network: one.network,
                })
                .collect(),
            min_top_up: MoneyText(currency, program.min_top_up),
            max_top_up: MoneyText(currency, program.max_top_up),
            replacement: ReplacementView {
                window_hours: program.replacement.window_hours,
                auto_approve: program.replacement.automatic,
                max_percent: program.replacement.percent_max.into(),
            },
            dynamic_url_policy: program.dynamic_url_policy.name(),
            customer_mail: program.customer_mail.name(),
            allowed_redirect_hosts: program.redirect_hosts,
            created_at: Time(program.created_at),
            updated_at: Time(program.updated_at),
        }
    }
}
