//! `POST /portal/v1/programs/{rel}/stock-requests` and `POST /dev/v1/resellers/{id}/stock-purchases`: ask for
//! serials to sell on.
//!
//! Keeps: behind an `Idempotency-Key` the request's id follows from it, so a purchase that is sent again is
//! found, whatever a crash left of it. A provider is asked for an invoice only where there is room for the purchase.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    audit::Actor,
    catalog::Sku,
    fulfillments::{Agreed, Purchase, Refusal, Request, policy},
    ids::{ProductId, RelationshipId, StockRequestId, VariantId, WithdrawalId},
    money::{Currency, Money},
    payments::Coin,
    programs::StockApproval,
    relationships::RelationshipScope,
    stock_requests::{
        NOTE_CHARS_MAX, NotOpened, OPEN_MAX, RequestedBy, StockRequest, UNPAID_A_DAY_MAX,
    },
};
use persistence::{
    owned, programs,
    stock_requests::{self, AtOnce, Limits, Opened, Wanted, has_room},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    StockRequestView,
    bill::{Payable, billing, in_stock, keep, payable},
    carry::carry,
    counted,
};
use crate::{
    auth::{MerchantKey, Session, scope::ResellerStockWrite},
    balances::owner::{own_scope, scope_of},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    payments::methods::coin,
    state::App,
    wire::{
        answer::Answer,
        fields::{Text, Whole},
        texts,
    },
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestStock {
    #[schema(value_type = String)]
    product_id: Text<ProductId>,
    #[schema(value_type = Option<String>)]
    variant_id: Option<Text<VariantId>>,
    #[schema(value_type = u32, minimum = 1, maximum = 1000)]
    quantity: Whole,
    /// BALANCE: the prepaid balance pays; else one of the merchant's coins, in which it is invoiced.
    coin: Option<String>,
    note: Option<String>,
}

/// For whom, and who asks for it.
struct Asked {
    id: StockRequestId,
    scope: RelationshipScope,
    currency: Currency,
    by: RequestedBy,
    actor: Actor,
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(relationship): PathIds<RelationshipId>,
    once: Once<RequestStock>,
) -> Result<Response, ApiError> {
    let (scope, currency) = own_scope(&app, &caller, relationship).await?;
    let name = (scope.merchant, caller.person_id().uuid());
    let reference = once.request.reference(name, app.engine.random().as_ref());
    let asked = Asked {
        id: StockRequestId::from_uuid(reference),
        scope,
        currency,
        by: RequestedBy::Reseller,
        actor: caller.actor(),
    };
    let work = Box::pin(answer(app.clone(), asked, once.body));
    once.request.execute(&app, name, work).await
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellerStockWrite>,
    PathIds(relationship): PathIds<RelationshipId>,
    once: Once<RequestStock>,
) -> Result<Response, ApiError> {
    let name = caller.name();
    let reference = once.request.reference(name, app.engine.random().as_ref());
    let asked = Asked {
        id: StockRequestId::from_uuid(reference),
        scope: scope_of(&app, caller.merchant_id(), relationship).await?,
        currency: caller.currency(),
        by: RequestedBy::Merchant,
        actor: caller.actor(),
    };
    let work = Box::pin(answer(app.clone(), asked, once.body));
    once.request.execute(&app, name, work).await
}

async fn answer(app: App, asked: Asked, wire: RequestStock) -> Result<Response, ApiError> {
    let sku = Sku {
        product: wire.product_id.0,
        variant: wire.variant_id.map(|id| id.0),
    };
    let what = (sku, wire.quantity.0);
    let note = texts::lines(wire.note, "note", NOTE_CHARS_MAX)?;
    let coin = wire.coin.as_deref().map(coin).transpose()?;
    let found = stock_requests::asked(&app.database, asked.scope, asked.id).await?;
    let (currency, again) = (asked.currency, found.is_some());
    let request = match found {
        Some(found) => same(found, (what, coin.as_ref()))?,
        None => Box::pin(opened(&app, asked, what, (coin, note))).await?,
    };
    let work = app.clone();
    // One task: what is decided is also carried out.
    let carried = owned(async move {
        let turn = work.turns.take(request.id).await;
        carry(&work, &turn, request, currency).await
    });
    let view = StockRequestView::of(&carried.await?, currency, app.now());
    Ok(if again {
        Answer::replayed(view).into_response()
    } else {
        Answer::created(view).into_response()
    })
}

/// The request that this key asked for before, if it means the same.
fn same(
    found: StockRequest,
    ((sku, quantity), coin): ((Sku, u32), Option<&Coin>),
) -> Result<StockRequest, ApiError> {
    if found.sku == sku && found.quantity == quantity && found.coin.as_ref() == coin {
        Ok(found)
    } else {
        Err(ApiError::new(Code::IdempotencyMismatch))
    }
}

async fn opened(
    app: &App,
    asked: Asked,
    (sku, quantity): (Sku, u32),
    (coin, note): (Option<Coin>, Option<String>),
) -> Result<StockRequest, ApiError> {
    let (scope, currency) = (asked.scope, asked.currency);
    let refused = |refusal: Refusal| ApiError::from_engine(refusal.into(), currency);
    let terms = app.engine.terms(scope.relationship).await?;
    let terms = terms.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let product = app.engine.product(sku.product).await?;
    let purchase = Purchase {
        scope,
        id: asked.id,
        sku,
        quantity,
        agreed: None,
    };
    let request = Request::purchase(purchase, app.engine.vault());
    let quote = policy::quote(&terms, |_| product.as_deref(), &request).map_err(refused)?;
    let balance = app.engine.balance(scope).await?;
    let limits = Limits {
        balance: scope.balance,
        terms,
        spending: balance.spending.clone(),
    };
    let payable = payable_at_once(app, &asked, coin.clone()).await?;
    let (db, of) = (&app.database, scope.relationship);
    let room = has_room(db, of, &limits, quote.total, app.now()).await?;
    room.map_err(|full| not_opened(full, currency))?;
    let pays = matches!(payable, Some(Payable::Balance));
    if pays && balance.available() < quote.total {
        return Err(refused(Refusal::InsufficientBalance {
            required: quote.total,
            available: balance.available(),
        }));
    }
    let at_once = at_once(app, &asked, payable, (sku, quantity, quote.total)).await?;
    let wanted = Wanted {
        id: asked.id,
        scope,
        sku,
        quantity,
        agreed: Agreed {
            unit_price: quote.lines[0].unit_price,
            price_version: quote.lines[0].price_version,
        },
        total: quote.total,
        requested_by: asked.by,
        note,
        coin,
        at_once,
    };
    let now = app.now();
    match stock_requests::open(&app.database, wanted, limits, asked.actor, now).await? {
        Opened::Fresh(request) | Opened::Again(request) => {
            counted(app, &request).await?;
            Ok(*request)
        }
        Opened::Refused(full) => Err(not_opened(*full, currency)),
    }
}

fn not_opened(full: NotOpened, currency: Currency) -> ApiError {
    let said = match full {
        NotOpened::Limit(refusal) => return ApiError::from_engine(refusal.into(), currency),
        NotOpened::TooMany => {
            format!("There are {OPEN_MAX} open stock requests already: pay or cancel one first.")
        }
        NotOpened::TooManyToday => {
            format!("{UNPAID_A_DAY_MAX} stock requests were opened within a day and not paid.")
        }
    };
    ApiError::saying(Code::InvalidState, said)
}

/// What comes at once, with the units that are kept for it.
async fn at_once(
    app: &App,
    asked: &Asked,
    payable: Option<Payable>,
    (sku, quantity, total): (Sku, u32, Money),
) -> Result<AtOnce, ApiError> {
    let of = (asked.scope.merchant, asked.currency);
    Ok(match payable {
        None => {
            in_stock(app, of, (sku, quantity)).await?;
            AtOnce::Nothing
        }
        Some(Payable::Balance) => {
            in_stock(app, of, (sku, quantity)).await?;
            AtOnce::Pays
        }
        Some(Payable::Elsewhere(method)) => {
            let units = (WithdrawalId::from_uuid(asked.id.uuid()), sku, quantity);
            let kept = keep(app, of, units, asked.by).await?;
            let billing = billing(app, asked.currency, (asked.id, total), *method).await?;
            AtOnce::Invoiced(Box::new(billing), kept)
        }
    })
}

/// How it is paid before anybody sees it waiting, where that is said and needs nobody's yes.
async fn payable_at_once(
    app: &App,
    asked: &Asked,
    coin: Option<Coin>,
) -> Result<Option<Payable>, ApiError> {
    if coin.is_none() {
        return Ok(None);
    }
    let scope = asked.scope;
    let payable = payable(app, scope.merchant, coin).await?;
    if asked.by == RequestedBy::Reseller && !approves(app, scope).await? {
        return Ok(None);
    }
    Ok(Some(payable))
}

/// Whether what a reseller asks for needs nobody's yes.
async fn approves(app: &App, scope: RelationshipScope) -> Result<bool, ApiError> {
    let program = programs::find(&app.database, scope.merchant).await?;
    let program = program.ok_or_else(|| ApiError::new(Code::NotFound))?;
    Ok(program.stock_approval == StockApproval::Auto)
}
