//! `POST /dev/v1/invoices/{inv}/replacements`: serials that a customer bought are no good, and others take their
//! places.
//!
//! Keeps: under an `Idempotency-Key` a replacement is found by the key for ever, and carried out once.

use std::collections::BTreeSet;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    checkout::QUANTITY_MAX,
    ids::{InvoiceId, ProductId, ReplacementId, SerialId, VariantId},
    payments::Purpose,
    replacements::{InvoiceReplacement, NOTE_CHARS_MAX, NotReplaced, Wanted, Which},
};
use persistence::checkout::Replacing;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::owned_by;
use crate::{
    auth::{MerchantKey, scope::ResellerStockWrite},
    checkout::replace::{Refused, replace},
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, fields::Text, texts},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplaceSerials {
    /// `true` or `false`: all that were not replaced yet.
    full: Option<String>,
    /// Else so many, in the order in which they were delivered: 1 to 20, or 1.
    quantity: Option<u32>,
    /// Or these.
    serial_ids: Option<Vec<String>>,
    /// Of which line; may be left out if the invoice has one.
    #[schema(value_type = Option<String>)]
    product_id: Option<Text<ProductId>>,
    #[schema(value_type = Option<String>)]
    variant_id: Option<Text<VariantId>>,
    reason: Option<String>,
    /// Also those that took another's place, and those whose price went back.
    override_remaining_quantity: Option<bool>,
}

/// Serials of one line, and what took their places.
#[derive(Serialize, ToSchema)]
#[schema(as = InvoiceReplacement)]
pub(crate) struct InvoiceReplacementView {
    id: String,
    uniqid: String,
    invoice_id: String,
    product_id: String,
    variant_id: Option<String>,
    quantity: usize,
    replaced: Vec<ReplacedSerial>,
    reason: Option<String>,
    message: String,
    /// In seconds since 1970.
    created_at: i64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ReplacedSerial {
    serial_id: String,
    new_serial_id: String,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellerStockWrite>,
    PathIds(id): PathIds<InvoiceId>,
    once: Once<ReplaceSerials>,
) -> Result<Response, ApiError> {
    let name = caller.name();
    let known_by = once.request.reference(name, app.engine.random().as_ref());
    let own = (ReplacementId::from_uuid(known_by), once.request.body());
    let work = Box::pin(answer(app.clone(), caller, (id, own), once.body));
    once.request.execute(&app, name, work).await
}

async fn answer(
    app: App,
    caller: MerchantKey<ResellerStockWrite>,
    (invoice, (id, body)): (InvoiceId, (ReplacementId, [u8; 32])),
    wire: ReplaceSerials,
) -> Result<Response, ApiError> {
    let found = owned_by(&app, caller.merchant_id(), invoice).await?;
    let by_name = wire.serial_ids.is_some();
    let (wanted, reason) = wire.read()?;
    if found.purpose != Purpose::Checkout {
        let said = "Only what a customer bought is replaced by its invoice.";
        return Err(ApiError::saying(Code::InvalidState, said));
    }
    let replacing = Replacing {
        id,
        wanted,
        reason,
        body,
    };
    let of = (found.merchant, found.id);
    let replaced = replace(&app, of, replacing, caller.actor()).await?;
    let (replaced, already) = replaced.map_err(|why| match why {
        Refused::Purchase(why) => refused(why, by_name),
        Refused::Behind => {
            let said = "Another replacement of this invoice is not carried out yet. Read the invoice before \
                 you ask again: without its Idempotency-Key this would be one more.";
            ApiError::saying(Code::RequestInProgress, said)
        }
        Refused::Mismatch => ApiError::new(Code::IdempotencyMismatch),
    })?;
    let view = InvoiceReplacementView::of(&replaced);
    let answer = if already {
        Answer::replayed(view)
    } else {
        Answer::created(view)
    };
    Ok(answer.into_response())
}

impl ReplaceSerials {
    fn read(self) -> Result<(Wanted, Option<String>), ApiError> {
        let full = match self.full.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(ApiError::field("full", "must be `true` or `false`")),
        };
        let ways = [full, self.quantity.is_some(), self.serial_ids.is_some()];
        if ways.into_iter().filter(|way| *way).count() > 1 {
            let said = "is one of three ways: `full`, `quantity`, `serial_ids`";
            return Err(ApiError::field("quantity", said));
        }
        let which = match (full, self.serial_ids) {
            (true, _) => Which::All,
            (false, Some(named)) => Which::These(serials(&named)?),
            (false, None) => {
                let units = self.quantity.unwrap_or(1);
                if !(1..=QUANTITY_MAX).contains(&units) {
                    let said = format!("must be 1 to {QUANTITY_MAX}");
                    return Err(ApiError::field("quantity", said));
                }
                Which::First(units)
            }
        };
        let wanted = Wanted {
            which,
            product: self.product_id.map(|Text(id)| id),
            variant: self.variant_id.map(|Text(id)| id),
            despite: self.override_remaining_quantity == Some(true),
        };
        let reason = texts::line(self.reason, "reason", NOTE_CHARS_MAX)?;
        Ok((wanted, reason))
    }
}

