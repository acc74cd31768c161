//! Why a connection is not made or changed, as callers are told.

use engine::connections::{LIVE_MAX, Status};
use persistence::connections::Refusal;

use super::fields::not_custom;
use crate::error::{ApiError, Code};

pub(super) fn refusal(refused: Refusal) -> ApiError {
    match refused {
        Refusal::Inactive(status) => {
            let said = "Only an active relationship gets or changes connections.";
            ApiError::saying(Code::RelationshipInactive, said).detail("status", status.name())
        }
        Refusal::Mode => ApiError::saying(
            Code::ModeNotAllowed,
            "The mode of the relationship allows no delivery to a shop.",
        ),
        Refusal::TooMany => ApiError::saying(
            Code::InvalidState,
            format!("There are {LIVE_MAX} connections already: revoke one first."),
        ),
        Refusal::UnknownWare((product, variant)) => {
            let error = ApiError::field("product_map", "must name products of this merchant");
            let error = error.detail("product_id", product.to_string());
            match variant {
                Some(variant) => error.detail("variant_id", variant.to_string()),
                None => error,
            }
        }
        Refusal::Revoked => ApiError::saying(Code::InvalidState, "The connection is revoked.")
            .detail("status", Status::Revoked.name()),
        Refusal::NotCustom => not_custom(),
    }
}
