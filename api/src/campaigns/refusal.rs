//! What is said when a campaign is not made or changed.

use engine::campaigns::{LIVE_MAX, Refusal};
use persistence::campaigns::NotChanged;

use crate::error::{ApiError, Code};

pub(super) fn refusal(refused: NotChanged) -> ApiError {
    let invalid = |says: String| ApiError::saying(Code::InvalidState, says);
    let not_allowed =
        |field: &'static str, id: String| ApiError::new(Code::ProductNotAllowed).detail(field, id);
    match refused {
        NotChanged::UnknownProduct(product)
        | NotChanged::Refused(Refusal::ProductNotAllowed((product, None))) => {
            not_allowed("product_id", product.to_string())
        }
        NotChanged::UnknownVariant(variant)
        | NotChanged::Refused(Refusal::ProductNotAllowed((_, Some(variant)))) => {
            not_allowed("variant_id", variant.to_string())
        }
        NotChanged::Refused(Refusal::Barred(barred)) => barred.into(),
        NotChanged::Refused(Refusal::TooMany) => invalid(format!(
            "There are {LIVE_MAX} campaigns already: revoke one first."
        )),
        NotChanged::Refused(Refusal::Revoked) => {
            invalid("A revoked campaign stays revoked.".to_owned()).detail("status", "REVOKED")
        }
    }
}
