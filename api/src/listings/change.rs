//! `PATCH /portal/v1/programs/{rel}/listings/{lst}`: another price; pause, resume or archive it.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::{ListingId, RelationshipId},
    listings::{Changed, Edit, Wanted},
};
use persistence::listings::{self, Deed};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{list::found, refusal::refusal};
use crate::{
    auth::Session,
    balances::owner::Asker,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, money::Amount, texts::word},
};

/// What is not sent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateListing {
    price: Option<Amount>,
    /// ACTIVE, PAUSED, or ARCHIVED for good.
    status: Option<String>,
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, ListingId)>,
    once: Once<UpdateListing>,
) -> Result<Response, ApiError> {
    let asker = Asker::own(&app, &caller, relationship).await?;
    let work = move |app, asker, wire| edited(app, asker, id, wire);
    once.run(app, asker, work).await
}

async fn edited(
    app: App,
    asker: Asker,
    id: ListingId,
    wire: UpdateListing,
) -> Result<Response, ApiError> {
    let price = wire.price.map(|price| price.read(asker.currency, "price"));
    let edit = Edit {
        price: price.transpose()?,
        wanted: word(wire.status, "status", Wanted::parse)?,
    };
    answer(&app, asker, id, Deed::Edit(edit)).await
}

/// Does it, and shows the listing as it is now.
pub(super) async fn answer(
    app: &App,
    asker: Asker,
    id: ListingId,
    deed: Deed,
) -> Result<Response, ApiError> {
    let (of, currency) = (
        (asker.scope.merchant, asker.scope.relationship),
        asker.currency,
    );
    let by = (asker.actor, app.now());
    let changed = listings::change(&app.database, of, id, deed, by).await?;
    let changed = changed.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let changed = changed.map_err(|refused| refusal(refused, currency))?;
    let shown = found(app, of, id, currency).await;
    let shown = shown.map_err(ApiError::after_change)?;
    let already = matches!(changed, Changed::Already(_));
    Ok(Answer::stepped(already, shown).into_response())
}
