//! What was paid for is delivered: the serials leave the shelf, are noted as the customer's, and a mail says
//! where they are.
//!
//! Keeps: the serials of each line leave under an id that follows from it, so once however often it is tried, and
//! those of all lines that are not left out or none; what is short waits as a whole, for one shelf after the other,
//! and is tried again. Whoever tries has the invoice's turn: nothing leaves for one whose price goes back meanwhile.

use std::collections::HashMap;

use chrono::TimeDelta;
use engine::{
    catalog::ProductKind,
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, SerialId},
    inventory::{Pulled, Purpose, ReserveCall, ReservedAll, Waiting, WithdrawalCall},
    merchants::Merchant,
    payments::Status,
};
use persistence::{
    checkout::{self, Due, Short},
    mail::Post,
};

use super::{end::release, letters};
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
    let (db, vault, of) = (&app.database, app.engine.vault(), (shop.id, due.invoice.id));
    let (stored, delivered) = match pull(app, calls(shop.id, due)).await? {
        Ok(serials) => {
            let post = post(app, shop, due, &serials).await?;
            let given = checkout::delivered(db, vault, of, (serials, post), app.now()).await?;
            (given, true)
        }
        Err(waiting) => {
            let short = short(app, shop, due, waiting).await?;
            let waits = checkout::wait(db, vault, of, short, app.now()).await?;
            release(app, waits.freed).await;
            (waits.told, false)
        }
    };
    if stored {
        app.mail_queued.notify_one();
    }
    Ok(delivered)
}

/// What waits is paid: its units are in no share any more. The engine finds it out by itself, if later.
async fn unshared(app: &App, shop: &Merchant, due: &Due) {
    for call in calls(shop.id, due) {
        app.engine.compare(shop.id, call.sku, call.id).await.ok();
    }
}

/// What the customer is mailed with these serials, unless the address was erased.
async fn post(
    app: &App,
    shop: &Merchant,
    due: &Due,
    serials: &[SerialId],
) -> Result<Option<Post>, ApiError> {
    let texts = letters::inline(app, shop, serials).await?;
    let post = due
        .knows_customer()
        .then(|| letters::delivered(app, shop, due, &texts));
    post.transpose()
}

/// What is stored of one that waits, which says of every shelf that has too few that it has.
async fn short(app: &App, shop: &Merchant, due: &Due, waiting: Waiting) -> Result<Short, ApiError> {
    let post = due.knows_customer().then(|| letters::short(app, shop, due));
    let mut lines = vec![waiting.at.id];
    for call in &waiting.given_up {
        let stock = app.engine.stock(shop.id, call.sku).await?;
        if stock.available < u64::from(call.quantity) {
            lines.push(call.id);
        }
    }
    Ok(Short {
        post: post.transpose()?,
        lines,
        waiting,
    })
}

/// The serials of these lines, in their order; or for which shelf they wait.
///
/// Of several nothing leaves before all of it is kept by rows of its own: whoever carries on finds it there. They leave
/// in the order of shelves, so that one which is short all the same keeps none behind it.
async fn pull(
    app: &App,
    calls: Vec<ReserveCall>,
) -> Result<Result<Vec<SerialId>, Waiting>, ApiError> {
    if calls.len() > 1 {
        match app.engine.reserve_all(calls.clone()).await? {
            ReservedAll::Held(held) => checkout::keep(&app.database, held, app.now()).await?,
            ReservedAll::Waits(waiting) => return Ok(Err(waiting)),
        }
    }
    let mut by_shelf = calls.clone();
    by_shelf.sort_unstable_by_key(|call| call.sku);
    let mut pulled = HashMap::with_capacity(calls.len());
    for (at, call) in by_shelf.iter().enumerate() {
        let withdrawal = WithdrawalCall {
            id: call.id,
            merchant: call.merchant,
            sku: call.sku,
            by: None,
        };
        let own = app.engine.pull(withdrawal, Purpose::Sale, call.quantity);
        match own.await? {
            Pulled::Serials(own) => pulled.insert(call.id, own),
            Pulled::OutOfStock => {
                let given_up = by_shelf[at + 1..].to_vec();
                let waiting = app.engine.wait(Vec::new(), *call, given_up).await?;
                return Ok(Err(waiting));
            }
        };
    }
    let serials = calls.iter().filter_map(|call| pulled.remove(&call.id));
    Ok(Ok(serials.flatten().collect()))
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
