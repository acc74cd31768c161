//! What was paid for is delivered: the serials leave the shelf, are noted as the customer's, and a mail says
//! where they are.
//!
//! Keeps: the serials of each line leave under an id that follows from it, so once however often it is tried, and
//! those of all lines that are not left out or none; what is short waits as a whole, and is tried again. Whoever tries has the invoice's
//! turn: nothing leaves for one whose price goes back meanwhile.

use chrono::TimeDelta;
use engine::{
    catalog::ProductKind,
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, SerialId, WithdrawalId},
    inventory::{Pulled, Purpose, ReserveCall, ReservedAll, WithdrawalCall},
    merchants::Merchant,
    payments::Status,
    programs::CustomerMail,
};
use persistence::{
    checkout::{self, Due, Outcome, Short},
    inventory::list::sealed,
    programs,
};

use super::letters;
use crate::{
    error::{ApiError, Code},
    state::App,
    stock_requests::Turn,
};

/// One that nobody tried for longer than this was cut off, or waits for stock.
const TRIED_AGAIN_AFTER: TimeDelta = TimeDelta::seconds(60);
const WAITING_AT_ONCE: i64 = 100;

/// Delivers an invoice that is paid, if it was not.
pub(super) async fn carry(
    app: &App,
    _turn: &Turn<'_>,
    (merchant, id): (MerchantId, InvoiceId),
) -> Result<(), ApiError> {
    let Some(due) = checkout::due(&app.database, (merchant, id)).await? else {
        return Ok(());
    };
    let shop = app.engine.merchant(merchant).await?;
    let shop = shop.ok_or_else(|| ApiError::new(Code::InternalError))?;
    let carried = carried(app, &shop, &due).await;
    if due.invoice.status == Status::Paid && !matches!(carried, Ok(true)) {
        unshared(app, &shop, &due).await;
    }
    carried.map(drop)
}

/// Whether it is delivered.
async fn carried(app: &App, shop: &Merchant, due: &Due) -> Result<bool, ApiError> {
    let Some(outcome) = outcome(app, shop, due).await? else {
        return Ok(false);
    };
    let delivered = matches!(outcome, Outcome::Delivered(..));
    let (db, vault, of) = (&app.database, app.engine.vault(), (shop.id, due.invoice.id));
    if checkout::delivered(db, vault, of, outcome, app.now()).await? {
        app.mail_queued.notify_one();
    }
    Ok(delivered)
}

/// What waits is paid: its units are in no share any more. The engine finds it out by itself, if later.
async fn unshared(app: &App, shop: &Merchant, due: &Due) {
    for call in calls(shop.id, due) {
        app.engine.paid(shop.id, call.sku, call.id).await.ok();
    }
}

/// What there is to be stored; nothing, if it still waits for stock.
async fn outcome(app: &App, shop: &Merchant, due: &Due) -> Result<Option<Outcome>, ApiError> {
    let serials = match pull(app, calls(shop.id, due)).await? {
        Ok(serials) => serials,
        Err(_) if due.invoice.status == Status::AwaitingStock => return Ok(None),
        Err((lines, left)) => {
            let post = due.knows_customer().then(|| letters::short(app, shop, due));
            let post = post.transpose()?;
            // Whatever comes is kept for it, and what is there, before others are sold any.
            let mut waits = Vec::with_capacity(left.len());
            for call in left {
                waits.push(app.engine.wait_for_stock(call).await?);
            }
            return Ok(Some(Outcome::Short(Short { post, lines, waits })));
        }
    };
    let program = programs::find(&app.database, shop.id).await?;
    let inline = program.is_some_and(|it| it.customer_mail == CustomerMail::Inline);
    let mut texts = Vec::new();
    if inline {
        for (serial, (text, _)) in serials
            .iter()
            .zip(sealed(&app.database, shop.id, &serials).await?)
        {
            let text = shop.key.open_serial(*serial, &text);
            texts.push(text.map_err(|_| ApiError::new(Code::InternalError))?);
        }
    }
    let post = due
        .knows_customer()
        .then(|| letters::delivered(app, shop, due, &texts));
    Ok(Some(Outcome::Delivered(serials, post.transpose()?)))
}

/// The serials of these lines; or for which there are too few, and which are still to leave their shelves.
///
/// Of several nothing leaves before all of it is kept by rows of its own: whoever carries on finds it there.
async fn pull(
    app: &App,
    calls: Vec<ReserveCall>,
) -> Result<Result<Vec<SerialId>, (Vec<WithdrawalId>, Vec<ReserveCall>)>, ApiError> {
    if calls.len() > 1 {
        match app.engine.reserve_all(&calls).await? {
            ReservedAll::Held(held) => checkout::keep(&app.database, held, app.now()).await?,
            ReservedAll::OutOfStock { short, left } => return Ok(Err((short, left))),
        }
    }
    let mut serials = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        let withdrawal = WithdrawalCall {
            id: call.id,
            merchant: call.merchant,
            sku: call.sku,
            by: None,
        };
        let pulled = app.engine.pull(withdrawal, Purpose::Sale, call.quantity);
        match pulled.await? {
            Pulled::Serials(own) => serials.extend(own),
            Pulled::OutOfStock => return Ok(Err((vec![call.id], calls[at..].to_vec()))),
        }
    }
    Ok(Ok(serials))
}

/// What is to leave the shelves, line by line.
fn calls(merchant: MerchantId, due: &Due) -> Vec<ReserveCall> {
    let lines = due.lines.iter();
    let shelved = lines.filter(|line| line.kind == ProductKind::Serials);
    let calls = shelved.map(|line| ReserveCall {
        id: line.id.withdrawal(),
        merchant,
        sku: line.sku,
        quantity: line.quantity,
    });
    calls.collect()
}

/// Delivers what was cut off or waits for stock, oldest first, and says how many there were.
pub async fn carry_waiting(app: &App, now: Timestamp) -> Result<usize, persistence::Error> {
    let before = now - TRIED_AGAIN_AFTER;
    let waiting = checkout::take_waiting(&app.database, before, WAITING_AT_ONCE, now).await?;
    let count = waiting.len();
    for (merchant, id) in waiting {
        let turn = app.turns.of_invoice(id).await;
        if let Err(error) = carry(app, &turn, (merchant, id)).await {
            let code = error.code().name();
            tracing::warn!(invoice.id = %id, code, "a paid invoice waits on: {code}");
        }
    }
    Ok(count)
}
