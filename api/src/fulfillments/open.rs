//! `POST /portal/v1/programs/{rel}/fulfillments/{ful}/items/{item}/reveal`: a person reads one serial of what
//! was delivered.
//!
//! Keeps: who reads it is in the audit log before it is shown, and no answer that is kept has its text.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    audit::Deed,
    ids::{FulfillmentId, ItemId, RelationshipId},
};
use persistence::inventory::note::note;

use super::{
    answer::{Serials, Told},
    history::Asked,
};
use crate::{
    auth::Session,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    layers::rate_limit::too_many_readings,
    state::App,
    wire::{answer::Answer, fields::Nothing},
};

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id, item)): PathIds<(RelationshipId, FulfillmentId, ItemId)>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let (actor, person) = (caller.actor(), caller.person_id().uuid());
    let asked = Asked::by_person(app.clone(), &caller, relationship).await?;
    let merchant = asked.scope.merchant;
    let work = Box::pin(async move {
        if !asked
            .app
            .readings
            .take(&person.to_string(), asked.app.now())
        {
            return Err(too_many_readings(asked.app.now()));
        }
        let told = asked.find(id, Serials::Shown).await?;
        has(&told, item)?;
        let deed = Deed {
            actor,
            action: "fulfillment.reveal".to_owned(),
            target: item.to_string(),
            before: None,
            after: None,
            at: asked.app.now(),
        };
        note(&asked.app.database, merchant, deed).await?;
        let masked = asked.find(id, Serials::Masked).await;
        shown(&told, &masked.map_err(ApiError::after_change)?, item)
    });
    once.request.execute(&app, (merchant, person), work).await
}

fn has(told: &Told, item: ItemId) -> Result<(), ApiError> {
    let lines = told.lines();
    let found = lines.iter().find_map(|line| line.item(item));
    found.map(drop).ok_or_else(|| ApiError::new(Code::NotFound))
}

fn shown(told: &Told, masked: &Told, item: ItemId) -> Result<Response, ApiError> {
    let missing = || ApiError::new(Code::NotFound);
    let (lines, without) = (told.lines(), masked.lines());
    let clear = lines.iter().find_map(|line| line.item(item));
    let kept = without.iter().find_map(|line| line.item(item));
    let answer = Answer::ok(clear.ok_or_else(missing)?);
    Ok(answer.kept_as(kept.ok_or_else(missing)?).into_response())
}
