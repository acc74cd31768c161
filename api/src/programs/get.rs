//! `GET /dev/v1/reseller-program`: the merchant's program.

use axum::extract::State;
use persistence::programs;

use super::ProgramView;
use crate::{
    auth::{MerchantKey, scope::ResellerProgramsRead},
    error::{ApiError, Code},
    state::App,
    wire::answer::Answer,
};

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellerProgramsRead>,
) -> Result<Answer<ProgramView>, ApiError> {
    let program = programs::find(&app.database, caller.merchant_id()).await?;
    let program = program.ok_or_else(|| ApiError::new(Code::NotFound))?;
    Ok(Answer::ok(program.into()))
}
