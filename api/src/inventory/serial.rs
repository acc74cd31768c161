//! A serial as its merchant reads it, and whose shelf it is.

use std::sync::Arc;

use engine::{
    audit::Deed,
    catalog::{Product, Sku},
    clock::Timestamp,
    ids::{MerchantId, ProductId, SerialId, VariantId},
    inventory::{Status, import},
    merchants::Merchant,
    persons::Role,
    vault::Sealed,
};
use persistence::inventory::{list, note};
use serde::Serialize;
use utoipa::ToSchema;

use super::upload::refused;
use crate::{
    auth::MerchantKey,
    error::{ApiError, Code},
    state::App,
    wire::time::Time,
};

/// How many characters of a text are left where it is masked.
const SHOWN_CHARS: usize = 4;

#[derive(Serialize, ToSchema)]
#[schema(as = Serial)]
pub(crate) struct SerialAnswer {
    id: String,
    uniqid: String,
    /// None of one that does not open.
    serial: Option<String>,
    variant_id: Option<String>,
    variant_title: Option<String>,
    status: &'static str,
    batch_id: String,
    claimed_by: Option<ClaimedBy>,
    created_at: Time,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ClaimedBy {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
}

/// How serials are shown to one caller.
pub(super) struct Shown<'a> {
    pub(super) merchant: &'a Merchant,
    pub(super) product: &'a Product,
    pub(super) masked: bool,
}

impl Shown<'_> {
    pub(super) fn listed(&self, serial: &list::Serial) -> SerialAnswer {
        let fulfillment = serial.fulfillment.map(|id| ClaimedBy {
            kind: "fulfillment",
            id: id.to_string(),
        });
        let sealed = (&serial.sealed, serial.created_at);
        let shown = self.of(serial.id, serial.variant, sealed, serial.status);
        SerialAnswer {
            claimed_by: fulfillment,
            ..shown
        }
    }

    pub(super) fn of(
        &self,
        id: SerialId,
        variant: Option<VariantId>,
        (sealed, created_at): (&Sealed, Timestamp),
        status: Status,
    ) -> SerialAnswer {
        let opened = self.merchant.key.open_serial(id, sealed).ok();
        let text = opened.map(|opened| {
            if self.masked {
                masked(opened.expose())
            } else {
                opened.expose().to_owned()
            }
        });
        let titled = variant.and_then(|id| self.product.variant(id));
        SerialAnswer {
            id: id.to_string(),
            uniqid: id.to_string(),
            serial: text,
            variant_id: variant.map(|id| id.to_string()),
            variant_title: titled.map(|variant| variant.title.clone()),
            status: status.name(),
            batch_id: id.import().to_string(),
            claimed_by: None,
            created_at: Time(created_at),
        }
    }
}

/// The end of a text; nothing of one that is hardly longer.
pub(crate) fn masked(text: &str) -> String {
    let count = text.chars().count();
    let shown = if count > 2 * SHOWN_CHARS {
        SHOWN_CHARS
    } else {
        0
    };
    let end: String = text.chars().skip(count - shown).collect();
    format!("…{end}")
}

/// Whether a caller sees serials only masked: one who may look and no more.
pub(super) fn is_masked<D>(caller: &MerchantKey<D>) -> bool {
    matches!(caller.role(), Some(Role::Viewer))
}

/// The merchant's product with this id.
pub(super) async fn owned_by(
    app: &App,
    merchant: MerchantId,
    id: ProductId,
) -> Result<Arc<Product>, ApiError> {
    let product = app.engine.product(id).await?;
    let product = product.filter(|product| product.merchant == merchant);
    product.ok_or_else(|| ApiError::new(Code::NotFound))
}

/// The one shelf that a call names.
pub(super) fn shelf(product: &Product, variant: Option<VariantId>) -> Result<Sku, ApiError> {
    import::sku(product, variant).map_err(refused)
}

/// Notes what a caller is about to read of a product's serials: nobody sees any unnoticed.
pub(super) async fn noted<D>(
    app: &App,
    caller: &MerchantKey<D>,
    action: &'static str,
    target: String,
) -> Result<(), ApiError> {
    let deed = deed(app, caller, action, target);
    Ok(note::note(&app.database, caller.merchant_id(), deed).await?)
}

/// What a caller does to a product's serials, for the audit log.
pub(super) fn deed<D>(
    app: &App,
    caller: &MerchantKey<D>,
    action: &'static str,
    target: String,
) -> Deed {
    Deed {
        actor: caller.actor(),
        action: action.to_owned(),
        target,
        before: None,
        after: None,
        at: app.now(),
    }
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn masked_text_shows_its_end_only_if_much_is_left_hidden() {
        for (text, shown) in [
            ("LT-7QK2-9XWD-M4TR", "…M4TR"),
            ("12345678", "…"),
            ("ä2345678é", "…678é"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }
}
