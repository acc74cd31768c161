//! Why a key is not made or changed, as callers are told.

use engine::api_keys::{LIVE_MAX, NotRotated, State, Unfit};
use persistence::api_keys::Refusal;

use crate::error::{ApiError, Code};

pub(super) fn refusal(refused: Refusal) -> ApiError {
    match refused {
        Refusal::Inactive(status) => {
            let said = "Only an active relationship gets or changes keys.";
            ApiError::saying(Code::RelationshipInactive, said).detail("status", status.name())
        }
        Refusal::Unfit(unfit) => of_unfit(unfit),
        Refusal::TooMany => ApiError::saying(
            Code::InvalidState,
            format!("There are {LIVE_MAX} keys already: revoke one first."),
        ),
        Refusal::UnknownProduct(product) => {
            ApiError::field("product_ids", "must be products of this merchant")
                .detail("product_id", product.to_string())
        }
        Refusal::NoTestMode => ApiError::field("test", "must be false: there is no test mode here"),
        Refusal::NoUrlSecret => ApiError::field(
            "scopes",
            "must not gain `dynamic.write`: make a new key, which gets its own secret for URLs",
        ),
        Refusal::Ended(state) | Refusal::NotRotated(NotRotated::State(state)) => over(state),
        Refusal::NotRotated(NotRotated::PredecessorLives) => ApiError::saying(
            Code::InvalidState,
            "The key that this one replaced still works: revoke it, or wait for its end.",
        ),
    }
}

fn over(state: State) -> ApiError {
    let said = "The key is not in a state that allows this.";
    ApiError::saying(Code::InvalidState, said).detail("status", state.name())
}

fn of_unfit(unfit: Unfit) -> ApiError {
    match unfit {
        Unfit::NoScope => ApiError::field("scopes", "must name at least one scope"),
        Unfit::ForeignScope(scope) => {
            let message = format!(
                "must not name `{}`: such a key cannot have it",
                scope.name()
            );
            ApiError::field("scopes", message)
        }
        Unfit::ModeExcludes(scope) => ApiError::saying(
            Code::ModeNotAllowed,
            "The mode of the relationship allows no key that buys.",
        )
        .detail("scope", scope.name()),
        Unfit::CapMissing => ApiError::field(
            "daily_spend_cap",
            "is needed by a key that may use dynamic URLs",
        ),
        Unfit::Expiry => ApiError::field("expires_at", "must lie ahead, by at most two years"),
    }
}
