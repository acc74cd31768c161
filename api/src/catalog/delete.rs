//! `DELETE /dev/v1/products/{id}`: an end of a product. Whatever was stored or offered of it stays readable,
//! then it is archived.

use axum::{extract::State, response::Response};
use engine::{
    audit::Actor,
    catalog::End,
    ids::{MerchantId, ProductId},
};
use persistence::{catalog::delete::delete, owned};

use crate::{
    auth::{MerchantKey, scope::ProductsWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::no_content, fields::Nothing},
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ProductsWrite>,
    PathIds(id): PathIds<ProductId>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let work = move |app: App, caller: MerchantKey<ProductsWrite>, Nothing {}| {
        let of = (caller.merchant_id(), id);
        // One task for all of it: what is stored is always taken over.
        owned(end(app, of, caller.actor()))
    };
    once.run(app, caller, work).await
}

async fn end(app: App, of: (MerchantId, ProductId), actor: Actor) -> Result<Response, ApiError> {
    let ended = delete(&app.database, of, actor, app.now()).await;
    // A commit whose answer was lost may have ended it too.
    let told = app.engine.product_changed(of.1).await;
    match ended? {
        None => Err(ApiError::new(Code::NotFound)),
        Some(End::Deleted | End::Archived(_) | End::Already) => {
            told.map_err(|fault| ApiError::from(fault).after_change())?;
            Ok(no_content())
        }
    }
}
