//! From a no of the engine to an answer: the one place where refusals and faults get codes.

use engine::{
    clock::Timestamp,
    fault::Fault,
    fulfillments::{Error, Refusal},
    ids::ProductId,
    money::{Currency, Money},
    payments::Unavailable,
    relationships::{Barred, DynamicUrlPolicy},
};

use super::{ApiError, Code};
use crate::wire::time;

impl ApiError {
    /// What the caller is told of an engine's no, amounts in the currency of its program.
    pub(crate) fn from_engine(error: Error, currency: Currency) -> Self {
        match error {
            Error::Refused(refusal) => refused(*refusal, currency),
            Error::Faulted(fault) => Self::from(fault),
        }
    }
}

impl ApiError {
    /// What is told of a change that is durable, if its answer cannot be put together: whatever went
    /// wrong since, "not executed" would be false.
    pub(crate) fn after_change(self) -> Self {
        tracing::warn!(
            code = self.code().name(),
            "a change is stored but cannot be answered"
        );
        Self::saying(
            Code::OutcomeUnknown,
            "It is stored, but cannot be shown now. Repeat the same request.",
        )
    }
}

impl From<Barred> for ApiError {
    fn from(barred: Barred) -> Self {
        match barred {
            Barred::Inactive { reason } => inactive(reason),
            Barred::Mode => Self::new(Code::ModeNotAllowed),
        }
    }
}

impl From<Unavailable> for ApiError {
    fn from(_: Unavailable) -> Self {
        Self::new(Code::ProviderUnavailable)
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Overloaded { retry_after } => {
                let seconds = retry_after.as_millis().div_ceil(1000);
                Self::new(Code::Overloaded).retry_after_secs(u64::try_from(seconds).unwrap_or(1))
            }
            Fault::OutcomeUnknown => Self::new(Code::OutcomeUnknown),
            Fault::Aborted { reason } => {
                tracing::error!(reason, "undid a request for certain");
                Self::saying(
                    Code::InternalError,
                    "A defect on our side. Nothing was executed.",
                )
            }
            Fault::Excess => {
                Self::field("amount", "would lift the balance above the largest amount")
            }
            Fault::Unavailable => Self::new(Code::Overloaded),
        }
    }
}

impl From<persistence::Error> for ApiError {
    /// A read or a cold change failed: nothing was executed, its own transaction was undone, or nobody
    /// knows.
    fn from(error: persistence::Error) -> Self {
        match error {
            persistence::Error::Unavailable { .. } => {
                tracing::warn!(error = %error, "storage is not available");
                Self::new(Code::Overloaded)
            }
            persistence::Error::Unknown { .. } => {
                tracing::error!(error = %error, "a commit got no answer");
                Self::saying(
                    Code::OutcomeUnknown,
                    "Whether it happened is not known. Repeat the same request.",
                )
            }
            persistence::Error::Rejected(_)
            | persistence::Error::Inconsistent { .. }
            | persistence::Error::Affected { .. } => {
                tracing::error!(error = %error, "storage failed a request");
                Self::new(Code::InternalError)
            }
        }
    }
}

