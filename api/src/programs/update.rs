//! `PATCH /dev/v1/reseller-program`: switch the program on or off, change what it sets.
//!
//! Keeps the order: stored, taken over by the engine for all relationships, answered. Once the answer
//! is out, nothing is accepted under the old program.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    audit::Actor,
    ids::MerchantId,
    money::Currency,
    programs::{
        Change, CustomerMail, OutOfBounds, PayoutAsset, Program, ReplacementChange, StockApproval,
    },
    relationships::DynamicUrlPolicy,
};
use persistence::{owned, programs};
use serde::Deserialize;
use utoipa::ToSchema;

use super::ProgramView;
use crate::{
    auth::{MerchantKey, scope::ResellerProgramsWrite},
    error::{ApiError, Code},
    extract::Once,
    relationships::mode,
    state::{App, not_yet},
    wire::{
        answer::Answer,
        fields::{Object, Sent, Whole},
        money::Amount,
        percent,
        texts::{edit, percentage, word},
    },
};

const ASSETS_MAX: usize = 20;
const HOSTS_MAX: usize = 50;
const HOST_BYTES_MAX: usize = 253;
const URL_BYTES_MAX: usize = 500;
const SYMBOL_BYTES_MAX: usize = 32;

/// What is not sent stays; null clears what a program may be without.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateProgram {
    is_enabled: Option<bool>,
    default_mode: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Amount>)]
    default_commission_percent: Sent<Amount>,
    #[serde(default)]
    #[schema(value_type = Option<Amount>)]
    default_wholesale_discount_percent: Sent<Amount>,
    #[serde(default)]
    #[schema(value_type = Option<Amount>)]
    min_payout_threshold: Sent<Amount>,
    require_verification: Option<bool>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    terms_url: Sent<String>,
    attribution_window_days: Option<Whole>,
    commission_hold_days: Option<Whole>,
    allow_self_purchase: Option<bool>,
    stock_approval: Option<String>,
    auto_allocate: Option<bool>,
    #[schema(value_type = Option<Vec<UpdatePayoutAsset>>, max_items = 20)]
    payout_assets: Option<Vec<Object<UpdatePayoutAsset>>>,
    min_top_up: Option<Amount>,
    max_top_up: Option<Amount>,
    #[schema(value_type = Option<UpdateReplacement>)]
    replacement: Option<Object<UpdateReplacement>>,
    dynamic_url_policy: Option<String>,
    customer_mail: Option<String>,
    #[schema(max_items = 50)]
    allowed_redirect_hosts: Option<Vec<String>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdatePayoutAsset {
    asset: String,
    network: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateReplacement {
    window_hours: Option<Whole>,
    auto_approve: Option<bool>,
    max_percent: Option<Amount>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellerProgramsWrite>,
    once: Once<UpdateProgram>,
) -> Result<Response, ApiError> {
    once.run(app, caller, answer).await
}

async fn answer(
    app: App,
    caller: MerchantKey<ResellerProgramsWrite>,
    wire: UpdateProgram,
) -> Result<Response, ApiError> {
    let change = wire.into_change(caller.currency())?;
    let (merchant, actor) = (caller.merchant_id(), caller.actor());
    // One task for all of it: what is stored is always taken over.
    let changed = owned(store(app, merchant, change, actor)).await?;
    match changed {
        None => Err(ApiError::new(Code::NotFound)),
        Some(Err(out_of_bounds)) => Err(refusal(out_of_bounds)),
        Some(Ok(program)) => Ok(Answer::ok(ProgramView::from(program)).into_response()),
    }
}

async fn store(
    app: App,
    merchant: MerchantId,
    change: Change,
    actor: Actor,
) -> Result<Option<Result<Program, OutOfBounds>>, ApiError> {
    let stored = programs::update(&app.database, merchant, change, actor, app.now()).await;
    // A commit whose answer was lost may have changed it too.
    let told = app.engine.program_changed(merchant).await;
    let stored = stored?;
    told.map_err(|fault| not_yet(&fault))?;
    Ok(stored)
}

fn refusal(out_of_bounds: OutOfBounds) -> ApiError {
    let (field, message) = match out_of_bounds {
        OutOfBounds::AttributionWindow => ("attribution_window_days", "must be 1 to 90"),
        OutOfBounds::CommissionHold => ("commission_hold_days", "must be 0 to 90"),
        OutOfBounds::ReplacementWindow => ("replacement.window_hours", "must be 1 to 720"),
        OutOfBounds::TopUps => (
            "min_top_up",
            "must be at least one unit of the currency and at most `max_top_up`",
        ),
    };
    ApiError::field(field, message)
}

impl UpdateProgram {
    fn into_change(self, currency: Currency) -> Result<Change, ApiError> {
        let money = |sent: Option<Amount>, field| {
            let read = sent.map(|amount| amount.read(currency, field));
            read.transpose()
        };
        Ok(Change {
            enabled: self.is_enabled,
            default_mode: word(self.default_mode, "default_mode", mode)?,
            commission: percentage(
                &self.default_commission_percent,
                "default_commission_percent",
            )?,
            discount: percentage(
                &self.default_wholesale_discount_percent,
                "default_wholesale_discount_percent",
            )?,
            min_payout: edit(&self.min_payout_threshold, |amount| {
                amount.read(currency, "min_payout_threshold")
            })?,
            require_verification: self.require_verification,
            terms_url: edit(&self.terms_url, |url| https(url))?,
            attribution_window_days: self.attribution_window_days.map(small),
            commission_hold_days: self.commission_hold_days.map(small),
            allow_self_purchase: self.allow_self_purchase,
            stock_approval: word(self.stock_approval, "stock_approval", StockApproval::parse)?,
            auto_allocate: self.auto_allocate,
            payout_assets: self.payout_assets.map(assets).transpose()?,
            min_top_up: money(self.min_top_up, "min_top_up")?,
            max_top_up: money(self.max_top_up, "max_top_up")?,
            replacement: replacement(self.replacement)?,
            dynamic_url_policy: word(
                self.dynamic_url_policy,
                "dynamic_url_policy",
                DynamicUrlPolicy::parse,
            )?,
            customer_mail: word(self.customer_mail, "customer_mail", CustomerMail::parse)?,
            redirect_hosts: self.allowed_redirect_hosts.map(hosts).transpose()?,
        })
    }
}

/// A number beyond the type is beyond every bound too.
fn small(Whole(number): Whole) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

fn replacement(sent: Option<Object<UpdateReplacement>>) -> Result<ReplacementChange, ApiError> {
    let Some(Object(sent)) = sent else {
        return Ok(ReplacementChange::default());
    };
    let percent = sent
        .max_percent
        .map(|sent| percent::read(&sent, "replacement.max_percent"));
    Ok(ReplacementChange {
        window_hours: sent.window_hours.map(small),
        automatic: sent.auto_approve,
        percent_max: percent.transpose()?,
    })
}

fn https(url: &str) -> Result<String, ApiError> {
    let rest = url.strip_prefix("https://").unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = url.bytes().all(|byte| byte.is_ascii_graphic());
    if plain && url.len() <= URL_BYTES_MAX && is_host(host) {
        return Ok(url.to_owned());
    }
    Err(ApiError::field("terms_url", "must be an https address"))
}

fn assets(sent: Vec<Object<UpdatePayoutAsset>>) -> Result<Vec<PayoutAsset>, ApiError> {
    let is_symbol = |text: &str| {
        let letters = text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        (1..=SYMBOL_BYTES_MAX).contains(&text.len()) && letters
    };
    let fits =
        |Object(one): &Object<UpdatePayoutAsset>| is_symbol(&one.asset) && is_symbol(&one.network);
    if sent.len() > ASSETS_MAX || !sent.iter().all(fits) {
        let message = "must be at most 20 pairs of letters and digits";
        return Err(ApiError::field("payout_assets", message));
    }
    let assets = sent.into_iter().map(|Object(one)| PayoutAsset {
        asset: one.asset,
        network: one.network,
    });
    Ok(assets.collect())
}

fn hosts(sent: Vec<String>) -> Result<Vec<String>, ApiError> {
    if sent.len() > HOSTS_MAX || !sent.iter().all(|host| is_host(host)) {
        let message = "must be at most 50 host names in lower case";
        return Err(ApiError::field("allowed_redirect_hosts", message));
    }
    Ok(sent)
}

fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        let letters = label
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        (1..=63).contains(&label.len())
            && letters
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= HOST_BYTES_MAX && host.contains('.') && host.split('.').all(is_label)
}
