//! `POST /portal/v1/programs/{rel}/top-ups` and `POST /dev/v1/resellers/{id}/top-ups`: open an invoice
//! that tops a balance up.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    audit::Actor,
    ids::{InvoiceId, RelationshipId},
    money::{Currency, Money},
    payments::{Method, Origin, Provider as _, ProviderKind},
    relationships::RelationshipScope,
    top_ups::{OPEN_MAX, Refusal, Wanted},
};
use persistence::{
    payments,
    top_ups::{self, Opening},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{TopUpView, letters};
use crate::{
    auth::{MerchantKey, Session, scope::BalanceWrite},
    balances::{credit::scope_of, owner::own_scope},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    payments::{Manual, methods::coin},
    state::App,
    wire::{
        answer::Answer,
        money::{Amount, MoneyText},
    },
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenTopUp {
    amount: Amount,
    coin: String,
}

/// The merchant may leave the coin out, and means the first one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvoiceReseller {
    amount: Amount,
    coin: Option<String>,
}

/// For whom, and who asks for it.
struct Asked {
    scope: RelationshipScope,
    currency: Currency,
    origin: Origin,
    actor: Actor,
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(relationship): PathIds<RelationshipId>,
    once: Once<OpenTopUp>,
) -> Result<Response, ApiError> {
    let (scope, currency) = own_scope(&app, &caller, relationship).await?;
    let name = (scope.merchant, caller.person_id().uuid());
    let asked = Asked {
        scope,
        currency,
        origin: Origin::Manual,
        actor: caller.actor(),
    };
    let wire = InvoiceReseller {
        amount: once.body.amount,
        coin: Some(once.body.coin),
    };
    let work = Box::pin(answer(app.clone(), asked, wire));
    once.request.execute(&app, name, work).await
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<BalanceWrite>,
    PathIds(relationship): PathIds<RelationshipId>,
    once: Once<InvoiceReseller>,
) -> Result<Response, ApiError> {
    let asked = Asked {
        scope: scope_of(&app, caller.merchant_id(), relationship).await?,
        currency: caller.currency(),
        origin: Origin::Merchant,
        actor: caller.actor(),
    };
    let work = Box::pin(answer(app.clone(), asked, once.body));
    once.request.execute(&app, caller.name(), work).await
}

async fn answer(app: App, asked: Asked, wire: InvoiceReseller) -> Result<Response, ApiError> {
    let amount = wire.amount.read(asked.currency, "amount")?;
    let coin = wire.coin.as_deref().map(coin).transpose()?;
    let offered = payments::list(&app.database, asked.scope.merchant, true).await?;
    let method = match &coin {
        None => offered.into_iter().next(),
        Some(coin) => offered.into_iter().find(|method| method.coin == *coin),
    };
    let method = match (method, coin) {
        (Some(method), _) => method,
        // The reasons that come before this one are told first.
        (None, Some(coin)) => Method {
            coin,
            provider: ProviderKind::Manual,
            enabled: false,
            instructions: String::new(),
        },
        (None, None) => return Err(not_offered()),
    };
    let opening = opening(&app, &asked, &method, amount).await?;
    let (currency, now) = (asked.currency, app.now());
    let (db, vault) = (&app.database, app.engine.vault());
    let opened = top_ups::open(db, vault, opening, asked.actor, now).await?;
    let opened = opened.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let invoice = opened.map_err(|refused| refusal(refused, currency))?;
    app.mail_queued.notify_one();
    Ok(Answer::created(TopUpView::of(&invoice, currency, now)).into_response())
}

/// The invoice that is wanted, with how it is paid. A reseller who asks for it needs no mail.
async fn opening(
    app: &App,
    asked: &Asked,
    method: &Method,
    amount: Money,
) -> Result<Opening, ApiError> {
    let pay = Manual::of(method).open(amount).await?;
    let (merchant, relationship) = (asked.scope.merchant, asked.scope.relationship);
    let wanted = Wanted {
        id: InvoiceId::generate(app.now(), &**app.engine.random()),
        merchant,
        relationship,
        origin: asked.origin,
        amount,
        coin: method.coin.clone(),
        provider: method.provider,
        pay,
    };
    let post = match asked.origin {
        Origin::Manual => None,
        Origin::Merchant | Origin::Auto => {
            let payer = top_ups::payer(&app.database, (merchant, relationship)).await?;
            payer.map(|payer| {
                let what = (wanted.id, &wanted.coin, &wanted.pay);
                letters::opened(app, &payer, what, (asked.currency, amount))
            })
        }
    };
    Ok(Opening { wanted, post })
}

fn not_offered() -> ApiError {
    ApiError::field("coin", "is not offered by this merchant")
}

pub(crate) fn refusal(refused: Refusal, currency: Currency) -> ApiError {
    let text = |amount| MoneyText(currency, amount).to_string();
    match refused {
        Refusal::Inactive(status) => {
            let said = "The status of the relationship allows no top-up.";
            ApiError::saying(Code::RelationshipInactive, said).detail("status", status.name())
        }
        Refusal::ModeNotAllowed => ApiError::saying(
            Code::ModeNotAllowed,
            "The mode of the relationship has no prepaid balance.",
        ),
        Refusal::NotOffered => not_offered(),
        Refusal::OutOfRange(bounds) => ApiError::new(Code::AmountOutOfRange)
            .detail("min", text(*bounds.start()))
            .detail("max", text(*bounds.end())),
        Refusal::TooMany => ApiError::saying(
            Code::InvalidState,
            format!("There are {OPEN_MAX} open top-ups already: pay or cancel one first."),
        ),
    }
}
