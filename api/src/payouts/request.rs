//! `POST /portal/v1/programs/{rel}/payouts`: a reseller asks to be paid.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::{PayoutId, RelationshipId},
    money::Currency,
    payouts::{Refusal, Wanted},
    programs::PayoutAsset,
    relationships::RelationshipScope,
};
use persistence::payouts::{Requesting, request};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{PayoutView, letters::letters};
use crate::{
    auth::{Session, SteppedUp},
    balances::owner::own_scope,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{
        answer::Answer,
        money::{Amount, MoneyText},
        texts,
    },
};

const NOTE_CHARS_MAX: usize = 500;
const ADDRESS_CHARS_MAX: usize = 128;
const WORD_CHARS_MAX: usize = 32;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestPayout {
    amount: Amount,
    /// One that the program pays in, with its network.
    asset: String,
    network: String,
    address: String,
    note: Option<String>,
}

pub(crate) async fn portal(
    State(app): State<App>,
    SteppedUp(caller): SteppedUp,
    PathIds(relationship): PathIds<RelationshipId>,
    once: Once<RequestPayout>,
) -> Result<Response, ApiError> {
    let (scope, currency) = own_scope(&app, &caller, relationship).await?;
    let name = (scope.merchant, caller.person_id().uuid());
    let request = once.request.reference(name, &**app.engine.random());
    let asked = Asked {
        scope,
        currency,
        request,
    };
    let work = Box::pin(answer(app.clone(), caller, asked, once.body));
    once.request.execute(&app, name, work).await
}

/// Of whom, and what the request is known again by.
struct Asked {
    scope: RelationshipScope,
    currency: Currency,
    request: Uuid,
}

async fn answer(
    app: App,
    caller: Session,
    asked: Asked,
    wire: RequestPayout,
) -> Result<Response, ApiError> {
    let Asked {
        scope,
        currency,
        request: known,
    } = asked;
    let now = app.now();
    let wanted = wire.read(&app, scope, currency)?;
    let requesting = Requesting {
        wanted,
        request: known,
        letters: letters(&app, currency),
    };
    let random = Arc::clone(app.engine.random());
    let with = (app.engine.vault(), random);
    let requested = request(&app.database, with, requesting, (caller.actor(), now)).await?;
    let requested = requested.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let payout = requested.map_err(|refusal| refused(refusal, currency))?;
    app.mail_queued.notify_one();
    Ok(Answer::created(PayoutView::of(&payout, currency)).into_response())
}

impl RequestPayout {
    fn read(
        self,
        app: &App,
        scope: RelationshipScope,
        currency: Currency,
    ) -> Result<Wanted, ApiError> {
        let upper = |text: String, field| {
            let text = texts::one_line(text, field, WORD_CHARS_MAX)?;
            Ok::<_, ApiError>(text.trim().to_ascii_uppercase())
        };
        let address = texts::one_line(self.address, "address", ADDRESS_CHARS_MAX)?;
        Ok(Wanted {
            id: PayoutId::generate(app.now(), &**app.engine.random()),
            merchant: scope.merchant,
            relationship: scope.relationship,
            amount: self.amount.read(currency, "amount")?,
            to: PayoutAsset {
                asset: upper(self.asset, "asset")?,
                network: upper(self.network, "network")?,
            },
            address: address.trim().to_owned(),
            note: texts::lines(self.note, "note", NOTE_CHARS_MAX)?,
        })
    }
}

fn refused(refusal: Refusal, currency: Currency) -> ApiError {
    match refusal {
        Refusal::Inactive(status) => {
            let said = "The status of the relationship allows no payout.";
            ApiError::saying(Code::RelationshipInactive, said).detail("status", status.name())
        }
        Refusal::NotVerified(status) => {
            ApiError::new(Code::VerificationRequired).detail("verification", status.name())
        }
        Refusal::NotOffered => {
            ApiError::field("asset", "is not paid by this merchant on this network")
        }
        Refusal::BadAddress => {
            let said = "is no address of this network: its form or its checksum is wrong";
            ApiError::field("address", said)
        }
        Refusal::OutOfRange { min, max } => {
            let text = |amount| MoneyText(currency, amount).to_string();
            ApiError::new(Code::AmountOutOfRange)
                .detail("min", text(min))
                .detail("available", text(max))
        }
        Refusal::TooMany => ApiError::saying(
            Code::InvalidState,
            "There are five open payouts already: wait for one, or cancel one.",
        ),
        Refusal::TooOften => ApiError::saying(
            Code::InvalidState,
            "Ten requests of the last day ended unpaid: ask again tomorrow.",
        ),
    }
}
