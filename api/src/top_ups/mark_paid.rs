//! `POST /dev/v1/resellers/{id}/top-ups/{inv}/mark-paid`: the merchant saw the money.
//!
//! Keeps the order: what arrived is stored, credited, noted, answered. It says so once: the same word
//! again changes nothing, another one is refused.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    audit::Actor,
    ids::{InvoiceId, RelationshipId},
    money::Money,
    payments::{Invoice, Provider as _},
    relationships::RelationshipScope,
};
use persistence::{
    owned,
    top_ups::{self, NotSettled},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{TopUpView, complete::complete};
use crate::{
    auth::{MerchantKey, scope::BalanceWrite},
    balances::owner::Asker,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    payments::{Manual, Word},
    state::App,
    wire::{answer::Answer, money::Amount, texts},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MarkPaid {
    /// What arrived; else what the invoice asks for.
    pub(crate) amount: Option<Amount>,
    /// Under which the money is found again; it pays one invoice only.
    pub(crate) reference: Option<String>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<BalanceWrite>,
    PathIds(ids): PathIds<(RelationshipId, InvoiceId)>,
    once: Once<MarkPaid>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, wire| async move {
        let asker = Asker::merchant(&app, &caller, ids.0).await?;
        answer(app, asker, ids.1, wire).await
    };
    once.run(app, caller, work).await
}

async fn answer(
    app: App,
    asker: Asker,
    id: InvoiceId,
    wire: MarkPaid,
) -> Result<Response, ApiError> {
    let currency = asker.currency;
    let (already, invoice) = marked(&app, asker, id, wire).await?;
    let view = TopUpView::of(&invoice, currency, app.now());
    Ok(Answer::stepped(already, view).into_response())
}

/// Whether the top-up was paid so before, and how it stands.
pub(crate) async fn marked(
    app: &App,
    asker: Asker,
    id: InvoiceId,
    wire: MarkPaid,
) -> Result<(bool, Invoice), ApiError> {
    let currency = asker.currency;
    let amount = wire.amount.map(|amount| amount.read(currency, "amount"));
    let amount = amount.transpose()?;
    if amount.is_some_and(|amount| amount <= Money::ZERO) {
        return Err(ApiError::field("amount", "must be above zero"));
    }
    let word = Word {
        amount,
        reference: reference(wire.reference)?,
    };
    // One task for all of it: what is stored is credited, whether or not the caller waits.
    owned(paid(app.clone(), asker.scope, id, word, asker.actor)).await
}

/// Under which the money is found again.
pub(crate) fn reference(sent: Option<String>) -> Result<Option<String>, ApiError> {
    let read = sent.map(|text| texts::one_line(text, "reference", texts::REFERENCE_CHARS_MAX));
    read.transpose()
}

async fn paid(
    app: App,
    scope: RelationshipScope,
    id: InvoiceId,
    word: Word,
    actor: Actor,
) -> Result<(bool, Invoice), ApiError> {
    let missing = || ApiError::new(Code::NotFound);
    let found = top_ups::find(&app.database, scope, id).await?;
    let found = found.ok_or_else(missing)?;
    let snapshot = Manual::saying(word).fetch(&found).await?;
    if found.payments.is_empty() {
        let arrived = snapshot.arrived.iter().map(|one| one.amount);
        room_for(&app, scope, arrived).await?;
    }
    let of = (scope.merchant, scope.relationship);
    let by = (actor, app.engine.random().clone());
    let settled = top_ups::settle(&app.database, (of, id), snapshot, by, app.now()).await?;
    let settled = settled.ok_or_else(missing)?.map_err(refusal)?;
    for waiting in settled.waiting {
        let completed = complete(&app, waiting).await;
        completed.map_err(ApiError::after_change)?;
    }
    let stands = top_ups::find(&app.database, scope, id).await;
    let stands = stands.map_err(|error| ApiError::from(error).after_change())?;
    Ok((settled.already, stands.ok_or_else(missing)?))
}

/// Money that no balance could hold would wait for its credit for ever.
async fn room_for(
    app: &App,
    scope: RelationshipScope,
    mut amounts: impl Iterator<Item = Money>,
) -> Result<(), ApiError> {
    let posted = app.engine.balance(scope).await?.posted;
    let fits = amounts.try_fold(posted, Money::checked_add).is_some();
    let message = "would lift the balance above the largest amount";
    fits.then_some(())
        .ok_or_else(|| ApiError::field("amount", message))
}

pub(crate) fn refusal(refused: NotSettled) -> ApiError {
    match refused {
        NotSettled::Contradiction(invoice) => {
            let said =
                "The invoice was paid with another amount or reference. Nothing was changed.";
            let status = invoice.status.name();
            ApiError::saying(Code::InvalidState, said).detail("status", status)
        }
        NotSettled::SourceTaken => {
            let said = "This reference paid another invoice. Nothing was changed.";
            ApiError::saying(Code::AlreadyExists, said)
                .detail("reference", "belongs to another invoice")
        }
    }
}
