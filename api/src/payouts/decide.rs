//! `POST /dev/v1/resellers/{id}/payouts/{pay}/approve`, `/force-approve`, `/reject`, `/cancel` and
//! `/complete`: the merchant decides, pays from its own funds, and says so.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    audit::Actor,
    ids::{MerchantId, PayoutId, RelationshipId},
    money::Currency,
    payouts::{Block, WrongStep, normal_hash},
    persons::Role,
};
use persistence::payouts::{Outcome, Verb, find, step};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{PayoutView, checked::checked, letters::letters};
use crate::{
    auth::{MerchantKey, scope::ResellerPayoutsWrite},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, fields::Nothing, money::MoneyText, texts, time},
};

const ASSET_AMOUNT_CHARS_MAX: usize = 64;

type Ids = (RelationshipId, PayoutId);
type Caller = MerchantKey<ResellerPayoutsWrite>;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PayoutReason {
    /// Which the reseller reads.
    reason: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CompletePayout {
    /// Of the transaction that paid it; without one it is shown as without proof.
    tx_hash: Option<String>,
    asset_amount: Option<String>,
}

/// Which payout, and who decides.
pub(super) struct Deciding {
    pub(super) of: ((MerchantId, RelationshipId), PayoutId),
    pub(super) currency: Currency,
    pub(super) actor: Actor,
}

pub(crate) async fn dev_approve(
    State(app): State<App>,
    caller: Caller,
    PathIds(ids): PathIds<Ids>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let work = move |app, caller: Caller, _: Nothing| {
        taken(app, Deciding::of(&caller, ids), Verb::Approve)
    };
    once.run(app, caller, work).await
}

pub(crate) async fn dev_force_approve(
    State(app): State<App>,
    caller: Caller,
    PathIds(ids): PathIds<Ids>,
    once: Once<PayoutReason>,
) -> Result<Response, ApiError> {
    must_own(&caller)?;
    let work = move |app, caller: Caller, wire: PayoutReason| async move {
        let reason = wire.read()?;
        let verb = Verb::ForceApprove { reason };
        taken(app, Deciding::of(&caller, ids), verb).await
    };
    once.run(app, caller, work).await
}

pub(crate) async fn dev_reject(
    State(app): State<App>,
    caller: Caller,
    PathIds(ids): PathIds<Ids>,
    once: Once<PayoutReason>,
) -> Result<Response, ApiError> {
    let work = move |app, caller: Caller, wire: PayoutReason| async move {
        let reason = wire.read()?;
        let verb = Verb::Reject { reason };
        taken(app, Deciding::of(&caller, ids), verb).await
    };
    once.run(app, caller, work).await
}

pub(crate) async fn dev_cancel(
    State(app): State<App>,
    caller: Caller,
    PathIds(ids): PathIds<Ids>,
    once: Once<PayoutReason>,
) -> Result<Response, ApiError> {
    let work = move |app, caller: Caller, wire: PayoutReason| async move {
        let verb = Verb::Cancel {
            reason: wire.read()?,
            by_reseller: false,
        };
        taken(app, Deciding::of(&caller, ids), verb).await
    };
    once.run(app, caller, work).await
}

pub(crate) async fn dev_complete(
    State(app): State<App>,
    caller: Caller,
    PathIds(ids): PathIds<Ids>,
    once: Once<CompletePayout>,
) -> Result<Response, ApiError> {
    must_own(&caller)?;
    let work = move |app: App, caller: Caller, wire: CompletePayout| async move {
        let deciding = Deciding::of(&caller, ids);
        let (of, id) = deciding.of;
        let found = find(&app.database, of, id).await?;
        let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
        let verb = wire.read(&found.to.network)?;
        let verb = checked(&app, &found, deciding.currency, verb).await?;
        taken(app, deciding, verb).await
    };
    once.run(app, caller, work).await
}

/// A key needs only its scope; of people an owner alone.
fn must_own(caller: &Caller) -> Result<(), ApiError> {
    match caller.role() {
        None | Some(Role::Owner) => Ok(()),
        Some(role @ (Role::Manager | Role::Viewer)) => {
            let error = ApiError::saying(Code::Forbidden, "Your role does not allow this.");
            Err(error.detail("role", role.name()))
        }
    }
}

/// Takes the step, and tells what became of it.
pub(super) async fn taken(app: App, deciding: Deciding, verb: Verb) -> Result<Response, ApiError> {
    let Deciding {
        of,
        currency,
        actor,
    } = deciding;
    let random = Arc::clone(app.engine.random());
    let with = (app.engine.vault(), random, letters(&app, currency));
    let outcome = step(&app.database, with, of, verb, (actor, app.now())).await?;
    match outcome.ok_or_else(|| ApiError::new(Code::NotFound))? {
        Outcome::Fresh(payout) => {
            app.mail_queued.notify_one();
            Ok(Answer::ok(PayoutView::of(&payout, currency)).into_response())
        }
        Outcome::Again(payout) => {
            Ok(Answer::replayed(PayoutView::of(&payout, currency)).into_response())
        }
        Outcome::HashTaken => Err(ApiError::field("tx_hash", "is that of another payout")),
        Outcome::Wrong(WrongStep::Status(status)) => {
            let said = "The status of the payout does not allow this.";
            Err(ApiError::saying(Code::InvalidState, said).detail("status", status.name()))
        }
        Outcome::Wrong(WrongStep::Blocked(blocks)) => Err(blocked(&blocks, currency)),
    }
}

fn blocked(blocks: &[Block], currency: Currency) -> ApiError {
    let said = "The payout cannot be approved now: the details say why.";
    let error = ApiError::saying(Code::InvalidState, said);
    blocks.iter().fold(error, |error, block| match block {
        Block::NotVerified(status) => error.detail("verification", status.name()),
        Block::Before(at) => error.detail("approvable_at", time::text(*at)),
        Block::Above(amount) => {
            error.detail("above_available", MoneyText(currency, *amount).to_string())
        }
    })
}

impl Deciding {
    fn of(caller: &Caller, (relationship, id): Ids) -> Self {
        Self {
            of: ((caller.merchant_id(), relationship), id),
            currency: caller.currency(),
            actor: caller.actor(),
        }
    }
}

impl PayoutReason {
    pub(super) fn read(self) -> Result<Option<String>, ApiError> {
        texts::lines(self.reason, "reason", texts::REASON_CHARS_MAX)
    }
}

impl CompletePayout {
    fn read(self, network: &str) -> Result<Verb, ApiError> {
        let wrong = || ApiError::field("tx_hash", "is no hash of a transaction on this network");
        let hash = self.tx_hash.map(|hash| {
            let hash = normal_hash(network, hash.trim());
            hash.ok_or_else(wrong)
        });
        Ok(Verb::Complete {
            tx_hash: hash.transpose()?,
            verified: false,
            asset_amount: texts::line(self.asset_amount, "asset_amount", ASSET_AMOUNT_CHARS_MAX)?,
        })
    }
}
