//! What a shop asks for: valid by construction, and fingerprinted.
//!
//! The fingerprint is what an order id is bound to: live or test, the customer, and per line the
//! product, variant, quantity and custom fields. Maximum prices, metadata and the channel are no part
//! of it, so a retry through another channel is a replay.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Details, Email, OrderId, check_metadata};
use crate::{
    catalog::Sku,
    ids::{KeyId, StockRequestId},
    money::Money,
    relationships::RelationshipScope,
    vault::Vault,
};

/// Most lines of one fulfillment.
pub const LINES_MAX: usize = 20;
/// Most units of one line.
pub const LINE_QUANTITY_MAX: u32 = 100;
/// Most units of one fulfillment.
pub const QUANTITY_MAX: u32 = 500;

/// Most units of one wholesale purchase.
pub const PURCHASE_QUANTITY_MAX: u32 = 1000;
/// What stands for the key where none is behind a request.
pub const NO_KEY: KeyId = KeyId::from_uuid(Uuid::nil());

/// A keyed digest of a request's meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Through which door an order came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    Api,
    Orders,
    Bulk,
    DynamicUrl,
    SignedUrl,
    Callback,
    /// A wholesale purchase, into the reseller's own inventory.
    Stock,
}

impl Channel {
    /// Whether what comes through it is for the reseller's own inventory.
    pub const fn is_stock(self) -> bool {
        match self {
            Self::Stock => true,
            Self::Api
            | Self::Orders
            | Self::Bulk
            | Self::DynamicUrl
            | Self::SignedUrl
            | Self::Callback => false,
        }
    }
}

/// One product and how many of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub sku: Sku,
    pub quantity: u32,
    /// Refuses if the price per unit is above; never sets a price.
    pub max_unit_price: Option<Money>,
    pub custom_fields: BTreeMap<String, String>,
}

/// The parts of a request as they were read, not yet known to be within bounds.
#[derive(Debug, Clone)]
pub struct Draft {
    pub scope: RelationshipScope,
    pub key: KeyId,
    pub order_id: OrderId,
    pub channel: Channel,
    pub lines: Vec<Line>,
    pub customer_email: Option<Email>,
    /// Refuses if the sum of all lines is above; never sets a price.
    pub max_total: Option<Money>,
    pub metadata: BTreeMap<String, String>,
    pub idempotency_key: Option<String>,
    pub notify_customer: Option<bool>,
}

/// A wholesale purchase: so many units of one SKU, under an id of Consign's own.
#[derive(Debug, Clone, Copy)]
pub struct Purchase {
    pub scope: RelationshipScope,
    pub id: StockRequestId,
    pub sku: Sku,
    pub quantity: u32,
    /// None while it is only asked what it would cost.
    pub agreed: Option<Agreed>,
}

/// The price that a purchase was asked for at, as it is stored; never a caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    pub unit_price: Money,
    pub price_version: i64,
}

/// A field that is out of bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {message}")]
pub struct Invalid {
    pub field: String,
    pub message: &'static str,
}

/// A request that may be executed as it stands.
#[derive(Debug, Clone)]
pub struct Request {
    draft: Draft,
    fingerprint: Fingerprint,
    agreed: Option<Agreed>,
}

impl Request {
    /// Checks the bounds and takes the fingerprint.
    pub fn new(draft: Draft, vault: &Vault) -> Result<Self, Invalid> {
        check(&draft)?;
        let fingerprint = fingerprint(&draft, vault);
        Ok(Self {
            draft,
            fingerprint,
            agreed: None,
        })
    }

    /// A wholesale purchase as a request: it passes every step of an order.
    pub fn purchase(purchase: Purchase, vault: &Vault) -> Self {
        let draft = Draft {
            scope: purchase.scope,
            key: NO_KEY,
            order_id: OrderId::of_stock_request(purchase.id),
            channel: Channel::Stock,
            lines: vec![Line {
                sku: purchase.sku,
                quantity: purchase.quantity,
                max_unit_price: None,
                custom_fields: BTreeMap::new(),
            }],
            customer_email: None,
            max_total: None,
            metadata: BTreeMap::new(),
            idempotency_key: None,
            notify_customer: None,
        };
        Self {
            fingerprint: fingerprint(&draft, vault),
            draft,
            agreed: purchase.agreed,
        }
    }

    /// The price that is not asked for again, because it was agreed on.
    pub const fn agreed(&self) -> Option<Agreed> {
        self.agreed
    }

    pub const fn scope(&self) -> &RelationshipScope {
        &self.draft.scope
    }

    pub const fn key(&self) -> KeyId {
        self.draft.key
    }

    pub const fn order_id(&self) -> &OrderId {
        &self.draft.order_id
    }

    pub const fn channel(&self) -> Channel {
        self.draft.channel
    }

    pub fn lines(&self) -> &[Line] {
        &self.draft.lines
    }

    pub const fn customer_email(&self) -> Option<&Email> {
        self.draft.customer_email.as_ref()
    }

