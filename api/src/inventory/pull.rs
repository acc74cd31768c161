//! `POST /dev/v1/products/{id}/serials/claim`: take serials from the front of the shelf, to use elsewhere.
//!
//! Keeps: all or nothing; and what was pulled is never lost. Under an `Idempotency-Key` the pull is found
//! by the key for ever, and its serials are opened again: they are not in any answer that is kept.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    catalog::Product,
    ids::{ProductId, SerialId, WithdrawalId},
    inventory::{Pulled, Purpose, Status, WITHDRAWN_MAX, WithdrawalCall},
};
use persistence::inventory::{list::sealed, note};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::serial::{SerialAnswer, Shown, noted, owned_by, shelf};
use crate::{
    auth::{MerchantKey, scope::ProductsWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::answer::Answer,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PullSerials {
    /// 1 to 500.
    amount: u32,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PulledSerials {
    claimed_count: usize,
    remaining_stock: u64,
    serials: Vec<SerialAnswer>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ProductsWrite>,
    PathIds(product): PathIds<ProductId>,
    once: Once<PullSerials>,
) -> Result<Response, ApiError> {
    let name = caller.name();
    let id = WithdrawalId::from_uuid(once.request.reference(name, app.engine.random().as_ref()));
    let amount = once.body.read()?;
    let merchant = caller.merchant_id();
    let product = owned_by(&app, merchant, product).await?;
    let sku = shelf(&product, None)?;
    let done = note::find_withdrawal(&app.database, merchant, id).await?;
    if let Some(done) = done.filter(|done| done.serials.len() == amount as usize) {
        noted(&app, &caller, "serials.read", product.id.to_string()).await?;
        let told = told(&app, &caller, &product, &done.serials).await?;
        return Ok(Answer::replayed(told).into_response());
    }
    let call = WithdrawalCall {
        id,
        merchant,
        sku,
        by: Some(caller.actor()),
    };
    let work = {
        let app = app.clone();
        Box::pin(async move {
            let pulled = match app.engine.pull(call, Purpose::Pull, amount).await? {
                Pulled::Serials(serials) => serials,
                Pulled::OutOfStock => return Err(ApiError::new(Code::OutOfStock)),
            };
            app.shelves.add([merchant]);
            if pulled.len() != amount as usize {
                return Err(ApiError::new(Code::IdempotencyMismatch));
            }
            let told = told(&app, &caller, &product, &pulled).await;
            let told = told.map_err(ApiError::after_change)?;
            let kept = PulledSerials {
                claimed_count: told.claimed_count,
                remaining_stock: told.remaining_stock,
                serials: Vec::new(),
            };
            Ok(Answer::ok(told).kept_as(kept).into_response())
        })
    };
    once.request.execute(&app, name, work).await
}

async fn told(
    app: &App,
    caller: &MerchantKey<ProductsWrite>,
    product: &Product,
    pulled: &[SerialId],
) -> Result<PulledSerials, ApiError> {
    let sealed = sealed(&app.database, caller.merchant_id(), pulled).await?;
    let stock = app
        .engine
        .stock(caller.merchant_id(), shelf(product, None)?);
    let stock = stock.await?;
    let shown = Shown {
        merchant: caller.merchant(),
        product,
        masked: false,
    };
    let serials = pulled.iter().zip(&sealed);
    let serials =
        serials.map(|(id, (sealed, at))| shown.of(*id, None, (sealed, *at), Status::Pulled));
    Ok(PulledSerials {
        claimed_count: pulled.len(),
        remaining_stock: stock.available,
        serials: serials.collect(),
    })
}

impl PullSerials {
    fn read(&self) -> Result<u32, ApiError> {
        let within = (1..=WITHDRAWN_MAX).contains(&(self.amount as usize));
        if within {
            Ok(self.amount)
        } else {
            Err(ApiError::field("amount", "must be 1 to 500"))
        }
    }
}
