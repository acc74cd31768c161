//! `POST /portal/v1/programs/{rel}/payouts/{pay}/cancel`: the reseller takes a request back while it waits.

use axum::{extract::State, response::Response};
use engine::ids::{PayoutId, RelationshipId};
use persistence::payouts::Verb;

use super::decide::{Deciding, taken};
use crate::{
    auth::Session,
    balances::owner::own_scope,
    error::ApiError,
    extract::{Once, PathIds},
    state::App,
    wire::fields::Nothing,
};

pub(crate) async fn cancel(
    State(app): State<App>,
    caller: Session,
    PathIds((relationship, id)): PathIds<(RelationshipId, PayoutId)>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let (scope, currency) = own_scope(&app, &caller, relationship).await?;
    let name = (scope.merchant, caller.person_id().uuid());
    let deciding = Deciding {
        of: ((scope.merchant, scope.relationship), id),
        currency,
        actor: caller.actor(),
    };
    let verb = Verb::Cancel {
        reason: None,
        by_reseller: true,
    };
    let work = Box::pin(taken(app.clone(), deciding, verb));
    once.request.execute(&app, name, work).await
}
