//! `POST /dev/v1/resellers/{id}/suspend`, `/reactivate`, `/terminate`, each with a reason that the
//! reseller sees.
//!
//! Keeps the order: stored, forgotten by the key cache, taken over by the balance's actor, answered.
//! Once a suspension is answered, nothing is executed for the reseller any more.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    audit::Actor,
    ids::{MailId, MerchantId, RelationshipId},
    relationships::{Step, WrongStatus},
};
use persistence::{
    mail::{Letter, Post},
    owned,
    relationships::step::{Taken, step},
    top_ups::{Payer, payer},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Showcase;
use crate::{
    auth::{MerchantKey, scope::ResellersWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{
        answer::Answer,
        texts::{REASON_CHARS_MAX, lines},
    },
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepReason {
    reason: Option<String>,
}

pub(crate) async fn dev_suspend(
    State(app): State<App>,
    caller: MerchantKey<ResellersWrite>,
    PathIds(id): PathIds<RelationshipId>,
    once: Once<StepReason>,
) -> Result<Response, ApiError> {
    execute(app, caller, (id, Step::Suspend), once).await
}

pub(crate) async fn dev_reactivate(
    State(app): State<App>,
    caller: MerchantKey<ResellersWrite>,
    PathIds(id): PathIds<RelationshipId>,
    once: Once<StepReason>,
) -> Result<Response, ApiError> {
    execute(app, caller, (id, Step::Reactivate), once).await
}

pub(crate) async fn dev_terminate(
    State(app): State<App>,
    caller: MerchantKey<ResellersWrite>,
    PathIds(id): PathIds<RelationshipId>,
    once: Once<StepReason>,
) -> Result<Response, ApiError> {
    execute(app, caller, (id, Step::Terminate), once).await
}

async fn execute(
    app: App,
    caller: MerchantKey<ResellersWrite>,
    what: (RelationshipId, Step),
    once: Once<StepReason>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, wire| answer(app, caller, what, wire);
    once.run(app, caller, work).await
}

async fn answer(
    app: App,
    caller: MerchantKey<ResellersWrite>,
    (id, wanted): (RelationshipId, Step),
    wire: StepReason,
) -> Result<Response, ApiError> {
    let reason = lines(wire.reason, "reason", REASON_CHARS_MAX)?;
    let of = (caller.merchant_id(), id);
    // One task for all of it: what is stored is always taken over.
    let stepping = owned(store(app.clone(), of, (wanted, reason), caller.actor()));
    match stepping.await? {
        None => Err(ApiError::new(Code::NotFound)),
        Some(Err(WrongStatus(status))) => {
            let said = "The status of the relationship does not allow this.";
            Err(ApiError::saying(Code::InvalidState, said).detail("status", status.name()))
        }
        Some(Ok(taken)) => {
            let reseller = Showcase::find(&app, &caller, id).await?;
            Ok(Answer::stepped(taken.already, reseller).into_response())
        }
    }
}

async fn store(
    app: App,
    of: (MerchantId, RelationshipId),
    (wanted, reason): (Step, Option<String>),
    actor: Actor,
) -> Result<Option<Result<Taken, WrongStatus>>, ApiError> {
    let payer = payer(&app.database, of).await?;
    let told = payer.map(|payer| {
        let post = letter(&app, &payer, wanted, reason.as_deref());
        (app.engine.vault().clone(), post)
    });
    let what = (wanted, reason, told);
    let stepped = step(&app.database, of, what, actor, app.now()).await?;
    if let Some(Ok(taken)) = &stepped {
        app.mail_queued.notify_one();
        for key in &taken.revoked {
            app.forget_key(*key);
        }
        // Also if it was there already: the one who stored it may not have come this far.
        app.take_over(of.1, &taken.balances).await?;
    }
    Ok(stepped)
}

/// What the reseller is mailed, with the reason that it reads in its workspace too.
fn letter(app: &App, reseller: &Payer, step: Step, reason: Option<&str>) -> Post {
    let merchant = &reseller.merchant_name;
    let (what, follows) = match step {
        Step::Suspend => (
            "suspended",
            "Nothing new is sold or delivered. What is paid stays yours.",
        ),
        Step::Reactivate => ("active again", "You can go on selling."),
        Step::Terminate => (
            "ended",
            "Its keys are revoked. You can still read, export and be paid what you earned.",
        ),
    };
    let reason = reason.map_or_else(String::new, |reason| format!("\n\n{reason}"));
    Post {
        id: MailId::generate(app.now(), &**app.engine.random()),
        letter: Letter {
            to: reseller.email.clone(),
            subject: format!("Your program at {merchant} is {what}"),
            text: format!(
                "Your program at {merchant} is {what}.{reason}\n\n{follows} See {origin}.\n",
                origin = app.origin,
            ),
        },
    }
}
