//! What a provider says of an invoice is stored, and credited.
//!
//! Keeps: what contradicts what was taken in before changes nothing, and holds nobody else up.

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::{InvoiceId, MerchantId, RelationshipId},
    payments::Snapshot,
};
use persistence::top_ups::{self, NotSettled};

use crate::{
    error::{ApiError, Code},
    state::App,
    top_ups::complete::complete,
};

/// To be called in a task of its own: what is stored is credited, whoever waits for it.
pub(super) async fn take_in(
    app: &App,
    (of, id): ((MerchantId, RelationshipId), InvoiceId),
    snapshot: Snapshot,
    (actor, now): (Actor, Timestamp),
) -> Result<(), ApiError> {
    let by = (actor, app.engine.random().clone());
    let settled = top_ups::settle(&app.database, (of, id), snapshot, by, now).await?;
    match settled {
        None => return Err(ApiError::new(Code::InternalError)),
        Some(Err(NotSettled::Contradiction(_) | NotSettled::SourceTaken)) => {
            // Nothing will ever come of it: whoever waits for it keeps all others waiting.
            tracing::error!(invoice.id = %id, "a payment contradicts what was taken in before");
        }
        Some(Ok(settled)) => {
            for waiting in settled.waiting {
                // What cannot be credited now is credited by whoever completes payments.
                if let Err(error) = complete(app, waiting).await {
                    let code = error.code().name();
                    tracing::warn!(invoice.id = %id, code, "a payment waits on: {code}");
                }
            }
        }
    }
    Ok(())
}
