//! A reseller as the merchant reads it, with what the program adds to its terms.

use engine::{
    ids::RelationshipId,
    money::{Currency, Percent},
    payouts::Verification,
    programs::Program,
    relationships::{Grant, Relationship, Ware},
};
use persistence::{programs, relationships::list::Listed};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::MerchantKey,
    error::{ApiError, Code},
    payouts::verification::VerificationView,
    state::App,
    wire::{
        money::{MoneyNumber, MoneyText},
        percent::Hundredths,
        time::Time,
    },
};

/// What tells of one reseller what the program has to say too.
pub(crate) struct Showcase {
    currency: Currency,
    commission: Option<Percent>,
    discount: Option<Percent>,
    require_verification: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Reseller {
    id: String,
    uniqid: String,
    email: String,
    name: String,
    code: String,
    status: &'static str,
    status_reason: Option<String>,
    mode: &'static str,
    tier: &'static str,
    custom_commission_percent: Option<Hundredths>,
    custom_wholesale_discount_percent: Option<Hundredths>,
    purchase_limit_daily: Option<MoneyNumber>,
    purchase_limit_monthly: Option<MoneyNumber>,
    effective_terms: EffectiveTerms,
    product_scope: &'static str,
    product_access: Vec<ProductAccess>,
    notify_customer: bool,
    verification: VerificationView,
    invitation_id: Option<String>,
    accepted_at: Option<Time>,
    suspended_at: Option<Time>,
    terminated_at: Option<Time>,
    created_at: Time,
    updated_at: Time,
}

#[derive(Serialize, ToSchema)]
struct EffectiveTerms {
    commission_percent: Hundredths,
    wholesale_discount_percent: Option<Hundredths>,
}

#[derive(Serialize, ToSchema)]
struct ProductAccess {
    product_id: String,
    variant_id: Option<String>,
    status: &'static str,
    commission_percent_override: Option<Hundredths>,
    wholesale_price_override: Option<MoneyText>,
    auto_fulfilled_enabled: bool,
    min_resale_price: Option<MoneyText>,
    max_resale_price: Option<MoneyText>,
    min_quantity: Option<u32>,
    max_quantity: Option<u32>,
    stock_min_quantity: Option<u32>,
    stock_max_quantity: Option<u32>,
}

impl Showcase {
    pub(crate) async fn of<D>(app: &App, caller: &MerchantKey<D>) -> Result<Self, ApiError> {
        let program = programs::find(&app.database, caller.merchant_id()).await?;
        let program = program.ok_or_else(|| ApiError::new(Code::InternalError))?;
        Ok(Self::from(&program))
    }

    /// One reseller of the caller, or 404.
    pub(crate) async fn find<D>(
        app: &App,
        caller: &MerchantKey<D>,
        id: RelationshipId,
    ) -> Result<Reseller, ApiError> {
        let found =
            persistence::relationships::list::find(&app.database, caller.merchant_id(), id).await?;
        let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
        Ok(Self::of(app, caller).await?.show(found))
    }

    pub(crate) fn show(&self, listed: Listed) -> Reseller {
        let (it, currency) = (listed.relationship, self.currency);
        let none = || Verification::none(it.merchant, it.id);
        let verification = listed.verification.unwrap_or_else(none);
        let id = it.id.to_string();
        let access = it.access.iter();
        let access = access
            .map(|(ware, grant)| self.access(*ware, grant))
            .collect();
        Reseller {
            uniqid: id.clone(),
            id,
            tier: tier(&it),
            effective_terms: EffectiveTerms {
                commission_percent: it
                    .commission
                    .or(self.commission)
                    .map_or(Hundredths(0), Hundredths::from),
                wholesale_discount_percent: it.discount.or(self.discount).map(Hundredths::from),
            },
            product_access: access,
            email: it.email,
            name: it.name,
            code: it.code,
            status: it.status.name(),
            status_reason: it.status_reason,
            mode: it.mode.name(),
            custom_commission_percent: it.commission.map(Hundredths::from),
            custom_wholesale_discount_percent: it.discount.map(Hundredths::from),
            purchase_limit_daily: it
                .purchase_limit_daily
                .map(|max| MoneyNumber(currency, max)),
            purchase_limit_monthly: it
                .purchase_limit_monthly
                .map(|max| MoneyNumber(currency, max)),
            product_scope: it.product_scope.name(),
            notify_customer: it.notify_customer,
            verification: VerificationView::of(verification, self.require_verification),
            invitation_id: listed.invitation.map(|id| id.to_string()),
            accepted_at: it.accepted_at.map(Time),
            suspended_at: it.suspended_at.map(Time),
            terminated_at: it.terminated_at.map(Time),
            created_at: Time(it.created_at),
            updated_at: Time(it.updated_at),
        }
    }

    fn access(&self, (product, variant): Ware, grant: &Grant) -> ProductAccess {
        let money = |amount| MoneyText(self.currency, amount);
        ProductAccess {
            product_id: product.to_string(),
            variant_id: variant.map(|id| id.to_string()),
            status: if grant.revoked { "REVOKED" } else { "ACTIVE" },
            commission_percent_override: grant.commission.map(Hundredths::from),
            wholesale_price_override: grant.wholesale_price.map(money),
            auto_fulfilled_enabled: grant.auto_fulfilled,
            min_resale_price: grant.min_resale_price.map(money),
            max_resale_price: grant.max_resale_price.map(money),
            min_quantity: grant.min_quantity,
            max_quantity: grant.max_quantity,
            stock_min_quantity: grant.stock_min_quantity,
            stock_max_quantity: grant.stock_max_quantity,
        }
    }
}

impl From<&Program> for Showcase {
    fn from(program: &Program) -> Self {
        Self {
            currency: program.currency,
            commission: program.commission,
            discount: program.discount,
            require_verification: program.require_verification,
        }
    }
}

/// Whether anything was agreed with this reseller alone.
fn tier(relationship: &Relationship) -> &'static str {
    let percents = [relationship.commission, relationship.discount];
    let limits = [
        relationship.purchase_limit_daily,
        relationship.purchase_limit_monthly,
    ];
    let custom = percents.iter().any(Option::is_some) || limits.iter().any(Option::is_some);
    if custom { "custom" } else { "default" }
}
