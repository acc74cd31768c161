//! What was decided about a replacement is carried out: a successor leaves the shelf, or the price goes back.
//!
//! Keeps: every step has the replacement's id as its reference, so it is taken once however often it is
//! tried; and what became of it is stored, and forgotten by replays, before anybody is told.

use chrono::TimeDelta;
use engine::{
    audit::{Actor, ActorKind},
    ids::FulfillmentId,
    inventory::{Pulled, Purpose, WithdrawalCall},
    money::Money,
    refunds::Taken,
    replacements::{Bought, DecidedBy, Replacement, Status},
};
use persistence::{
    fulfillments::get,
    refunds::Wanted,
    replacements::carry::{advance, take_waiting},
    stock_requests::find_refund,
};

use crate::{
    error::{ApiError, Code},
    fulfillments::refund,
    state::App,
    stock_requests::give_back::give_back,
};

/// One that waits longer than this to be carried out was cut off.
const CUT_OFF_AFTER: TimeDelta = TimeDelta::seconds(60);
const WAITING_AT_ONCE: i64 = 100;

/// Carries a decision out; where the replacement stands then.
pub(super) async fn carry(app: &App, replacement: Replacement) -> Result<Replacement, ApiError> {
    match replacement.status {
        Status::Issuing => issue(app, replacement).await,
        Status::Crediting => credit(app, replacement).await,
        Status::Requested
        | Status::Issued
        | Status::Credited
        | Status::Rejected
        | Status::Cancelled => Ok(replacement),
    }
}

async fn issue(app: &App, replacement: Replacement) -> Result<Replacement, ApiError> {
    let call = WithdrawalCall {
        id: replacement.withdrawal(),
        merchant: replacement.scope.merchant,
        sku: replacement.sku,
        by: None,
    };
    let pulled = app.engine.pull(call, Purpose::Replacement, 1).await?;
    let (db, now) = (&app.database, app.now());
    match pulled {
        Pulled::Serials(serials) => {
            let successor = serials.first().copied();
            let issued = advance(db, &replacement, Status::Issued, successor, now).await?;
            forget(app, &issued).await?;
            Ok(issued)
        }
        Pulled::OutOfStock if replacement.decided_by == Some(DecidedBy::Auto) => {
            let credited = advance(db, &replacement, Status::Crediting, None, now).await?;
            Box::pin(carry(app, credited)).await
        }
        Pulled::OutOfStock => Ok(advance(db, &replacement, Status::Requested, None, now).await?),
    }
}

/// Gives the unit price back, or what is left to be given back.
async fn credit(app: &App, replacement: Replacement) -> Result<Replacement, ApiError> {
    match &replacement.bought {
        Bought::Fulfillment { id, .. } => credit_order(app, &replacement, *id).await?,
        Bought::Wholesale(_) => {
            // Stored with the decision, unless nothing was left.
            let refund = find_refund(&app.database, replacement.stock_refund()).await?;
            if let Some(refund) = refund {
                give_back(app, refund).await?;
            }
        }
    }
    let (db, now) = (&app.database, app.now());
    let credited = advance(db, &replacement, Status::Credited, None, now).await?;
    forget(app, &credited).await?;
    Ok(credited)
}

async fn credit_order(
    app: &App,
    replacement: &Replacement,
    id: FulfillmentId,
) -> Result<(), ApiError> {
    let (db, scope) = (&app.database, replacement.scope);
    let found = get::find(db, scope, id).await?;
    let fulfillment = found.ok_or_else(|| ApiError::new(Code::InternalError))?;
    let rest = fulfillment.contents.total.checked_sub(fulfillment.refunded);
    let amount = replacement.unit_price.min(rest.unwrap_or_default());
    let mut credited = amount == Money::ZERO;
    if !credited {
        let wanted = Wanted {
            amount: Some(amount),
            items: vec![replacement.serial],
            reference: replacement.refund_reference(),
            description: "Replacement".to_owned(),
        };
        let actor = Actor {
            kind: ActorKind::Job,
            id: None,
            label: "replacement".to_owned(),
            ip: None,
        };
        let taken = refund::refund(app.clone(), scope, fulfillment, wanted, actor).await?;
        credited = match taken {
            // Named before, by itself or by the merchant: its price is given back already.
            Taken::Fresh(_) | Taken::Again(_) | Taken::Mismatch | Taken::ItemAgain => true,
            // Another refund was faster: look again at what is left.
            Taken::Excess { .. } => false,
        };
    }
    credited
        .then_some(())
        .ok_or_else(|| ApiError::new(Code::Overloaded))
}

/// From now on replays tell it.
async fn forget(app: &App, replacement: &Replacement) -> Result<(), ApiError> {
    // An inventory is read from its rows.
    let Bought::Fulfillment { order_id, .. } = &replacement.bought else {
        return Ok(());
    };
    let told = app.engine.fulfillment_changed(replacement.scope, order_id);
    told.await
        .map_err(|fault| ApiError::from(fault).after_change())
}

/// Carries out what was cut off, and says how many there were.
pub(crate) async fn carry_waiting(app: &App) -> Result<usize, persistence::Error> {
    let now = app.now();
    let waiting = take_waiting(&app.database, now - CUT_OFF_AFTER, WAITING_AT_ONCE, now).await?;
    let count = waiting.len();
    for replacement in waiting {
        let id = replacement.id;
        if let Err(error) = carry(app, replacement).await {
            let code = error.code().name();
            tracing::warn!(replacement.id = %id, code, "a replacement waits on: {code}");
        }
    }
    Ok(count)
}
