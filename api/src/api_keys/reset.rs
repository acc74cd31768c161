//! `POST /portal/v1/programs/{rel}/test/reset`: test mode begun anew, with ten thousand and no records.
//!
//! Keeps: the keys are forgotten after the commit and before the answer, so whatever they buy afterwards
//! is bought from the new balance. An order under way ends in the old one.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::ids::RelationshipId;
use persistence::{
    api_keys::{Reset, reset_test},
    relationships::find::find_scope,
};

use super::{keyring::Keyring, test_balance};
use crate::{
    auth::Session,
    balances::{Balance, get::view},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, fields::Nothing},
};

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(relationship): PathIds<RelationshipId>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let keyring = Keyring::of_reseller(&app, &caller, relationship).await?;
    let work = move |app, keyring, Nothing {}| answer(app, keyring, relationship);
    once.run(app, keyring, work).await
}

async fn answer(
    app: App,
    keyring: Keyring,
    relationship: RelationshipId,
) -> Result<Response, ApiError> {
    let reset = reset_test(&app.database, keyring.who(), app.now()).await;
    let Some(reset) = reset? else {
        let said = "There is no test key, and so nothing to begin anew.";
        return Err(ApiError::saying(Code::InvalidState, said));
    };
    let replayed = match reset {
        Reset::Already => true,
        Reset::Done(keys) => {
            for key in keys {
                app.forget_key(key);
            }
            false
        }
    };
    let told = told(&app, &keyring, relationship).await;
    let told = told.map_err(ApiError::after_change)?;
    Ok(Answer::stepped(replayed, told).into_response())
}

/// Fills the balance that is in force, also if a crash left it empty, and shows it.
async fn told(
    app: &App,
    keyring: &Keyring,
    relationship: RelationshipId,
) -> Result<Balance, ApiError> {
    let (merchant, currency) = (keyring.merchant.id, keyring.merchant.currency);
    let scope = find_scope(&app.database, merchant, relationship, true).await?;
    let scope = scope.ok_or_else(|| ApiError::new(Code::InternalError))?;
    if app.engine.balance(scope).await?.version == 0 {
        test_balance::fill(app, (merchant, currency), relationship).await?;
    }
    view(app, scope, currency).await
}
