//! `POST /dev/v1/resellers/{id}/stock-transfers/{transferId}/allocate`: what is paid gets its serials, all or
//! none.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::{RelationshipId, StockRequestId},
    stock_requests::{Event, Status},
};
use persistence::{
    owned,
    stock_requests::{Step, Steps, step},
};

use super::{StockRequestView, carry::carry, invoice::wrong};
use crate::{
    auth::{MerchantKey, scope::ResellerStockWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, fields::Nothing},
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellerStockWrite>,
    PathIds(ids): PathIds<(RelationshipId, StockRequestId)>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, Nothing {}| answer(app, caller, ids);
    once.run(app, caller, work).await
}

async fn answer(
    app: App,
    caller: MerchantKey<ResellerStockWrite>,
    (relationship, id): (RelationshipId, StockRequestId),
) -> Result<Response, ApiError> {
    let currency = caller.currency();
    let of = (caller.merchant_id(), Some(relationship));
    let begin = Step::by(
        Event::AllocationBegun,
        caller.actor(),
        "stock_request.allocate",
    );
    let work = app.clone();
    // One task for both: what is decided is also carried out.
    let done = owned(async move {
        let turn = work.turns.take(id).await;
        let stepped = step(&work.database, of, id, begin, work.now()).await?;
        match stepped.ok_or_else(|| ApiError::new(Code::NotFound))? {
            Steps::To(begun, _) => Ok((carry(&work, &turn, *begun, currency).await?, false)),
            // A crash cut it off, or it has its serials.
            Steps::Already(found) => Ok((carry(&work, &turn, *found, currency).await?, true)),
            Steps::Wrong(found) if found.status == Status::Revoked => Ok((*found, true)),
            Steps::Wrong(found) => Err(wrong(&found, work.now())),
            Steps::ReferenceTaken => Err(ApiError::new(Code::InternalError)),
        }
    });
    let (request, again) = done.await?;
    let view = StockRequestView::of(&request, currency, app.now());
    Ok(Answer::stepped(again, view).into_response())
}