/// Each once, in their order.
fn serials(named: &[String]) -> Result<Vec<SerialId>, ApiError> {
    let most = usize::try_from(QUANTITY_MAX).unwrap_or(usize::MAX);
    if !(1..=most).contains(&named.len()) {
        let said = format!("must have 1 to {QUANTITY_MAX} ids");
        return Err(ApiError::field("serial_ids", said));
    }
    if named.iter().collect::<BTreeSet<_>>().len() < named.len() {
        return Err(ApiError::field("serial_ids", "must name each once"));
    }
    // A malformed id is one that nothing has.
    let nothing = SerialId::from_uuid(uuid::Uuid::nil());
    let ids = named.iter().map(|id| SerialId::parse(id));
    Ok(ids.map(|id| id.unwrap_or(nothing)).collect())
}

fn refused(refused: NotReplaced, by_name: bool) -> ApiError {
    let because = match refused {
        NotReplaced::Unknown => {
            let field = if by_name { "serial_ids" } else { "product_id" };
            return ApiError::field(field, "must be of what was delivered for the invoice");
        }
        NotReplaced::SeveralLines => {
            let said = "must name one line of the invoice, with `variant_id` if need be";
            return ApiError::field("product_id", said);
        }
        NotReplaced::Status(status) => {
            let said = "The status of the invoice does not allow this.";
            return ApiError::saying(Code::InvalidState, said).detail("status", status.name());
        }
        NotReplaced::Excess { left } => {
            let said = "There are fewer that were not replaced before.";
            return ApiError::saying(Code::ReplacementRefused, said)
                .detail("left", left.to_string());
        }
        NotReplaced::Refunded => "What was paid for it was given back.",
        NotReplaced::Before => "One of them was replaced before, or took another's place.",
    };
    ApiError::saying(Code::ReplacementRefused, because)
}

impl InvoiceReplacementView {
    fn of(one: &InvoiceReplacement) -> Self {
        let pairs = one.serials.iter().zip(&one.successors);
        let pairs = pairs.map(|(serial, successor)| ReplacedSerial {
            serial_id: serial.to_string(),
            new_serial_id: successor.to_string(),
        });
        let id = one.id.to_string();
        let quantity = one.successors.len();
        Self {
            uniqid: id.clone(),
            id,
            invoice_id: one.invoice.to_string(),
            product_id: one.sku.product.to_string(),
            variant_id: one.sku.variant.map(|id| id.to_string()),
            quantity,
            replaced: pairs.collect(),
            reason: one.reason.clone(),
            message: format!(
                "Replaced {quantity}. The customer sees it on the page of the purchase."
            ),
            created_at: one.created_at.timestamp(),
        }
    }
}
