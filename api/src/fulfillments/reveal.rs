//! `POST /reseller/v1/fulfillments/{id}/items/{item_id}/revealed`: a customer opened a serial.
//!
//! Keeps: the first value counts; from the answer on, every reader and every replay is told it.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::ids::{FulfillmentId, ItemId};
use persistence::{
    fulfillments::{get, reveal},
    owned,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Serials, Told};
use crate::{
    auth::{ResellerKey, scope::FulfillmentsWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, time},
};

/// When it was opened; now if that is not said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevealItem {
    revealed_at: Option<String>,
}

pub(crate) async fn reseller(
    State(app): State<App>,
    caller: ResellerKey<FulfillmentsWrite>,
    PathIds(what): PathIds<(FulfillmentId, ItemId)>,
    once: Once<RevealItem>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, wire| answer(app, caller, what, wire);
    once.run(app, caller, work).await
}

async fn answer(
    app: App,
    caller: ResellerKey<FulfillmentsWrite>,
    (id, item): (FulfillmentId, ItemId),
    wire: RevealItem,
) -> Result<Response, ApiError> {
    let (scope, now) = (caller.scope(), app.now());
    let revealed_at = match wire.revealed_at.as_deref().map(time::read) {
        None => now,
        Some(Some(at)) if at <= now => at,
        Some(_) => {
            let message =
                "must be a time since 1970 such as 2025-12-01T08:00:00.000Z, not in the future";
            return Err(ApiError::field("revealed_at", message));
        }
    };
    let missing = || ApiError::new(Code::NotFound);
    let found = get::find(&app.database, scope, id).await?;
    let found = found.ok_or_else(missing)?;
    let mut serials = found.contents.serials().map(|serial| serial.id);
    let serial = serials.find(|serial| serial.item() == item);
    let serial = serial.ok_or_else(missing)?;
    let (order_id, work) = (found.contents.order_id.clone(), app.clone());
    // One task for both: what is stored is always told by replays too.
    let noting = owned(async move {
        let noted = reveal(&work.database, scope, serial, (revealed_at, now)).await;
        // Also if it was noted before: the one who noted it may not have come this far.
        let told = work.engine.fulfillment_changed(scope, &order_id).await;
        let noted = noted?;
        told.map_err(|fault| ApiError::from(fault).after_change())?;
        Ok::<_, ApiError>(noted)
    });
    let noted = noting.await?;
    let told = async {
        let found = get::find(&app.database, scope, id).await?;
        let found = Arc::new(found.ok_or_else(missing)?);
        Told::to(&app.engine, &caller, found, Serials::Shown).await
    };
    let told = told.await.map_err(ApiError::after_change)?;
    let lines = told.lines();
    let shown = lines.iter().find_map(|line| line.item(item));
    let shown = shown.ok_or_else(missing)?;
    Ok(Answer::stepped(!noted, shown).into_response())
}
