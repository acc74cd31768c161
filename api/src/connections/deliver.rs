//! A call that was verified becomes a fulfillment, by the same core as a call with a key.
//!
//! Keeps: the cap, the access, the price and the stock are decided by the engine, under the connection's own
//! key; nothing is sent to the engine for a call that the map does not know.

use std::{collections::BTreeMap, time::Duration};

use engine::{
    connections::{Call, Status},
    fulfillments::{Channel, Delivery, Draft, Line, Request},
};
use persistence::connections::Receiver;
use tokio::time::timeout;

use crate::{
    error::{ApiError, Code},
    fulfillments::{
        answer::{Serials, Told},
        request::checked,
    },
    state::App,
};

/// How long the engine may take; the rest of a shop's patience is for what stands around it.
const FULFILL_MAX: Duration = Duration::from_secs(6);

/// Delivers, or tells again what was delivered.
pub(super) async fn deliver(app: &App, receiver: &Receiver, call: &Call) -> Result<Told, ApiError> {
    let connection = &receiver.connection;
    if !app.callbacks.take(&connection.id.to_string(), app.now()) {
        return Err(ApiError::new(Code::RateLimited));
    }
    match connection.status {
        Status::Active => {}
        Status::Paused | Status::Revoked => {
            let said = "The connection is paused.";
            return Err(ApiError::saying(Code::InvalidState, said));
        }
    }
    let request = request(app, receiver, call)?;
    let merchant = app.engine.merchant(receiver.scope.merchant).await?;
    let merchant = merchant.ok_or_else(|| ApiError::new(Code::InternalError))?;
    // Whoever stops waiting does not end the work: the shop's next call gets what it delivers.
    let waited = timeout(FULFILL_MAX, app.engine.fulfill(request)).await;
    let delivery = waited.map_err(|_late| ApiError::new(Code::OutcomeUnknown))?;
    let delivery = delivery.map_err(|error| ApiError::from_engine(error, merchant.currency))?;
    let replayed = delivery.is_replayed();
    let (Delivery::Fresh(fulfillment) | Delivery::Replayed(fulfillment)) = delivery;
    let told = Told::of(&app.engine, &merchant, fulfillment, Serials::Shown).await?;
    Ok(if replayed { told.again() } else { told })
}

fn request(app: &App, receiver: &Receiver, call: &Call) -> Result<Request, ApiError> {
    let connection = &receiver.connection;
    let line = connection.map.find(&call.product, &call.variants);
    let line = line.ok_or_else(|| {
        ApiError::saying(
            Code::ProductNotAllowed,
            "The product map has no line for this product and variant.",
        )
    })?;
    let draft = Draft {
        scope: receiver.scope,
        key: connection.key(),
        order_id: call.order_id.clone(),
        channel: Channel::Callback,
        lines: vec![Line {
            sku: line.sku,
            quantity: call.quantity.saturating_mul(line.factor),
            max_unit_price: None,
            custom_fields: BTreeMap::new(),
        }],
        customer_email: call.email.clone(),
        max_total: None,
        metadata: BTreeMap::new(),
        idempotency_key: None,
        notify_customer: None,
    };
    checked(draft, app.engine.vault())
}
