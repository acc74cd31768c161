//! `POST /dev/v1/serials/trace`: what became of a serial, found by its text, or of all that went to an address.
//!
//! Keeps: what is asked for is in the body, never in an address; who asks is in the audit log.

use axum::extract::State;
use engine::{fulfillments::Email, inventory::import::SERIAL_BYTES_MAX, merchants::Merchant};
use persistence::inventory::trace::{self, Delivery, Trace};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::serial::{is_masked, noted};
use crate::{
    auth::{MerchantKey, scope::ProductsRead},
    error::{ApiError, Code},
    extract::Body,
    fulfillments::customers,
    state::App,
    wire::{answer::Answer, fields::Text, time::Time},
};

/// Serials that an address is answered with.
const TRACED_MAX: u32 = 500;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TraceSerial {
    serial: Option<String>,
    /// Of a customer; instead of `serial`.
    #[schema(value_type = Option<String>, format = Email, max_length = 254)]
    email: Option<Text<Email>>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Traced {
    /// Of a text that was removed and imported again, and of an address, there are several, newest first; of an
    /// address at most 500.
    found: Vec<TracedSerial>,
}

#[derive(Serialize, ToSchema)]
struct TracedSerial {
    id: String,
    status: &'static str,
    product_id: String,
    variant_id: Option<String>,
    batch_id: String,
    batch_label: Option<String>,
    stored_at: Time,
    delivery: Option<TracedDelivery>,
}

#[derive(Serialize, ToSchema)]
struct TracedDelivery {
    fulfillment_id: String,
    reseller_id: String,
    external_order_id: String,
    /// Masked.
    customer_email: Option<String>,
    delivered_at: Time,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ProductsRead>,
    Body(wire): Body<TraceSerial>,
) -> Result<Answer<Traced>, ApiError> {
    if is_masked(&caller) {
        let said = "Who may only look sees serials masked, and cannot ask for one by its text.";
        return Err(ApiError::saying(Code::Forbidden, said));
    }
    let asked = wire.read()?;
    let merchant = caller.merchant();
    let target = merchant.id.to_string();
    noted(&app, &caller, "serials.trace", target).await?;
    let (db, vault) = (&app.database, app.engine.vault());
    let found = match asked {
        Asked::Serial(text) => {
            let fingerprint = vault.serial_fingerprint(merchant.id, text.trim());
            trace::find(db, merchant.id, fingerprint).await?
        }
        Asked::Customer(email) => {
            customers::catch_up(&app).await?;
            let digest = vault.email_fingerprint(merchant.id, email.as_str());
            trace::of_customer(db, merchant.id, digest, TRACED_MAX).await?
        }
    };
    let found = found.into_iter().map(|one| TracedSerial::of(one, merchant));
    Ok(Answer::ok(Traced {
        found: found.collect(),
    }))
}

/// What is asked for.
enum Asked {
    Serial(String),
    Customer(Email),
}

impl TraceSerial {
    fn read(self) -> Result<Asked, ApiError> {
        let text = match (self.serial, self.email) {
            (Some(text), None) => text,
            (None, Some(Text(email))) => return Ok(Asked::Customer(email)),
            (None, None) => return Err(ApiError::field("serial", "is missing, and `email` too")),
            (Some(_), Some(_)) => {
                return Err(ApiError::field("email", "cannot be sent with `serial`"));
            }
        };
        if text.trim().is_empty() || text.trim().len() > SERIAL_BYTES_MAX {
            return Err(ApiError::field("serial", "must have 1 to 4096 bytes"));
        }
        Ok(Asked::Serial(text))
    }
}

impl TracedSerial {
    fn of(trace: Trace, merchant: &Merchant) -> Self {
        let delivery = trace.delivery;
        Self {
            id: trace.serial.to_string(),
            status: trace.status.name(),
            product_id: trace.product.to_string(),
            variant_id: trace.variant.map(|variant| variant.to_string()),
            batch_id: trace.serial.import().to_string(),
            batch_label: trace.label,
            stored_at: Time(trace.stored_at),
            delivery: delivery.map(|delivery| TracedDelivery::of(&delivery, merchant)),
        }
    }
}

impl TracedDelivery {
    fn of(delivery: &Delivery, merchant: &Merchant) -> Self {
        let sealed = delivery.email.as_ref();
        let opened =
            sealed.and_then(|sealed| merchant.key.open_email(delivery.balance, sealed).ok());
        Self {
            fulfillment_id: delivery.fulfillment.to_string(),
            reseller_id: delivery.relationship.to_string(),
            external_order_id: delivery.order_id.as_str().to_owned(),
            customer_email: opened.map(|email| masked(email.expose())),
            delivered_at: Time(delivery.delivered_at),
        }
    }
}

/// The first character of an address and its domain.
pub(crate) fn masked(email: &str) -> String {
    let (name, domain) = email.split_once('@').unwrap_or((email, ""));
    let first: String = name.chars().take(1).collect();
    format!("{first}…@{domain}")
}
