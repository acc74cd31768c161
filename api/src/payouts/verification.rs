//! `GET` and `PUT /portal/v1/programs/{rel}/verification`: a reseller hands in who it is; and
//! `POST /dev/v1/resellers/{id}/verification/approve`, `/reject`, `/reset`: the merchant decides.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::{MerchantId, RelationshipId},
    payouts::{Decision, Details, Verification, WrongVerification},
};
use persistence::{
    payouts::{decide, submit, verification},
    programs,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::decide::PayoutReason;
use crate::{
    auth::{MerchantKey, Session, scope::ResellerPayoutsWrite},
    balances::owner::own_scope,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, fields::Nothing, texts, time::Time},
};

const TEXT_CHARS_MAX: usize = 200;
const URL_CHARS_MAX: usize = 2000;

type Caller = MerchantKey<ResellerPayoutsWrite>;

/// Who a reseller is, as the merchant checks it.
#[derive(Serialize, ToSchema)]
#[schema(as = Verification)]
pub(crate) struct VerificationView {
    status: &'static str,
    /// Whether payouts wait for it.
    required: bool,
    legal_name: Option<String>,
    country: Option<String>,
    contact: Option<String>,
    evidence_url: Option<String>,
    reason: Option<String>,
    decided_at: Option<Time>,
}

impl VerificationView {
    pub(crate) fn of(it: Verification, required: bool) -> Self {
        let (legal_name, country, contact, evidence_url) = match it.details {
            None => (None, None, None, None),
            Some(details) => (
                Some(details.legal_name),
                Some(details.country),
                Some(details.contact),
                details.evidence_url,
            ),
        };
        Self {
            status: it.status.name(),
            required,
            legal_name,
            country,
            contact,
            evidence_url,
            reason: it.reason,
            decided_at: it.decided_at.map(Time),
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubmitVerification {
    legal_name: String,
    /// Two letters of ISO 3166.
    country: String,
    contact: String,
    /// Where the merchant finds what shows it.
    evidence_url: Option<String>,
}

pub(crate) async fn portal(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
) -> Result<Answer<VerificationView>, ApiError> {
    let (scope, _) = own_scope(&app, &caller, id).await?;
    let of = (scope.merchant, scope.relationship);
    let found = verification(&app.database, of).await?;
    let required = is_required(&app, scope.merchant).await?;
    Ok(Answer::ok(VerificationView::of(found, required)))
}

pub(crate) async fn portal_submit(
    State(app): State<App>,
    caller: Session,
    PathIds(id): PathIds<RelationshipId>,
    once: Once<SubmitVerification>,
) -> Result<Response, ApiError> {
    let (scope, _) = own_scope(&app, &caller, id).await?;
    let of = (scope.merchant, scope.relationship);
    let name = (scope.merchant, caller.person_id().uuid());
    let work = Box::pin(handed_in(app.clone(), caller, of, once.body));
    once.request.execute(&app, name, work).await
}

async fn handed_in(
    app: App,
    caller: Session,
    of: (MerchantId, RelationshipId),
    wire: SubmitVerification,
) -> Result<Response, ApiError> {
    let details = wire.read()?;
    let by = (caller.actor(), app.now());
    let submitted = submit(&app.database, of, details, by).await?;
    let submitted = submitted.map_err(wrong)?;
    let required = is_required(&app, of.0).await;
    let required = required.map_err(ApiError::after_change)?;
    Ok(Answer::ok(VerificationView::of(submitted, required)).into_response())
}

pub(crate) async fn dev_approve(
    State(app): State<App>,
    caller: Caller,
    PathIds(id): PathIds<RelationshipId>,
    once: Once<Nothing>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, _: Nothing| decided(app, caller, id, Decision::Approve);
    once.run(app, caller, work).await
}

pub(crate) async fn dev_reject(
    State(app): State<App>,
    caller: Caller,
    PathIds(id): PathIds<RelationshipId>,
    once: Once<PayoutReason>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, wire: PayoutReason| async move {
        let reason = wire.read()?;
        decided(app, caller, id, Decision::Reject { reason }).await
    };
    once.run(app, caller, work).await
}

pub(crate) async fn dev_reset(
    State(app): State<App>,
    caller: Caller,
    PathIds(id): PathIds<RelationshipId>,
    once: Once<PayoutReason>,
) -> Result<Response, ApiError> {
    let work = move |app, caller, wire: PayoutReason| async move {
        let reason = wire.read()?;
        decided(app, caller, id, Decision::Reset { reason }).await
    };
    once.run(app, caller, work).await
}

async fn decided(
    app: App,
    caller: Caller,
    id: RelationshipId,
    decision: Decision,
) -> Result<Response, ApiError> {
    let of = (caller.merchant_id(), id);
    let by = (caller.actor(), app.now());
    let decided = decide(&app.database, of, decision, by).await?;
    let decided = decided.ok_or_else(|| ApiError::new(Code::NotFound))?;
    let (verification, again) = decided.map_err(wrong)?;
    let required = is_required(&app, of.0).await;
    let required = required.map_err(ApiError::after_change)?;
    let shown = VerificationView::of(verification, required);
    Ok(Answer::stepped(again, shown).into_response())
}

async fn is_required(app: &App, merchant: MerchantId) -> Result<bool, ApiError> {
    let program = programs::find(&app.database, merchant).await?;
    Ok(program.is_some_and(|program| program.require_verification))
}

fn wrong(WrongVerification(status): WrongVerification) -> ApiError {
    let said = "The status of the verification does not allow this.";
    ApiError::saying(Code::InvalidState, said).detail("status", status.name())
}

impl SubmitVerification {
    fn read(self) -> Result<Details, ApiError> {
        let country = self.country.trim().to_ascii_uppercase();
        let letters = country.bytes().all(|byte| byte.is_ascii_uppercase());
        if country.len() != 2 || !letters {
            return Err(ApiError::field(
                "country",
                "must be two letters of ISO 3166",
            ));
        }
        let evidence_url = self.evidence_url.map(|url| {
            let plain = url.len() <= URL_CHARS_MAX
                && url.starts_with("https://")
                && url.bytes().all(|byte| byte.is_ascii_graphic());
            let wrong = || ApiError::field("evidence_url", "must be an https address");
            plain.then_some(url).ok_or_else(wrong)
        });
        Ok(Details {
            legal_name: texts::one_line(self.legal_name, "legal_name", TEXT_CHARS_MAX)?,
            country,
            contact: texts::one_line(self.contact, "contact", TEXT_CHARS_MAX)?,
            evidence_url: evidence_url.transpose()?,
        })
    }
}
