//! `POST /dev/v1/products/{id}/serials` and its form for a variant: store an upload, put it on sale.
//!
//! Keeps: an upload is stored whole or not at all, and sold only once it is durable; sealing does not
//! hold up other calls; a caller that hangs up leaves nothing half done.

use std::time::Duration;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    catalog::Sku,
    engine::Engine,
    ids::{ImportId, ProductId, VariantId},
    inventory::{Restock, import},
};
use persistence::{
    inventory::import::{Outcome, import as store},
    owned,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::upload::{UploadSerials, refused};
use crate::{
    auth::{MerchantKey, scope::ProductsWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::answer::Answer,
};

/// Bytes of an upload.
pub(crate) const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How often a stored upload is offered for sale before it is left to the job that looks every minute.
const RESTOCKS_MAX: u32 = 6;
const RESTOCK_PAUSE: Duration = Duration::from_millis(500);

#[derive(Serialize, ToSchema)]
pub(crate) struct Imported {
    added_count: u32,
    duplicate_count: u32,
    batch_id: String,
    stock: u64,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ProductsWrite>,
    PathIds(product): PathIds<ProductId>,
    once: Once<UploadSerials>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, wire| import(app, caller, (product, None), wire);
    once.run(app, caller, work).await
}

pub(crate) async fn dev_variant(
    State(app): State<App>,
    caller: MerchantKey<ProductsWrite>,
    PathIds((product, variant)): PathIds<(ProductId, VariantId)>,
    once: Once<UploadSerials>,
) -> Result<Response, ApiError> {
    let what = (product, Some(variant));
    let work = move |app, caller, wire| import(app, caller, what, wire);
    once.run(app, caller, work).await
}

async fn import(
    app: App,
    caller: MerchantKey<ProductsWrite>,
    (product, variant): (ProductId, Option<VariantId>),
    wire: UploadSerials,
) -> Result<Response, ApiError> {
    let product = app.engine.product(product).await?;
    let product = product.filter(|product| product.merchant == caller.merchant_id());
    let product = product.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let sku = import::sku(&product, variant).map_err(refused)?;
    let import = sealed(&app, &caller, sku, wire).await?;
    let (id, restock) = (import.target.import, import.restock());
    let (database, engine) = (app.database.clone(), app.engine.clone());
    // One task for both steps: a stored upload is always put on sale.
    let outcome = owned(async move {
        let outcome = store(&database, import).await?;
        match outcome {
            Outcome::Stored { .. } => put_on_sale(&engine, restock).await?,
            Outcome::Refused(_) => {}
        }
        Ok::<_, ApiError>(outcome)
    });
    match outcome.await? {
        Outcome::Refused(refusal) => Err(refused(refusal)),
        Outcome::Stored { added, duplicates } => {
            let stock = app.engine.stock(caller.merchant_id(), sku).await;
            let stock = stock.map_err(|fault| ApiError::from(fault).after_change())?;
            let answer = Answer::created(Imported {
                added_count: added,
                duplicate_count: duplicates,
                batch_id: id.to_string(),
                stock: stock.stock,
            });
            Ok(answer.into_response())
        }
    }
}

/// The upload, read and sealed on a thread that may block.
async fn sealed(
    app: &App,
    caller: &MerchantKey<ProductsWrite>,
    sku: Sku,
    wire: UploadSerials,
) -> Result<import::Import, ApiError> {
    let target = import::Target {
        import: ImportId::for_import(app.now(), app.engine.random().as_ref()),
        sku,
        label: wire.label()?,
    };
    let (merchant, vault) = (caller.merchant().clone(), app.engine.vault().clone());
    let sealing = tokio::task::spawn_blocking(move || {
        wire.read()
            .map(|upload| upload.seal(target, &merchant, &vault))
    });
    let sealed = sealing
        .await
        .map_err(|_| ApiError::new(Code::InternalError))?;
    sealed.map_err(refused)
}

/// Repeated while the lane is busy: from here on the upload is stored, so "not executed" would be
/// wrong.
async fn put_on_sale(engine: &Engine, restock: Restock) -> Result<(), ApiError> {
    for attempt in 1..=RESTOCKS_MAX {
        match engine.restock(restock).await {
            Ok(()) => return Ok(()),
            Err(fault) => {
                tracing::warn!(import.id = %restock.import, attempt, "could not put an import on sale: {fault}");
                tokio::time::sleep(RESTOCK_PAUSE * attempt).await;
            }
        }
    }
    tracing::error!(import.id = %restock.import, "left an import off sale until the next look");
    Err(ApiError::saying(
        Code::OutcomeUnknown,
        "The serials are stored and go on sale by themselves, within minutes.",
    ))
}
