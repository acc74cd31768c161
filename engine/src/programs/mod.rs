//! A merchant's reseller program: whether it is on, and what it sets for all its relationships.
//!
//! Keeps: every stored program is within its bounds, and its version rises with every change, because
//! orders are judged by the sum of the program's version and the relationship's.

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use crate::{
    catalog::Edit,
    clock::Timestamp,
    ids::MerchantId,
    money::{Currency, Money, Percent},
    relationships::{DynamicUrlPolicy, Mode},
};

pub const ATTRIBUTION_DAYS: RangeInclusive<u16> = 1..=90;
pub const COMMISSION_HOLD_DAYS: RangeInclusive<u16> = 0..=90;
pub const REPLACEMENT_HOURS: RangeInclusive<u16> = 1..=720;
/// In whole units of the currency, where the merchant set nothing else.
const TOP_UP_UNITS: (u32, u32) = (10, 10_000);

/// Whether a wholesale purchase is invoiced at once, or looked at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StockApproval {
    Auto,
    Manual,
}

impl StockApproval {
    pub const ALL: [Self; 2] = [Self::Auto, Self::Manual];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "AUTO",
            Self::Manual => "MANUAL",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.name() == name)
    }
}

/// How a customer gets what was bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CustomerMail {
    Link,
    Inline,
}

impl CustomerMail {
    pub const ALL: [Self; 2] = [Self::Link, Self::Inline];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Link => "LINK",
            Self::Inline => "INLINE",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.name() == name)
    }
}

/// Something that resellers may be paid in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutAsset {
    pub asset: String,
    pub network: String,
}

/// The merchant's rule for bad serials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replacement {
    pub window_hours: u16,
    pub automatic: bool,
    pub percent_max: Percent,
}

#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch that the merchant sets by itself"
)]
pub struct Program {
    pub merchant: MerchantId,
    pub currency: Currency,
    pub enabled: bool,
    pub default_mode: Mode,
    pub commission: Option<Percent>,
    pub discount: Option<Percent>,
    pub min_payout: Option<Money>,
    pub require_verification: bool,
    pub terms_url: Option<String>,
    pub attribution_window_days: u16,
    pub commission_hold_days: u16,
    pub allow_self_purchase: bool,
    pub stock_approval: StockApproval,
    pub auto_allocate: bool,
    pub payout_assets: Vec<PayoutAsset>,
    pub min_top_up: Money,
    pub max_top_up: Money,
    pub replacement: Replacement,
    pub dynamic_url_policy: DynamicUrlPolicy,
    pub customer_mail: CustomerMail,
    pub redirect_hosts: Vec<String>,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What is to be different; what is not named stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    pub enabled: Option<bool>,
    pub default_mode: Option<Mode>,
    pub commission: Edit<Percent>,
    pub discount: Edit<Percent>,
    pub min_payout: Edit<Money>,
    pub require_verification: Option<bool>,
    pub terms_url: Edit<String>,
    pub attribution_window_days: Option<u16>,
    pub commission_hold_days: Option<u16>,
    pub allow_self_purchase: Option<bool>,
    pub stock_approval: Option<StockApproval>,
    pub auto_allocate: Option<bool>,
    pub payout_assets: Option<Vec<PayoutAsset>>,
    pub min_top_up: Option<Money>,
    pub max_top_up: Option<Money>,
    pub replacement: ReplacementChange,
    pub dynamic_url_policy: Option<DynamicUrlPolicy>,
    pub customer_mail: Option<CustomerMail>,
    pub redirect_hosts: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReplacementChange {
    pub window_hours: Option<u16>,
    pub automatic: Option<bool>,
    pub percent_max: Option<Percent>,
}

/// Which bound a change would break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutOfBounds {
    AttributionWindow,
    CommissionHold,
    ReplacementWindow,
    /// The smallest top-up is below one unit of the currency, or above the largest.
    TopUps,
}

/// The bounds of a top-up where the merchant set none.
pub fn top_up_defaults(currency: Currency) -> (Money, Money) {
    let unit = unit(currency);
    let units = |number| {
        unit.checked_mul(number)
            .expect("some thousands of units are within the bound")
    };
    (units(TOP_UP_UNITS.0), units(TOP_UP_UNITS.1))
}

fn unit(currency: Currency) -> Money {
    let minor = 10_i64.pow(currency.decimals().into());
    Money::from_minor(minor).expect("one unit is within the bound")
}

impl Program {
    /// The program as it would be, at the next version.
    pub fn changed(mut self, change: Change, now: Timestamp) -> Result<Self, OutOfBounds> {
        set(&mut self.enabled, change.enabled);
        set(&mut self.default_mode, change.default_mode);
        change.commission.apply(&mut self.commission);
        change.discount.apply(&mut self.discount);
        change.min_payout.apply(&mut self.min_payout);
        set(&mut self.require_verification, change.require_verification);
        change.terms_url.apply(&mut self.terms_url);
        set(
            &mut self.attribution_window_days,
            change.attribution_window_days,
        );
        set(&mut self.commission_hold_days, change.commission_hold_days);
        set(&mut self.allow_self_purchase, change.allow_self_purchase);
        set(&mut self.stock_approval, change.stock_approval);
        set(&mut self.auto_allocate, change.auto_allocate);
        set(&mut self.payout_assets, change.payout_assets);
        set(&mut self.min_top_up, change.min_top_up);
        set(&mut self.max_top_up, change.max_top_up);
        let replacement = change.replacement;
        set(&mut self.replacement.window_hours, replacement.window_hours);
        set(&mut self.replacement.automatic, replacement.automatic);
        set(&mut self.replacement.percent_max, replacement.percent_max);
        set(&mut self.dynamic_url_policy, change.dynamic_url_policy);
        set(&mut self.customer_mail, change.customer_mail);
        set(&mut self.redirect_hosts, change.redirect_hosts);
        self.check()?;
        self.version += 1;
        self.updated_at = now;
        Ok(self)
    }

    fn check(&self) -> Result<(), OutOfBounds> {
        if !ATTRIBUTION_DAYS.contains(&self.attribution_window_days) {
            return Err(OutOfBounds::AttributionWindow);
        }
        if !COMMISSION_HOLD_DAYS.contains(&self.commission_hold_days) {
            return Err(OutOfBounds::CommissionHold);
        }
        if !REPLACEMENT_HOURS.contains(&self.replacement.window_hours) {
            return Err(OutOfBounds::ReplacementWindow);
        }
        if self.min_top_up < unit(self.currency) || self.min_top_up > self.max_top_up {
            return Err(OutOfBounds::TopUps);
        }
        Ok(())
    }
}

fn set<T>(value: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *value = new;
    }
}
