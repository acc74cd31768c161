//! `POST …/api-keys/{key}/rotate`: a successor with the same rights; the old key works beside it for a
//! while.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    api_keys::{OVERLAP_HOURS_DEFAULT, OVERLAP_HOURS_MAX},
    ids::{KeyId, RelationshipId},
};
use persistence::{
    api_keys::{self, Changed, Successor},
    owned,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Keyring, create::Secrets, refusal::refusal};
use crate::{
    auth::{SteppedUp, member::OwnerSteppedUp},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, fields::Whole},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateKey {
    overlap_hours: Option<Whole>,
}

pub(crate) async fn portal(
    State(app): State<App>,
    SteppedUp(caller): SteppedUp,
    PathIds((relationship, id)): PathIds<(RelationshipId, KeyId)>,
    once: Once<RotateKey>,
) -> Result<Response, ApiError> {
    let keyring = Keyring::of_reseller(&app, &caller, relationship).await?;
    let work = move |app, keyring, wire| answer(app, keyring, id, wire);
    once.run(app, keyring, work).await
}

pub(crate) async fn dev(
    State(app): State<App>,
    OwnerSteppedUp(member): OwnerSteppedUp,
    PathIds(id): PathIds<KeyId>,
    once: Once<RotateKey>,
) -> Result<Response, ApiError> {
    let keyring = Keyring::of_merchant(&member);
    let work = move |app, keyring, wire| answer(app, keyring, id, wire);
    once.run(app, keyring, work).await
}

async fn answer(
    app: App,
    keyring: Keyring,
    id: KeyId,
    wire: RotateKey,
) -> Result<Response, ApiError> {
    let hours = wire.overlap_hours;
    let overlap_hours = hours.map_or(OVERLAP_HOURS_DEFAULT, |Whole(hours)| hours);
    if overlap_hours > OVERLAP_HOURS_MAX {
        return Err(ApiError::field("overlap_hours", "must be from 0 to 168"));
    }
    let old = api_keys::find_own(&app.database, keyring.scope(), id).await?;
    let old = old.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let secrets = Secrets::new(&app, &keyring, old.key.test);
    let successor = Successor {
        text: secrets.text.clone(),
        url_secret: secrets.url.clone(),
        overlap_hours,
    };
    let owner = keyring.owner(&app).await?;
    // One task for all of it: what is stored is always taken over.
    let rotating = owned(store(app.clone(), keyring, id, successor));
    let changed = rotating.await?;
    let show = || owner.show(&changed.stored, app.now());
    let signs = changed.stored.key.url_secret.is_some();
    Ok(secrets.answer(Answer::created, show, signs).into_response())
}

async fn store(
    app: App,
    keyring: Keyring,
    id: KeyId,
    successor: Successor,
) -> Result<Changed, ApiError> {
    let (vault, what) = (app.engine.vault(), (id, successor));
    let rotated = api_keys::rotate(&app.database, vault, keyring.who(), what, app.now()).await?;
    let rotated = rotated.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let changed = rotated.map_err(refusal)?;
    keyring.take_over(&app, id, &changed.balances).await?;
    Ok(changed)
}
