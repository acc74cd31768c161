//! `GET /dev/v1/audit-log/verify`: whether the log is what was written.

use axum::extract::State;
use persistence::audit;
use serde::Serialize;
use utoipa::ToSchema;

use super::hex;
use crate::{
    auth::{MerchantKey, scope::All},
    error::ApiError,
    state::App,
    wire::answer::Answer,
};

#[derive(Serialize, ToSchema)]
pub(crate) struct AuditProof {
    entries: i64,
    head_hash: String,
    valid: bool,
    first_bad_seq: Option<i64>,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<All>,
) -> Result<Answer<AuditProof>, ApiError> {
    let proof = audit::verify(&app.database, caller.merchant_id()).await?;
    Ok(Answer::ok(AuditProof {
        entries: proof.head.seq,
        head_hash: hex(&proof.head.hash),
        valid: proof.first_bad.is_none(),
        first_bad_seq: proof.first_bad,
    }))
}
