//! `GET /portal/v1/programs` and `/programs/{rel}`: the programs a person is a reseller in.

use axum::extract::State;
use engine::{
    ids::RelationshipId,
    money::Money,
    relationships::{Mode, Status},
};
use persistence::persons::{self, OwnProgram};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::Session,
    error::{ApiError, Code},
    extract::PathIds,
    links::link_url,
    state::App,
    wire::{
        answer::Answer,
        money::{CurrencyCode, MoneyText},
        percent::Hundredths,
    },
};

/// A program as its reseller sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ResellerProgram {
    relationship_id: String,
    merchant: ProgramMerchant,
    enabled: bool,
    status: &'static str,
    status_reason: Option<String>,
    mode: &'static str,
    code: String,
    link_url: String,
    currency: CurrencyCode,
    terms: ResellerTerms,
    features: Vec<&'static str>,
    payment_coins: Vec<PaymentCoin>,
}

/// What a balance may be topped up in.
#[derive(Serialize, ToSchema)]
struct PaymentCoin {
    coin: String,
    network: Option<String>,
    label: String,
}

#[derive(Serialize, ToSchema)]
struct ProgramMerchant {
    id: String,
    name: String,
    url: Option<String>,
    support_email: Option<String>,
}

/// The terms in force: the reseller's own, else the program's.
#[derive(Serialize, ToSchema)]
struct ResellerTerms {
    commission_percent: Option<Hundredths>,
    wholesale_discount_percent: Option<Hundredths>,
    purchase_limits: PurchaseLimits,
    min_payout: Option<MoneyText>,
    commission_hold_days: u16,
    terms_url: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct PurchaseLimits {
    daily: Option<MoneyText>,
    monthly: Option<MoneyText>,
}

pub(crate) async fn list(
    State(app): State<App>,
    caller: Session,
) -> Result<Answer<Vec<ResellerProgram>>, ApiError> {
    let own = persons::programs(&app.database, caller.person_id()).await?;
    Ok(Answer::ok(
        own.into_iter()
            .map(|own| ResellerProgram::of(own, &app.origin))
            .collect(),
    ))
}

pub(crate) async fn get(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
) -> Result<Answer<ResellerProgram>, ApiError> {
    let own = persons::program(&app.database, caller.person_id(), id).await?;
    let own = own.ok_or_else(|| ApiError::new(Code::NotFound))?;
    Ok(Answer::ok(ResellerProgram::of(own, &app.origin)))
}

impl ResellerProgram {
    pub(crate) fn of(own: OwnProgram, origin: &str) -> Self {
        let money = |amount: Money| MoneyText(own.currency, amount);
        Self {
            relationship_id: own.relationship.to_string(),
            merchant: ProgramMerchant {
                id: own.merchant.to_string(),
                name: own.merchant_name,
                url: own.storefront_url,
                support_email: own.support_email,
            },
            enabled: own.enabled,
            status: own.status.name(),
            status_reason: own.status_reason,
            mode: own.mode.name(),
            link_url: link_url(origin, &own.code),
            code: own.code,
            currency: CurrencyCode(own.currency),
            terms: ResellerTerms {
                commission_percent: own.commission.map(Hundredths::from),
                wholesale_discount_percent: own.discount.map(Hundredths::from),
                purchase_limits: PurchaseLimits {
                    daily: own.purchase_limit_daily.map(money),
                    monthly: own.purchase_limit_monthly.map(money),
                },
                min_payout: own.min_payout.map(money),
                commission_hold_days: own.commission_hold_days,
                terms_url: own.terms_url,
            },
            features: features(own.status, own.mode),
            payment_coins: own.coins.into_iter().map(PaymentCoin::of).collect(),
        }
    }
}

impl PaymentCoin {
    fn of(coin: String) -> Self {
        Self {
            label: coin.clone(),
            coin,
            network: None,
        }
    }
}

/// What the mode allows and this version has; nothing while the relationship is not active.
fn features(status: Status, mode: Mode) -> Vec<&'static str> {
    let mut features = Vec::new();
    if status == Status::Active && mode.allows_fulfillment() {
        features.extend(["FULFILLMENTS", "BALANCE"]);
    }
    if status == Status::Active && mode.allows_links() {
        features.extend(["LINKS", "EMBEDS"]);
    }
    if status == Status::Active && mode.allows_listings() {
        features.push("LISTINGS");
    }
    features
}
