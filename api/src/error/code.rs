//! The error codes of the HTTP contract: the one table that answers and documents are made from.

use axum::http::StatusCode;

/// Whether a call that was answered with a code changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Executed {
    No,
    /// Another body under the same id was, or is being executed.
    NotThisBody,
    Maybe,
}

impl Executed {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::No => "not executed",
            Self::NotThisBody => "this body was not executed",
            Self::Maybe => "maybe executed",
        }
    }
}

macro_rules! codes {
    ($($code:ident $name:literal $status:ident $executed:ident $message:literal $advice:literal;)*) => {
        /// A stable name for one kind of no.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $($code,)* }

        impl Code {
            /// Every code, in the order of statuses.
            pub(crate) const ALL: &[Self] = &[$(Self::$code,)*];

            pub(crate) const fn executed(self) -> Executed {
                match self { $(Self::$code => Executed::$executed,)* }
            }

            /// What the caller does next.
            pub(crate) const fn advice(self) -> &'static str {
                match self { $(Self::$code => $advice,)* }
            }

            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$code => StatusCode::$status,)* }
            }

            pub(crate) const fn message(self) -> &'static str {
                match self { $(Self::$code => $message,)* }
            }
        }
    };
}

codes! {
    BadRequest "BAD_REQUEST" BAD_REQUEST No
        "The request is malformed."
        "Mend the request.";
    Unauthorized "UNAUTHORIZED" UNAUTHORIZED No
        "The key is missing, unknown, expired or revoked."
        "Use another key, or sign again if the details name `ts`.";
    InsufficientBalance "INSUFFICIENT_BALANCE" PAYMENT_REQUIRED No
        "The available balance is below the cost."
        "Top up, then send the same order id again.";
    Forbidden "FORBIDDEN" FORBIDDEN No
        "The key does not allow this."
        "Use a key with the scope that the details name, of the right surface.";
    IpNotAllowed "IP_NOT_ALLOWED" FORBIDDEN No
        "The key may not be used from this address."
        "Call from an address on the key's list, or have the list changed.";
    StepUpRequired "STEP_UP_REQUIRED" FORBIDDEN No
        "This needs a password or code that was repeated in the last ten minutes."
        "Call `POST /portal/v1/step-up`, then repeat the same request.";
    ProgramDisabled "PROGRAM_DISABLED" FORBIDDEN No
        "The merchant switched the program off."
        "Ask the merchant.";
    RelationshipInactive "RELATIONSHIP_INACTIVE" FORBIDDEN No
        "The relationship is not active."
        "Ask the merchant; the message has the reason meant for you.";
    ModeNotAllowed "MODE_NOT_ALLOWED" FORBIDDEN No
        "The mode of the relationship excludes this."
        "Ask the merchant.";
    ProductNotAllowed "PRODUCT_NOT_ALLOWED" FORBIDDEN No
        "There is no access to this product."
        "Order another product, or ask the merchant for access.";
    PurchaseLimitExceeded "PURCHASE_LIMIT_EXCEEDED" FORBIDDEN No
        "The purchase limit is reached."
        "Wait for the reset that the details name, then send the same order id again.";
    SpendCapExceeded "SPEND_CAP_EXCEEDED" FORBIDDEN No
        "The daily cap of the key is reached."
        "Wait for the reset that the details name, or have the cap raised.";
    VerificationRequired "VERIFICATION_REQUIRED" FORBIDDEN No
        "The merchant pays nobody whom it did not verify."
        "Hand in who you are, and wait for the merchant.";
    BrowserRefused "BROWSER_REFUSED" FORBIDDEN No
        "This address is for servers. Nothing was executed."
        "Call the address from a server.";
    NotFound "NOT_FOUND" NOT_FOUND No
        "There is nothing under this address."
        "Check the route and the id; unknown and foreign ids cannot be told apart.";
    MethodNotAllowed "METHOD_NOT_ALLOWED" METHOD_NOT_ALLOWED No
        "The method is not allowed here."
        "Use a method that the header `Allow` lists.";
    OutOfStock "OUT_OF_STOCK" CONFLICT No
        "There are fewer free serials than asked. Nothing was delivered."
        "Send the same order id later, or order something else with it.";
    OrderInProgress "ORDER_IN_PROGRESS" CONFLICT Maybe
        "This order id is still running."
        "Send the same request again after `Retry-After` seconds.";
    RequestInProgress "REQUEST_IN_PROGRESS" CONFLICT Maybe
        "A request with this idempotency key is still running."
        "Send the same request again after `Retry-After` seconds: you then get its answer.";
    InvalidState "INVALID_STATE" CONFLICT No
        "The state of the object does not allow this."
        "Read the object; the details name its state.";
    AlreadyExists "ALREADY_EXISTS" CONFLICT No
        "It exists already."
        "Use the existing one.";
    Expired "EXPIRED" GONE No
        "It is over."
        "Ask for a new one.";
    PayloadTooLarge "PAYLOAD_TOO_LARGE" PAYLOAD_TOO_LARGE No
        "The body is larger than allowed."
        "Split it.";
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" UNSUPPORTED_MEDIA_TYPE No
        "The body must be uncompressed JSON, sent as application/json."
        "Send `Content-Type: application/json`, uncompressed.";
    ValidationError "VALIDATION_ERROR" UNPROCESSABLE_ENTITY No
        "A field is not valid."
        "Mend the fields that the details name.";
    QuantityOutOfRange "QUANTITY_OUT_OF_RANGE" UNPROCESSABLE_ENTITY No
        "The quantity is out of range."
        "Take a quantity between the bounds in the details.";
    ProductNotEligible "PRODUCT_NOT_ELIGIBLE" UNPROCESSABLE_ENTITY No
        "The product is not sold by serials, or may not be listed."
        "Take another product.";
    PriceChanged "PRICE_CHANGED" UNPROCESSABLE_ENTITY No
        "The price is above the given maximum."
        "Accept the price in the details, or cancel.";
    PriceOutOfRange "PRICE_OUT_OF_RANGE" UNPROCESSABLE_ENTITY No
        "The price is out of range."
        "Take a price between the bounds in the details.";
    OrderMismatch "ORDER_MISMATCH" UNPROCESSABLE_ENTITY NotThisBody
        "This order id belongs to another request."
        "Mend your shop: it uses one order id for two orders.";
    IdempotencyMismatch "IDEMPOTENCY_MISMATCH" UNPROCESSABLE_ENTITY NotThisBody
        "This idempotency key belongs to another request."
        "Take a new idempotency key.";
    AmountOutOfRange "AMOUNT_OUT_OF_RANGE" UNPROCESSABLE_ENTITY No
        "The amount is out of range."
        "Take an amount within the bounds in the details.";
    ReplacementRefused "REPLACEMENT_REFUSED" UNPROCESSABLE_ENTITY No
        "This item is not replaced."
        "Ask the merchant.";
    RateLimited "RATE_LIMITED" TOO_MANY_REQUESTS No
        "Too many requests."
        "Come back after `Retry-After` seconds.";
    InternalError "INTERNAL_ERROR" INTERNAL_SERVER_ERROR Maybe
        "A defect on our side. Report the x-request-id."
        "Repeat with the same order id or `Idempotency-Key`, and report the `x-request-id`.";
    ProviderUnavailable "PROVIDER_UNAVAILABLE" BAD_GATEWAY No
        "The payment provider did not answer. Nothing was executed."
        "Repeat the same request.";
    Overloaded "OVERLOADED" SERVICE_UNAVAILABLE No
        "Not executed: try again later."
        "Send the same order id after `Retry-After` seconds and some random part of a second.";
    OutcomeUnknown "OUTCOME_UNKNOWN" SERVICE_UNAVAILABLE Maybe
        "Accepted, but the outcome is not known yet. Repeat with the same order id."
        "Send the same request with the same order id again, never with a new one.";
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
