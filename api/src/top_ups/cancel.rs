//! `POST /portal/v1/programs/{rel}/top-ups/{inv}/cancel` and the merchant's: nobody will pay it. Money
//! that comes all the same is credited.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::{InvoiceId, RelationshipId},
    payments::{Invoice, WrongStatus},
};
use persistence::top_ups;

use super::TopUpView;
use crate::{
    auth::{MerchantKey, Session, scope::BalanceWrite},
    balances::owner::Asker,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, fields::Nothing},
};

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, InvoiceId)>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let asker = Asker::own(&app, &caller, relationship).await?;
    let work = move |app, asker, Nothing {}| answer(app, asker, id);
    once.run(app, asker, work).await
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<BalanceWrite>,
    PathIds((relationship, id)): PathIds<(RelationshipId, InvoiceId)>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let asker = Asker::merchant(&app, &caller, relationship).await?;
    let work = move |app, asker, Nothing {}| answer(app, asker, id);
    once.run(app, asker, work).await
}

async fn answer(app: App, asker: Asker, id: InvoiceId) -> Result<Response, ApiError> {
    let currency = asker.currency;
    let (invoice, already) = cancelled(&app, asker, id).await?;
    let view = TopUpView::of(&invoice, currency, app.now());
    Ok(Answer::stepped(already, view).into_response())
}

/// The top-up, cancelled, and whether it was so before.
pub(crate) async fn cancelled(
    app: &App,
    asker: Asker,
    id: InvoiceId,
) -> Result<(Invoice, bool), ApiError> {
    let (of, now) = ((asker.scope.merchant, asker.scope.relationship), app.now());
    let cancelled = top_ups::cancel(&app.database, (of, id), asker.actor, now).await?;
    let cancelled = cancelled.ok_or_else(|| ApiError::new(Code::NotFound))?;
    cancelled.map_err(|WrongStatus(status)| {
        let said = "Only an open top-up can be cancelled.";
        ApiError::saying(Code::InvalidState, said).detail("status", status.name())
    })
}