    pub const fn max_total(&self) -> Option<Money> {
        self.draft.max_total
    }

    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// What is stored beside the entry; none in the usual case that there is nothing.
    pub(crate) fn details(&self) -> Option<Details> {
        let fields = |line: &Line| line.custom_fields.clone();
        let custom_fields: Vec<_> = self.draft.lines.iter().map(fields).collect();
        let details = Details {
            custom_fields: if custom_fields.iter().all(BTreeMap::is_empty) {
                Vec::new()
            } else {
                custom_fields
            },
            metadata: self.draft.metadata.clone(),
            idempotency_key: self.draft.idempotency_key.clone(),
            notify_customer: self.draft.notify_customer,
        };
        (details != Details::default()).then_some(details)
    }

    /// The fields in which this request means something else than `other`.
    pub fn differing_fields(&self, other: &Self) -> Vec<&'static str> {
        let mut fields = BTreeSet::new();
        if self.draft.customer_email != other.draft.customer_email {
            fields.insert("customer_email");
        }
        differing_lines(&self.draft.lines, &other.draft.lines, &mut fields);
        fields.into_iter().collect()
    }
}

/// Names the fields in which two lists of lines differ.
pub(super) fn differing_lines(asked: &[Line], bound: &[Line], fields: &mut BTreeSet<&'static str>) {
    if asked.len() != bound.len() {
        fields.insert("items");
    }
    for (asked, bound) in asked.iter().zip(bound) {
        for (differs, field) in [
            (asked.sku.product != bound.sku.product, "product_id"),
            (asked.sku.variant != bound.sku.variant, "variant_id"),
            (asked.quantity != bound.quantity, "quantity"),
            (asked.custom_fields != bound.custom_fields, "custom_fields"),
        ] {
            if differs {
                fields.insert(field);
            }
        }
    }
}

fn check(draft: &Draft) -> Result<(), Invalid> {
    let invalid = |field: &str, message| {
        Err(Invalid {
            field: field.to_owned(),
            message,
        })
    };
    if draft.lines.is_empty() || draft.lines.len() > LINES_MAX {
        return invalid("items", "must have 1 to 20 lines");
    }
    for (index, line) in draft.lines.iter().enumerate() {
        let field = |name: &str| {
            if draft.lines.len() == 1 {
                name.to_owned()
            } else {
                format!("items[{index}].{name}")
            }
        };
        if !(1..=LINE_QUANTITY_MAX).contains(&line.quantity) {
            return invalid(&field("quantity"), "must be 1 to 100");
        }
        if line.custom_fields.len() > 20 {
            return invalid(&field("custom_fields"), "must have at most 20 entries");
        }
        let texts = || {
            line.custom_fields
                .iter()
                .flat_map(|(name, value)| [name, value])
        };
        if texts().any(|text| has_nul(text)) {
            return invalid(&field("custom_fields"), NUL);
        }
        let long = |text: &String| text.chars().count() > 500;
        if texts().any(long) {
            return invalid(
                &field("custom_fields"),
                "must have values of at most 500 characters",
            );
        }
    }
    if draft.lines.iter().map(|line| line.quantity).sum::<u32>() > QUANTITY_MAX {
        return invalid("items", "must have at most 500 units in all");
    }
    if let Err(why) = check_metadata(&draft.metadata) {
        return invalid("metadata", why);
    }
    if draft.idempotency_key.as_deref().is_some_and(has_nul) {
        return invalid("idempotency_key", NUL);
    }
    if draft
        .idempotency_key
        .as_ref()
        .is_some_and(|key| key.len() > 255)
    {
        return invalid("idempotency_key", "must have at most 255 bytes");
    }
    Ok(())
}

const NUL: &str = "must not contain NUL";

/// Storage holds no NUL in a text: one would have its whole batch refused.
fn has_nul(text: &str) -> bool {
    text.contains('\0')
}

fn fingerprint(draft: &Draft, vault: &Vault) -> Fingerprint {
    let email = draft.customer_email.as_ref().map_or("", Email::as_str);
    let numbers: Vec<_> = draft
        .lines
        .iter()
        .map(|line| {
            (
                line.quantity.to_le_bytes(),
                (line.custom_fields.len() as u64).to_le_bytes(),
            )
        })
        .collect();
    let mut parts: Vec<&[u8]> = vec![
        if draft.scope.test { b"test" } else { b"live" },
        email.as_bytes(),
    ];
    for (line, (quantity, fields)) in draft.lines.iter().zip(&numbers) {
        parts.push(b"line");
        parts.push(line.sku.product.uuid_bytes());
        parts.push(
            line.sku
                .variant
                .as_ref()
                .map_or(b"", |variant| variant.uuid_bytes()),
        );
        if !crate::sabotage::breaks("fingerprint_without_quantity") {
            parts.push(quantity);
        }
        // Counted, so that no field can be read as the beginning of another line.
        parts.push(fields);
        for (name, value) in &line.custom_fields {
            parts.push(name.as_bytes());
            parts.push(value.as_bytes());
        }
    }
    Fingerprint(vault.request_fingerprint(&parts))
}