fn refused(refusal: Refusal, currency: Currency) -> ApiError {
    let text = |amount: Money| currency.display(amount).to_string();
    let product =
        |code, product: ProductId| ApiError::new(code).detail("product_id", product.to_string());
    match refusal {
        Refusal::KeyRevoked => ApiError::new(Code::Unauthorized),
        Refusal::OrderMismatch { fields } => {
            let error = ApiError::new(Code::OrderMismatch);
            fields.into_iter().fold(error, |error, field| {
                error.detail(
                    field,
                    "differs from the request that the order id belongs to",
                )
            })
        }
        Refusal::OrderInProgress => ApiError::new(Code::OrderInProgress),
        Refusal::ProgramDisabled => ApiError::new(Code::ProgramDisabled),
        Refusal::DynamicUrlNotAllowed { policy } => address_not_allowed(policy),
        Refusal::RelationshipInactive { reason } => inactive(reason),
        Refusal::ModeNotAllowed => ApiError::new(Code::ModeNotAllowed),
        Refusal::ProductNotFound { product: id } => {
            ApiError::saying(Code::NotFound, "There is no such product.")
                .detail("product_id", id.to_string())
        }
        Refusal::Invalid { field, message } => ApiError::field(field, message),
        Refusal::ProductNotAllowed { product: id } => product(Code::ProductNotAllowed, id),
        Refusal::ProductNotEligible { product: id } => product(Code::ProductNotEligible, id),
        Refusal::QuantityOutOfRange { min, max, .. } => {
            let message = format!("The quantity must be {min} to {max}.");
            ApiError::saying(Code::QuantityOutOfRange, message)
                .detail("min_quantity", min.to_string())
                .detail("max_quantity", max.to_string())
        }
        Refusal::PriceChanged { product, current } => {
            let field = if product.is_some() {
                "unit_price"
            } else {
                "total"
            };
            let (price, code) = (text(current), currency.code());
            ApiError::saying(Code::PriceChanged, format!("It costs {price} {code} now."))
                .detail(field, price)
        }
        Refusal::PurchaseLimitExceeded {
            limit,
            used,
            resets_at,
        } => limit_reached(
            Code::PurchaseLimitExceeded,
            [text(limit), text(used)],
            resets_at,
        ),
        Refusal::SpendCapExceeded {
            limit,
            used,
            resets_at,
        } => limit_reached(Code::SpendCapExceeded, [text(limit), text(used)], resets_at),
        Refusal::InsufficientBalance {
            required,
            available,
        } => {
            let (required, available, code) = (text(required), text(available), currency.code());
            let message = format!(
                "Required {required} {code}, available {available} {code}. Nothing was delivered."
            );
            ApiError::saying(Code::InsufficientBalance, message)
                .detail("required", required)
                .detail("available", available)
        }
        Refusal::OutOfStock { product: id } => product(Code::OutOfStock, id),
    }
}

fn address_not_allowed(policy: DynamicUrlPolicy) -> ApiError {
    let message = match policy {
        DynamicUrlPolicy::Allowed | DynamicUrlPolicy::SignedOnly => {
            "The merchant's program allows signed addresses only."
        }
        DynamicUrlPolicy::Off => "The merchant's program does not allow dynamic addresses.",
    };
    ApiError::saying(Code::Forbidden, message)
}

fn inactive(reason: Option<String>) -> ApiError {
    match reason {
        None => ApiError::new(Code::RelationshipInactive),
        Some(reason) => ApiError::saying(
            Code::RelationshipInactive,
            format!("The relationship is not active: {reason}"),
        ),
    }
}

