//! What is said when a webhook is not made, tried or repeated.

use persistence::webhooks::Refusal;

use crate::error::{ApiError, Code};

pub(super) fn refusal(refusal: Refusal) -> ApiError {
    let invalid = |says: &'static str| ApiError::saying(Code::InvalidState, says);
    match refusal {
        Refusal::Ended(status) => {
            invalid("The relationship has ended.").detail("status", status.name())
        }
        Refusal::TooMany => {
            invalid("There are as many webhooks as there may be: delete one first.")
        }
        Refusal::NotActive(status) => {
            let says = "The webhook is sent nothing now: set its status to ACTIVE first.";
            invalid(says).detail("status", status.name())
        }
        Refusal::Delivered => invalid("The event was delivered.").detail("status", "DELIVERED"),
        Refusal::WebhookGone => invalid("The webhook of this delivery was deleted."),
    }
}
