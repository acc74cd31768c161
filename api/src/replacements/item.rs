//! `POST /portal/v1/programs/{rel}/inventory/{itm}/replacements`: a serial that was bought by wholesale is no good.
//! And `POST .../replacements/{rpl}/cancel`: whoever asked takes a request back.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::ids::{InventoryItemId, RelationshipId, ReplacementId, SerialId};
use persistence::{
    programs,
    replacements::{
        decide::{Decided, cancel},
        request_item::{Wanted, request_item},
    },
};

use super::{
    ReplacementAnswer,
    decide::otherwise,
    request::{RequestReplacement, refused},
};
use crate::{
    auth::Session,
    balances::owner::Asker,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, fields::Nothing},
};

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, item)): PathIds<(RelationshipId, InventoryItemId)>,
    once: Once<RequestReplacement>,
) -> Result<Response, ApiError> {
    let asker = Asker::own(&app, &caller, relationship).await?;
    let work = move |app, asker, wire| requested(app, asker, item, wire);
    once.run(app, asker, work).await
}

pub(crate) async fn portal_cancel(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, ReplacementId)>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let asker = Asker::own(&app, &caller, relationship).await?;
    let work = move |app, asker, Nothing {}| cancelled(app, asker, id);
    once.run(app, asker, work).await
}

async fn requested(
    app: App,
    asker: Asker,
    item: InventoryItemId,
    wire: RequestReplacement,
) -> Result<Response, ApiError> {
    let (now, missing) = (app.now(), || ApiError::new(Code::NotFound));
    let (reason, note) = wire.read()?;
    let program = programs::find(&app.database, asker.scope.merchant).await?;
    let rule = program.ok_or_else(missing)?.replacement;
    let wanted = Wanted {
        id: ReplacementId::generate(now, app.engine.random().as_ref()),
        scope: asker.scope,
        serial: SerialId::from_uuid(item.uuid()),
        reason,
        note,
    };
    let stored = request_item(&app.database, wanted, rule, (asker.actor, now)).await?;
    let stored = stored.ok_or_else(missing)?.map_err(refused)?;
    Ok(Answer::created(ReplacementAnswer::of(&stored)).into_response())
}

async fn cancelled(app: App, asker: Asker, id: ReplacementId) -> Result<Response, ApiError> {
    let by = (asker.actor, app.now());
    let cancelled = cancel(&app.database, (asker.scope, id), by).await?;
    let (one, again) = match cancelled.ok_or_else(|| ApiError::new(Code::NotFound))? {
        Decided::Fresh(one) => (one, false),
        Decided::Again(one) => (one, true),
        Decided::Otherwise(one) => return Err(otherwise(&one)),
        Decided::Gone => return Err(ApiError::new(Code::InternalError)),
    };
    Ok(Answer::stepped(again, ReplacementAnswer::of(&one)).into_response())
}
