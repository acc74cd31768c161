//! The error codes of the HTTP contract, each with its status and its usual message.

use axum::http::StatusCode;

macro_rules! codes {
    ($($code:ident $name:literal $status:ident $message:literal;)*) => {
        /// A stable name for one kind of no.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $($code,)* }

        impl Code {
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$code => StatusCode::$status,)* }
            }

            pub(super) const fn message(self) -> &'static str {
                match self { $(Self::$code => $message,)* }
            }
        }
    };
}

codes! {
    BadRequest "BAD_REQUEST" BAD_REQUEST "The request is malformed.";
    Unauthorized "UNAUTHORIZED" UNAUTHORIZED "The key is missing, unknown, expired or revoked.";
    InsufficientBalance "INSUFFICIENT_BALANCE" PAYMENT_REQUIRED "The available balance is below the cost.";
    Forbidden "FORBIDDEN" FORBIDDEN "The key does not allow this.";
    IpNotAllowed "IP_NOT_ALLOWED" FORBIDDEN "The key may not be used from this address.";
    ProgramDisabled "PROGRAM_DISABLED" FORBIDDEN "The merchant switched the program off.";
    RelationshipInactive "RELATIONSHIP_INACTIVE" FORBIDDEN "The relationship is not active.";
    ModeNotAllowed "MODE_NOT_ALLOWED" FORBIDDEN "The mode of the relationship excludes this.";
    ProductNotAllowed "PRODUCT_NOT_ALLOWED" FORBIDDEN "There is no access to this product.";
    PurchaseLimitExceeded "PURCHASE_LIMIT_EXCEEDED" FORBIDDEN "The purchase limit is reached.";
    SpendCapExceeded "SPEND_CAP_EXCEEDED" FORBIDDEN "The daily cap of the key is reached.";
    BrowserRefused "BROWSER_REFUSED" FORBIDDEN "This address is for servers. Nothing was executed.";
    NotFound "NOT_FOUND" NOT_FOUND "There is nothing under this address.";
    MethodNotAllowed "METHOD_NOT_ALLOWED" METHOD_NOT_ALLOWED "The method is not allowed here.";
    OutOfStock "OUT_OF_STOCK" CONFLICT "There are fewer free serials than asked. Nothing was delivered.";
    OrderInProgress "ORDER_IN_PROGRESS" CONFLICT "This order id is still running.";
    RequestInProgress "REQUEST_IN_PROGRESS" CONFLICT "A request with this idempotency key is still running.";
    AlreadyExists "ALREADY_EXISTS" CONFLICT "It exists already.";
    PayloadTooLarge "PAYLOAD_TOO_LARGE" PAYLOAD_TOO_LARGE "The body is larger than allowed.";
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" UNSUPPORTED_MEDIA_TYPE "The body must be uncompressed JSON, sent as application/json.";
    ValidationError "VALIDATION_ERROR" UNPROCESSABLE_ENTITY "A field is not valid.";
    QuantityOutOfRange "QUANTITY_OUT_OF_RANGE" UNPROCESSABLE_ENTITY "The quantity is out of range.";
    ProductNotEligible "PRODUCT_NOT_ELIGIBLE" UNPROCESSABLE_ENTITY "The product has no serials.";
    PriceChanged "PRICE_CHANGED" UNPROCESSABLE_ENTITY "The price is above the given maximum.";
    OrderMismatch "ORDER_MISMATCH" UNPROCESSABLE_ENTITY "This order id belongs to another request.";
    IdempotencyMismatch "IDEMPOTENCY_MISMATCH" UNPROCESSABLE_ENTITY "This idempotency key belongs to another request.";
    RateLimited "RATE_LIMITED" TOO_MANY_REQUESTS "Too many requests.";
    InternalError "INTERNAL_ERROR" INTERNAL_SERVER_ERROR "A defect on our side. Report the x-request-id.";
    Overloaded "OVERLOADED" SERVICE_UNAVAILABLE "Not executed: try again later.";
    OutcomeUnknown "OUTCOME_UNKNOWN" SERVICE_UNAVAILABLE "Accepted, but the outcome is not known yet. Repeat with the same order id.";
}

impl Code {
    /// When to come back, for codes that ask the caller to.
    pub(super) const fn retry_after_secs(self) -> Option<u64> {
        match self {
            Self::RateLimited
            | Self::Overloaded
            | Self::OutcomeUnknown
            | Self::OrderInProgress
            | Self::RequestInProgress => Some(1),
            _ => None,
        }
    }
}
