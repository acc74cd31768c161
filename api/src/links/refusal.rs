//! What is said when a link is not made or changed.

use engine::links::{LIVE_MAX, Refusal};
use persistence::links::NotChanged;

use crate::error::{ApiError, Code};

pub(super) fn refusal(refused: NotChanged) -> ApiError {
    let invalid = |says: String| ApiError::saying(Code::InvalidState, says);
    match refused {
        NotChanged::CodeTaken => {
            ApiError::saying(Code::AlreadyExists, "This code is taken.").detail("code", "is taken")
        }
        NotChanged::Refused(Refusal::Barred(barred)) => barred.into(),
        NotChanged::Refused(Refusal::ProductNotAllowed(product)) => {
            let error = ApiError::new(Code::ProductNotAllowed);
            error.detail("product_id", product.to_string())
        }
        NotChanged::Refused(Refusal::TooMany) => invalid(format!(
            "There are {LIVE_MAX} links already: revoke one first."
        )),
        NotChanged::Refused(Refusal::Revoked) => {
            invalid("A revoked link stays revoked.".to_owned()).detail("status", "REVOKED")
        }
        NotChanged::Refused(Refusal::Own) => {
            invalid("The link that every reseller has can be paused, and not revoked.".to_owned())
        }
    }
}
