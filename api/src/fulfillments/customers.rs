//! Orders by their customers: a keyed digest of each address, written behind the lanes.
//!
//! Keeps: it takes little at a time and rests far longer than it works, because orders must not meet it on their
//! core; whoever asks for a customer reads what is left first, so that nothing is missing from the answer. Of many
//! who ask, one reads for all.

use std::{collections::HashMap, sync::Arc, time::Duration};

use engine::{clock, ids::MerchantId, merchants::Merchant};
use persistence::fulfillments::customers::{Digested, Order, store, unread};
use tokio::time::sleep;

use crate::{
    error::{ApiError, Code},
    state::App,
};

/// How often it looks when nothing waits.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How many times as long as it works it rests.
const RESTS: u32 = 12;
const REST_MIN: Duration = Duration::from_millis(40);
/// Batches of each lane in one step: about two milliseconds of work, and what somebody who asks makes of them.
const BATCHES: u32 = 64;
const BATCHES_ASKED: u32 = 512;
/// So many steps somebody who asks waits for.
const STEPS_MAX: usize = 64;

/// Stores orders by their customers, for ever.
pub(crate) async fn store_behind(app: App) {
    loop {
        let began = clock::instant();
        let wait = match step(&app, BATCHES).await {
            Ok(true) => ((clock::instant() - began) * RESTS).clamp(REST_MIN, LOOK_EVERY),
            Ok(false) => LOOK_EVERY,
            Err(error) => {
                let code = error.code().name();
                tracing::warn!(code, "could not store orders by their customers: {code}");
                LOOK_EVERY
            }
        };
        sleep(wait).await;
    }
}

/// Stores what is left, so that a customer is found in all orders that were answered; overloaded if that is
/// too much to wait for.
pub(crate) async fn catch_up(app: &App) -> Result<(), ApiError> {
    let round = async {
        for _ in 0..STEPS_MAX {
            if !step(app, BATCHES_ASKED).await? {
                return Ok(());
            }
        }
        let said = "Orders are still being stored by their customers. Ask again in a while.";
        Err(ApiError::saying(Code::Overloaded, said))
    };
    app.customers.join(round).await
}

/// Stores the next orders of each lane; false if there were none.
async fn step(app: &App, batches: u32) -> Result<bool, ApiError> {
    let found = unread(&app.database, batches).await?;
    let some = !found.is_empty();
    for lane in found {
        let digested = digested(app, &lane.orders).await?;
        store(&app.database, &lane, digested).await?;
    }
    Ok(some)
}

/// By what each order is found, if its address opens.
pub(crate) async fn digested(app: &App, orders: &[Order]) -> Result<Vec<Digested>, ApiError> {
    let mut merchants: HashMap<MerchantId, Option<Arc<Merchant>>> = HashMap::new();
    let mut digested = Vec::with_capacity(orders.len());
    for order in orders {
        let merchant = if let Some(merchant) = merchants.get(&order.merchant) {
            merchant.clone()
        } else {
            let merchant = app.engine.merchant(order.merchant).await?;
            merchants.insert(order.merchant, merchant.clone());
            merchant
        };
        digested.extend(merchant.and_then(|merchant| digest(app, &merchant, order)));
    }
    Ok(digested)
}

/// None of an address that does not open: it is found by nobody.
fn digest(app: &App, merchant: &Merchant, order: &Order) -> Option<Digested> {
    let email = merchant.key.open_email(order.balance, &order.email).ok()?;
    let vault = app.engine.vault();
    Some(Digested {
        merchant: order.merchant,
        balance: order.balance,
        version: order.version,
        digest: vault.email_fingerprint(order.merchant, email.expose()),
    })
}
