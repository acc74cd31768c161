//! What is said when something is not listed, or not at this price.

use engine::{listings::Refusal, money::Currency};
use persistence::listings::NotListed;

use crate::error::{ApiError, Code};

pub(super) fn not_listed(refused: NotListed, currency: Currency) -> ApiError {
    match refused {
        NotListed::Refused(refused) => refusal(refused, currency),
        NotListed::Exists => ApiError::saying(
            Code::AlreadyExists,
            "You list this already: change the price of that listing, or archive it.",
        ),
    }
}

pub(super) fn refusal(refused: Refusal, currency: Currency) -> ApiError {
    match refused {
        Refusal::ProgramDisabled => ApiError::new(Code::ProgramDisabled),
        Refusal::Barred(barred) => barred.into(),
        Refusal::NotAllowed => ApiError::new(Code::ProductNotAllowed),
        Refusal::NotEligible => ApiError::new(Code::ProductNotEligible),
        Refusal::OutOfRange { min, max } => {
            let code = currency.code();
            let text = |amount| currency.display(amount).to_string();
            let (min, max) = (text(min), max.map(text));
            let message = match &max {
                Some(max) => format!("The price must be {min} to {max} {code}."),
                None => format!("The price must be at least {min} {code}."),
            };
            let error = ApiError::saying(Code::PriceOutOfRange, message).detail("min_price", min);
            match max {
                Some(max) => error.detail("max_price", max),
                None => error,
            }
        }
        Refusal::Archived => {
            ApiError::saying(Code::InvalidState, "An archived listing stays archived.")
                .detail("status", "ARCHIVED")
        }
    }
}
