//! `DELETE /dev/v1/products/{id}/serials` and its form for a variant: take serials off the shelf.
//!
//! Keeps: only what nobody has is removed, and each that stays says why; once answered, none of the
//! removed ones is sold.

use std::collections::BTreeSet;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::{ProductId, SerialId, VariantId, WithdrawalId},
    inventory::{Kept, WITHDRAWN_MAX, WithdrawalCall},
};
use persistence::inventory::note;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::serial::{deed, owned_by, shelf};
use crate::{
    auth::{MerchantKey, scope::ProductsWrite},
    error::ApiError,
    extract::{Once, PathIds},
    state::App,
    wire::answer::Answer,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoveSerials {
    /// 1 to 500.
    serial_ids: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RemovedSerials {
    removed_count: usize,
    skipped: Vec<SkippedSerial>,
}

#[derive(Serialize, ToSchema)]
struct SkippedSerial {
    id: String,
    reason: &'static str,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ProductsWrite>,
    PathIds(product): PathIds<ProductId>,
    once: Once<RemoveSerials>,
) -> Result<Response, ApiError> {
    remove(app, caller, (product, None), once).await
}

pub(crate) async fn dev_variant(
    State(app): State<App>,
    caller: MerchantKey<ProductsWrite>,
    PathIds((product, variant)): PathIds<(ProductId, VariantId)>,
    once: Once<RemoveSerials>,
) -> Result<Response, ApiError> {
    remove(app, caller, (product, Some(variant)), once).await
}

async fn remove(
    app: App,
    caller: MerchantKey<ProductsWrite>,
    of: (ProductId, Option<VariantId>),
    once: Once<RemoveSerials>,
) -> Result<Response, ApiError> {
    let random = app.engine.random().as_ref();
    let id = WithdrawalId::from_uuid(once.request.reference(caller.name(), random));
    let work = move |app, caller, wire| answer(app, caller, (id, of), wire);
    once.run(app, caller, work).await
}

async fn answer(
    app: App,
    caller: MerchantKey<ProductsWrite>,
    (id, (product, variant)): (WithdrawalId, (ProductId, Option<VariantId>)),
    wire: RemoveSerials,
) -> Result<Response, ApiError> {
    let (wanted, unknown) = wire.read()?;
    let merchant = caller.merchant_id();
    let product = owned_by(&app, merchant, product).await?;
    let sku = shelf(&product, variant)?;
    let call = WithdrawalCall {
        id,
        merchant,
        sku,
        by: Some(caller.actor()),
    };
    let done = app.engine.remove(call, wanted).await?;
    app.shelves.add([merchant]);
    let (claimed, kept): (Vec<_>, Vec<_>) = done
        .kept
        .into_iter()
        .partition(|(_, kept)| *kept == Kept::Claimed);
    let claimed: Vec<_> = claimed.into_iter().map(|(serial, _)| serial).collect();
    let deed = deed(&app, &caller, "serials.remove", product.id.to_string());
    let aside = note::remove_quarantined(&app.database, merchant, &claimed, deed).await;
    let aside = aside.map_err(|error| ApiError::from(error).after_change())?;
    let claimed = claimed.iter().filter(|serial| !aside.contains(serial));
    let kept = kept
        .iter()
        .map(|(serial, kept)| (serial.to_string(), *kept));
    let skipped = kept
        .chain(claimed.map(|serial| (serial.to_string(), Kept::Claimed)))
        .chain(unknown.into_iter().map(|text| (text, Kept::Unknown)));
    let skipped = skipped.map(|(id, kept)| SkippedSerial {
        id,
        reason: reason(kept),
    });
    Ok(Answer::ok(RemovedSerials {
        removed_count: done.removed.len() + aside.len(),
        skipped: skipped.collect(),
    })
    .into_response())
}

impl RemoveSerials {
    /// The serials, each once, and what is the id of none.
    fn read(self) -> Result<(Vec<SerialId>, Vec<String>), ApiError> {
        if !(1..=WITHDRAWN_MAX).contains(&self.serial_ids.len()) {
            return Err(ApiError::field("serial_ids", "must have 1 to 500 ids"));
        }
        let (mut serials, mut unknown) = (BTreeSet::new(), Vec::new());
        for text in self.serial_ids {
            match SerialId::parse(&text) {
                Some(serial) => drop(serials.insert(serial)),
                None => unknown.push(text),
            }
        }
        Ok((serials.into_iter().collect(), unknown))
    }
}

const fn reason(kept: Kept) -> &'static str {
    match kept {
        Kept::Held => "HELD",
        Kept::Claimed => "CLAIMED",
        Kept::OtherProduct => "OTHER_PRODUCT",
        Kept::Unknown => "UNKNOWN",
    }
}
