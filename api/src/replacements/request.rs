//! `POST /reseller/v1/fulfillments/{id}/items/{item_id}/replacements`, and a person's in the portal: a delivered
//! serial is no good. And `GET /reseller/v1/replacements/{id}`: what became of it.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    audit::{Actor, ActorKind},
    clock::Timestamp,
    fulfillments::{FulfilledLine, Fulfillment},
    ids::{FulfillmentId, ItemId, RelationshipId, ReplacementId, SerialId},
    relationships::RelationshipScope,
    replacements::{Bought, NOTE_CHARS_MAX, Reason, Refusal, Replacement, Status},
};
use persistence::{fulfillments::get, owned, programs, replacements::request};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{ReplacementAnswer, carry::carry};
use crate::{
    auth::{
        ResellerKey, Session,
        scope::{FulfillmentsRead, FulfillmentsWrite},
    },
    balances::owner::Asker,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, texts},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestReplacement {
    /// INVALID, USED, REGION, DUPLICATE or OTHER.
    reason: String,
    note: Option<String>,
}

pub(crate) async fn reseller(
    State(app): State<App>,
    caller: ResellerKey<FulfillmentsWrite>,
    PathIds(ids): PathIds<(FulfillmentId, ItemId)>,
    once: Once<RequestReplacement>,
) -> Result<Response, ApiError> {
    let work = move |app, caller: ResellerKey<FulfillmentsWrite>, wire| {
        answer(app, (caller.scope(), actor(&caller)), ids, wire)
    };
    once.run(app, caller, work).await
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id, item)): PathIds<(RelationshipId, FulfillmentId, ItemId)>,
    once: Once<RequestReplacement>,
) -> Result<Response, ApiError> {
    let asker = Asker::own(&app, &caller, relationship).await?;
    let work =
        move |app, asker: Asker, wire| answer(app, (asker.scope, asker.actor), (id, item), wire);
    once.run(app, asker, work).await
}

async fn answer(
    app: App,
    (scope, actor): (RelationshipScope, Actor),
    (id, item): (FulfillmentId, ItemId),
    wire: RequestReplacement,
) -> Result<Response, ApiError> {
    let now = app.now();
    let missing = || ApiError::new(Code::NotFound);
    let found = get::find(&app.database, scope, id).await?;
    let fulfillment = found.ok_or_else(missing)?;
    let serial = SerialId::from_uuid(item.uuid());
    let line = line_of(&fulfillment, serial).ok_or_else(missing)?;
    let (reason, note) = wire.read()?;
    let program = programs::find(&app.database, scope.merchant).await?;
    let rule = program.ok_or_else(missing)?.replacement;
    let wanted = Replacement {
        id: ReplacementId::generate(now, app.engine.random().as_ref()),
        note,
        ..wanted(scope, &fulfillment, (serial, line), (reason, now))
    };
    let refunded = fulfillment.is_refunded(serial);
    let of = (fulfillment.stamp.created_at, refunded);
    let by = (actor, now);
    // One task for both steps: what is granted at once is also carried out.
    let stored = owned(async move {
        let requested = request::request(&app.database, wanted, of, rule, by).await?;
        let stored = requested.map_err(refused)?;
        let carried = carry(&app, stored.clone()).await;
        Ok::<_, ApiError>(carried.unwrap_or_else(|error| {
            let code = error.code().name();
            tracing::warn!(replacement.id = %stored.id, code, "a replacement waits on: {code}");
            stored
        }))
    });
    let stored = stored.await?;
    Ok(Answer::created(ReplacementAnswer::of(&stored)).into_response())
}

/// The line that delivered a serial. One that took another's place is not replaced again.
fn line_of(fulfillment: &Fulfillment, serial: SerialId) -> Option<&FulfilledLine> {
    let mut lines = fulfillment.contents.lines.iter();
    lines.find(|line| line.serials.iter().any(|one| one.id == serial))
}

fn wanted(
    scope: RelationshipScope,
    fulfillment: &Fulfillment,
    (serial, line): (SerialId, &FulfilledLine),
    (reason, now): (Reason, Timestamp),
) -> Replacement {
    Replacement {
        id: ReplacementId::from_uuid(uuid::Uuid::nil()),
        scope,
        bought: Bought::Fulfillment {
            id: fulfillment.stamp.id.fulfillment(),
            order_id: fulfillment.contents.order_id.clone(),
        },
        serial,
        sku: line.sku,
        unit_price: line.unit_price,
        reason,
        note: None,
        status: Status::Requested,
        decided_by: None,
        decision_note: None,
        successor: None,
        created_at: now,
        updated_at: now,
    }
}

fn actor(caller: &ResellerKey<FulfillmentsWrite>) -> Actor {
    Actor {
        kind: ActorKind::ApiKey,
        id: Some(caller.key_id().to_string()),
        label: caller.key().name.clone(),
        ip: Some(caller.call().address),
    }
}

pub(super) fn refused(refusal: Refusal) -> ApiError {
    let because = match refusal {
        Refusal::WindowOver => "The time in which items are replaced is over.",
        Refusal::AlreadyRequested => "A replacement of this item was requested before.",
        Refusal::Refunded => "What was paid for this item was given back.",
        Refusal::Gone => "This item was taken back, or took another's place.",
    };
    ApiError::saying(Code::ReplacementRefused, because)
}

impl RequestReplacement {
    pub(super) fn read(self) -> Result<(Reason, Option<String>), ApiError> {
        let reason = texts::word(Some(self.reason), "reason", Reason::parse)?;
        let reason = reason.ok_or_else(|| ApiError::field("reason", "is missing"))?;
        let note = texts::lines(self.note, "note", NOTE_CHARS_MAX)?;
        Ok((reason, note))
    }
}

pub(crate) async fn reseller_one(
    State(app): State<App>,
    caller: ResellerKey<FulfillmentsRead>,
    PathIds(id): PathIds<ReplacementId>,
) -> Result<Answer<ReplacementAnswer>, ApiError> {
    let found = request::find(&app.database, caller.scope(), id).await?;
    let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
    Ok(Answer::ok(ReplacementAnswer::of(&found)))
}