fn limit_reached(code: Code, [limit, used]: [String; 2], resets_at: Timestamp) -> ApiError {
    ApiError::new(code)
        .detail("limit", limit)
        .detail("used", used)
        .detail("resets_at", time::text(resets_at))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use engine::clock;
    use uuid::Uuid;

    use super::*;

    fn money(minor: i64) -> Money {
        Money::from_minor(minor).unwrap()
    }

    fn check(refusal: Refusal, status: u16, code: &str, details: &[(&str, &str)]) {
        let error = ApiError::from_engine(Error::from(refusal), Currency::USD);
        assert_eq!(error.code().name(), code);
        assert_eq!(error.code().status().as_u16(), status, "{code}");
        let told: Vec<_> = error
            .details()
            .iter()
            .map(|detail| (&*detail.field, &*detail.message))
            .collect();
        assert_eq!(told, details, "{code}");
    }

    fn product() -> ProductId {
        ProductId::from_uuid(Uuid::nil())
    }

    const NAMED: [(&str, &str); 1] = [("product_id", "prd_00000000000000000000000000")];

    #[test]
    fn refusals_of_order_and_access_have_the_documented_code_and_details() {
        let (id, fields) = (product(), vec!["quantity"]);
        let differs = "differs from the request that the order id belongs to";
        let field = "variant_id".to_owned();
        let message = "is required";
        check(Refusal::KeyRevoked, 401, "UNAUTHORIZED", &[]);
        let details = [("quantity", differs)];
        check(
            Refusal::OrderMismatch { fields },
            422,
            "ORDER_MISMATCH",
            &details,
        );
        check(Refusal::OrderInProgress, 409, "ORDER_IN_PROGRESS", &[]);
        check(Refusal::ProgramDisabled, 403, "PROGRAM_DISABLED", &[]);
        let inactive = Refusal::RelationshipInactive { reason: None };
        check(inactive, 403, "RELATIONSHIP_INACTIVE", &[]);
        check(Refusal::ModeNotAllowed, 403, "MODE_NOT_ALLOWED", &[]);
        check(
            Refusal::ProductNotFound { product: id },
            404,
            "NOT_FOUND",
            &NAMED,
        );
        let details = [("variant_id", "is required")];
        check(
            Refusal::Invalid { field, message },
            422,
            "VALIDATION_ERROR",
            &details,
        );
        let refused = Refusal::ProductNotAllowed { product: id };
        check(refused, 403, "PRODUCT_NOT_ALLOWED", &NAMED);
        let refused = Refusal::ProductNotEligible { product: id };
        check(refused, 422, "PRODUCT_NOT_ELIGIBLE", &NAMED);
    }

    #[test]
    fn refusals_of_price_and_stock_have_the_documented_code_and_details() {
        let (limit, used, resets_at) = (money(500), money(499), clock::EPOCH);
        let resets = "1970-01-01T00:00:00.000Z";
        let spent = [("limit", "5.00"), ("used", "4.99"), ("resets_at", resets)];
        let range = Refusal::QuantityOutOfRange {
            product: product(),
            min: 2,
            max: 5,
        };
        let details = [("min_quantity", "2"), ("max_quantity", "5")];
        check(range, 422, "QUANTITY_OUT_OF_RANGE", &details);
        for (product, field) in [(Some(product()), "unit_price"), (None, "total")] {
            let changed = Refusal::PriceChanged {
                product,
                current: money(849),
            };
            check(changed, 422, "PRICE_CHANGED", &[(field, "8.49")]);
        }
        let reached = Refusal::PurchaseLimitExceeded {
            limit,
            used,
            resets_at,
        };
        check(reached, 403, "PURCHASE_LIMIT_EXCEEDED", &spent);
        let reached = Refusal::SpendCapExceeded {
            limit,
            used,
            resets_at,
        };
        check(reached, 403, "SPEND_CAP_EXCEEDED", &spent);
        let (required, available) = (money(849), money(302));
        let short = Refusal::InsufficientBalance {
            required,
            available,
        };
        let details = [("required", "8.49"), ("available", "3.02")];
        check(short, 402, "INSUFFICIENT_BALANCE", &details);
        check(
            Refusal::OutOfStock { product: product() },
            409,
            "OUT_OF_STOCK",
            &NAMED,
        );
    }

    #[test]
    fn reason_of_a_suspension_is_in_the_message() {
        let refusal = Refusal::RelationshipInactive {
            reason: Some("Unpaid invoice".into()),
        };
        let error = ApiError::from_engine(Error::from(refusal), Currency::USD);
        assert_eq!(
            error.message(),
            "The relationship is not active: Unpaid invoice"
        );
    }

    #[test]
    fn faults_never_mix_not_executed_and_unknown() {
        for (fault, code) in [
            (
                Fault::Overloaded {
                    retry_after: Duration::from_millis(1500),
                },
                Code::Overloaded,
            ),
            (Fault::Unavailable, Code::Overloaded),
            (Fault::OutcomeUnknown, Code::OutcomeUnknown),
            (Fault::Aborted { reason: "damaged" }, Code::InternalError),
            (Fault::Excess, Code::ValidationError),
        ] {
            assert_eq!(ApiError::from(fault).code(), code);
        }
    }
}
