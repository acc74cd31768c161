//! What was delivered for an order id.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{Channel, Email, Fingerprint, Line, OrderId, Request, request::differing_lines};
use crate::{
    catalog::Sku,
    clock::Timestamp,
    ids::{BalanceId, EntryId, KeyId, SerialId},
    money::Money,
    vault::{MerchantKey, Sealed},
};

/// Where an entry stands in its ledger; the lane gives it, the commit makes it true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub id: EntryId,
    /// 1, 2, 3 … without a gap, per balance.
    pub version: i64,
    pub balance_after: Money,
    pub created_at: Timestamp,
}

/// A committed fulfillment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fulfillment {
    pub stamp: Stamp,
    pub contents: Arc<Contents>,
    /// What of its cost was given back since.
    pub refunded: Money,
    /// When customers opened what they bought, as far as their shop said so.
    pub revealed: BTreeMap<SerialId, Timestamp>,
    /// Delivered serials that were no good.
    pub replaced: Vec<Replaced>,
    /// Serials whose price was given back by name, as they were delivered.
    pub refunded_items: BTreeSet<SerialId>,
}

/// A delivered serial that was no good, and what came in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    pub serial: SerialId,
    /// None: its price was given back.
    pub by: Option<ClaimedSerial>,
    pub at: Timestamp,
}

/// Where a fulfillment stands: delivered for ever, its cost given back or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Delivered,
    PartiallyRefunded,
    Refunded,
}

impl Standing {
    pub const ALL: [Self; 3] = [Self::Delivered, Self::PartiallyRefunded, Self::Refunded];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "DELIVERED",
            Self::PartiallyRefunded => "PARTIALLY_REFUNDED",
            Self::Refunded => "REFUNDED",
        }
    }
}

impl Fulfillment {
    pub fn standing(&self) -> Standing {
        if self.refunded == Money::ZERO {
            Standing::Delivered
        } else if self.refunded < self.contents.total {
            Standing::PartiallyRefunded
        } else {
            Standing::Refunded
        }
    }

    /// The delivered serial and its price that an item stands for; what came in the place of another stands
    /// for that one.
    pub fn unit(&self, item: SerialId) -> Option<(SerialId, Money)> {
        let replaces = |one: &&Replaced| one.by.as_ref().is_some_and(|by| by.id == item);
        let first = self.replaced.iter().find(replaces);
        let delivered = first.map_or(item, |one| one.serial);
        let holds = |line: &&FulfilledLine| line.serials.iter().any(|one| one.id == delivered);
        let line = self.contents.lines.iter().find(holds)?;
        Some((delivered, line.unit_price))
    }

    /// Whether the price of this delivered serial was given back: by name, with all of the order, or
    /// because it was no good.
    pub fn is_refunded(&self, delivered: SerialId) -> bool {
        let credited = |one: &Replaced| one.serial == delivered && one.by.is_none();
        self.standing() == Standing::Refunded
            || self.refunded_items.contains(&delivered)
            || self.replaced.iter().any(credited)
    }
}

/// Everything of a fulfillment but its place in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    pub balance: BalanceId,
    pub order_id: OrderId,
    pub fingerprint: Fingerprint,
    pub channel: Channel,
    pub key: KeyId,
    /// The sum of unit price × quantity over the lines: the debit.
    pub total: Money,
    pub lines: Vec<FulfilledLine>,
    pub email: Option<Sealed>,
    pub details: Option<Details>,
}

/// One line with the serials that were claimed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FulfilledLine {
    pub sku: Sku,
    pub unit_price: Money,
    pub price_version: i64,
    pub serials: Vec<ClaimedSerial>,
}

/// A serial that left the shelf, still sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedSerial {
    pub id: SerialId,
    pub sealed: Sealed,
}

/// What a shop sent along and gets back, never interpreted. Stored as JSON; empty parts are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Details {
    /// Per line, in order; empty if no line has any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custom_fields: Vec<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify_customer: Option<bool>,
}

impl Details {
    fn bytes(&self) -> usize {
        let texts = self.custom_fields.iter().chain([&self.metadata]).flatten();
        texts.map(|(name, value)| name.len() + value.len()).sum()
    }
}

impl Contents {
    /// The custom fields of the line at `index`.
    pub fn custom_fields(&self, index: usize) -> BTreeMap<String, String> {
        let fields = self
            .details
            .as_ref()
            .and_then(|details| details.custom_fields.get(index));
        fields.cloned().unwrap_or_default()
    }

    /// Every claimed serial, in line order.
    pub fn serials(&self) -> impl Iterator<Item = &ClaimedSerial> {
        self.lines.iter().flat_map(|line| &line.serials)
    }

    /// About how many bytes it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        let serials = self
            .serials()
            .map(|serial| size_of::<ClaimedSerial>() + serial.sealed.as_bytes().len());
        let details = self.details.as_ref().map_or(0, Details::bytes);
        let email = self
            .email
            .as_ref()
            .map_or(0, |email| email.as_bytes().len());
        size_of::<Self>() + serials.sum::<usize>() + details + email
    }

    /// The fields in which `request` means something else than what was delivered.
    pub fn differing_fields(&self, request: &Request, key: &MerchantKey) -> Vec<&'static str> {
        let mut fields = BTreeSet::new();
        let bound = self
            .email
            .as_ref()
            .map(|sealed| key.open_email(self.balance, sealed));
        let same = match (&bound, request.customer_email()) {
            (Some(Ok(bound)), Some(asked)) => bound.expose() == Email::as_str(asked),
            (None, None) => true,
            // An erased or unreadable address cannot be told from another one.
            (Some(_), _) | (None, Some(_)) => false,
        };
        if !same {
            fields.insert("customer_email");
        }
        let lines: Vec<_> = self
            .lines
            .iter()
            .enumerate()
            .map(|(i, line)| self.asked(i, line))
            .collect();
        differing_lines(request.lines(), &lines, &mut fields);
        fields.into_iter().collect()
    }

    fn asked(&self, index: usize, line: &FulfilledLine) -> Line {
        Line {
            sku: line.sku,
            quantity: line.quantity(),
            max_unit_price: None,
            custom_fields: self.custom_fields(index),
        }
    }
}

impl FulfilledLine {
    pub fn quantity(&self) -> u32 {
        u32::try_from(self.serials.len()).expect("a line has at most 1000 units")
    }

    pub fn total(&self) -> Money {
        self.unit_price
            .checked_mul(self.quantity())
            .expect("the quote checked this product")
    }
}
