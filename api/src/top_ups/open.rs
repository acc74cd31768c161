//! `POST /portal/v1/programs/{rel}/top-ups` and `POST /dev/v1/resellers/{id}/top-ups`: open an invoice
//! that tops a balance up. A provider is asked for one only where it may be opened.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::{InvoiceId, RelationshipId},
    money::{Currency, Money},
    payments::{Access, Coin, Method, Origin},
    top_ups::{OPEN_MAX, Refusal, UNPAID_A_DAY_MAX, VALID_HOURS, Wanted},
};
use persistence::{
    payments as stored,
    top_ups::{self, Opened, Opening},
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{TopUpView, letters};
use crate::{
    auth::{MerchantKey, Session, scope::BalanceWrite},
    balances::owner::Asker,
    error::{ApiError, Code},
    extract::{Changer as _, Known, Once, PathIds},
    payments::{self, methods::coin},
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

/// How often a method is asked again that is replaced meanwhile.
const TRIES_MAX: u32 = 5;

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(relationship): PathIds<RelationshipId>,
    once: Once<OpenTopUp>,
) -> Result<Response, ApiError> {
    let asker = Asker::own(&app, &caller, relationship).await?;
    let request = request_of(&app, &asker, &once.request);
    let work = move |app, asker, wire: OpenTopUp| {
        let wire = InvoiceReseller {
            amount: wire.amount,
            coin: Some(wire.coin),
        };
        answer(app, asker, (Origin::Manual, request), wire)
    };
    once.run(app, asker, work).await
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<BalanceWrite>,
    PathIds(relationship): PathIds<RelationshipId>,
    once: Once<InvoiceReseller>,
) -> Result<Response, ApiError> {
    let asker = Asker::merchant(&app, &caller, relationship).await?;
    let request = request_of(&app, &asker, &once.request);
    let work = move |app, asker, wire| answer(app, asker, (Origin::Merchant, request), wire);
    once.run(app, asker, work).await
}

/// What the request is known by where its invoice is stored.
fn request_of(app: &App, asker: &Asker, known: &Known) -> Uuid {
    known.reference(asker.name(), app.engine.random().as_ref())
}

async fn answer(
    app: App,
    asker: Asker,
    (origin, request): (Origin, Uuid),
    wire: InvoiceReseller,
) -> Result<Response, ApiError> {
    let amount = wire.amount.read(asker.currency, "amount")?;
    let coin = wire.coin.as_deref().map(coin).transpose()?;
    for _ in 0..TRIES_MAX {
        let method = method(&app, &asker, coin.clone()).await?;
        let of = (asker.scope.merchant, asker.scope.relationship);
        let asked = (origin, amount, method.coin.clone());
        let may = top_ups::may_open(&app.database, of, asked, request, app.now()).await?;
        may.map_err(|refused| refusal(refused, asker.currency))?;
        let opening = opening(&app, &asker, (origin, request), (method, amount)).await?;
        let (currency, now, actor) = (asker.currency, app.now(), asker.actor.clone());
        let (db, vault) = (&app.database, app.engine.vault());
        let opened = top_ups::open(db, vault, opening, actor, now).await?;
        let opened = opened.ok_or_else(|| ApiError::new(Code::NotFound))?;
        match opened.map_err(|refused| refusal(refused, currency))? {
            Opened::Fresh(invoice) => {
                app.mail_queued.notify_one();
                let view = TopUpView::of(&invoice, currency, now);
                return Ok(Answer::created(view).into_response());
            }
            Opened::Again(invoice) => {
                let view = TopUpView::of(&invoice, currency, now);
                return Ok(Answer::replayed(view).into_response());
            }
            Opened::Mismatch => return Err(ApiError::new(Code::IdempotencyMismatch)),
            Opened::Outdated => {}
        }
    }
    Err(ApiError::new(Code::Overloaded))
}

/// How to pay in this coin, or in the first one that is offered.
async fn method(app: &App, asker: &Asker, coin: Option<Coin>) -> Result<Method, ApiError> {
    let offered = stored::list(&app.database, asker.scope.merchant, true).await?;
    let found = match &coin {
        None => offered.into_iter().next(),
        Some(coin) => offered.into_iter().find(|method| method.coin == *coin),
    };
    match (found, coin) {
        (Some(method), _) => Ok(method),
        // The reasons that come before this one are told first.
        (None, Some(coin)) => Ok(Method {
            coin,
            enabled: false,
            instructions: String::new(),
            access: Access::Manual,
        }),
        (None, None) => Err(not_offered()),
    }
}

/// The invoice that is wanted, with how it is paid. A reseller who asks for it needs no mail.
async fn opening(
    app: &App,
    asked: &Asker,
    (origin, request): (Origin, Uuid),
    (method, amount): (Method, Money),
) -> Result<Opening, ApiError> {
    let pay = payments::open(app, &method, (asked.currency, amount, VALID_HOURS * 60)).await?;
    let (merchant, relationship) = (asked.scope.merchant, asked.scope.relationship);
    let wanted = Wanted {
        id: InvoiceId::generate(app.now(), &**app.engine.random()),
        merchant,
        relationship,
        origin,
        amount,
        coin: method.coin.clone(),
        provider: method.provider(),
        pay,
    };
    let announce = match origin {
        Origin::Manual | Origin::Customer => None,
        Origin::Merchant | Origin::Auto => {
            let payer = top_ups::payer(&app.database, (merchant, relationship)).await?;
            payer.map(|payer| letters::opened(app, payer, asked.currency))
        }
    };
    Ok(Opening {
        wanted,
        method,
        request: Some(request),
        announce,
    })
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
        Refusal::TooManyToday => ApiError::saying(
            Code::InvalidState,
            format!("{UNPAID_A_DAY_MAX} top-ups were opened within a day and not paid."),
        ),
        Refusal::TooMany => ApiError::saying(
            Code::InvalidState,
            format!("There are {OPEN_MAX} open top-ups already: pay or cancel one first."),
        ),
    }
}
