//! A relationship with everything that its merchant decides about it.

use std::collections::BTreeMap;

use super::{Mode, Status, Ware};
use crate::{
    clock::Timestamp,
    ids::{MerchantId, ProductId, RelationshipId, VariantId},
    money::{Money, Percent},
    random::Random,
};

/// Characters of a code that nobody chose; those that look alike are left out.
const CODE_LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
const CODE_LEN: usize = 8;

/// Which products links and embeds cover. What is bought, listed or delivered needs access always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductScope {
    All,
    Selected,
}

impl ProductScope {
    const BOTH: [Self; 2] = [Self::All, Self::Selected];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::Selected => "SELECTED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::BOTH.into_iter().find(|each| each.name() == name)
    }
}

/// The whole of a relationship, as its merchant reads and changes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Relationship {
    pub id: RelationshipId,
    pub merchant: MerchantId,
    pub email: String,
    pub name: String,
    pub code: String,
    pub status: Status,
    pub status_reason: Option<String>,
    pub mode: Mode,
    pub commission: Option<Percent>,
    pub discount: Option<Percent>,
    pub purchase_limit_daily: Option<Money>,
    pub purchase_limit_monthly: Option<Money>,
    pub product_scope: ProductScope,
    pub notify_customer: bool,
    /// Revoked access too, with what it allowed.
    pub access: BTreeMap<Ware, Grant>,
    pub accepted_at: Option<Timestamp>,
    pub suspended_at: Option<Timestamp>,
    pub terminated_at: Option<Timestamp>,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The right to sell one product, with what is different for this reseller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    pub revoked: bool,
    pub commission: Option<Percent>,
    pub wholesale_price: Option<Money>,
    /// False switches listings of this product off.
    pub auto_fulfilled: bool,
    pub min_resale_price: Option<Money>,
    pub max_resale_price: Option<Money>,
    pub min_quantity: Option<u32>,
    pub max_quantity: Option<u32>,
    pub stock_min_quantity: Option<u32>,
    pub stock_max_quantity: Option<u32>,
}

impl Default for Grant {
    fn default() -> Self {
        Self {
            revoked: false,
            commission: None,
            wholesale_price: None,
            auto_fulfilled: true,
            min_resale_price: None,
            max_resale_price: None,
            min_quantity: None,
            max_quantity: None,
            stock_min_quantity: None,
            stock_max_quantity: None,
        }
    }
}

impl Grant {
    /// Whether no smallest is above its largest.
    pub fn is_ordered(&self) -> bool {
        let resale = self.min_resale_price.zip(self.max_resale_price);
        let quantity = self.min_quantity.zip(self.max_quantity);
        let stock = self.stock_min_quantity.zip(self.stock_max_quantity);
        resale.is_none_or(|(min, max)| min <= max)
            && quantity.is_none_or(|(min, max)| min <= max)
            && stock.is_none_or(|(min, max)| min <= max)
    }
}

/// Why a relationship may not sell in some way now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Barred {
    /// It is not active; the reason is the one that its reseller is shown.
    Inactive { reason: Option<String> },
    /// Its mode has no such way.
    Mode,
}

impl Relationship {
    /// Whether it may place what attributes sales to it: links and embeds.
    pub fn may_attribute(&self) -> Result<(), Barred> {
        if self.status != Status::Active {
            let reason = self.status_reason.clone();
            return Err(Barred::Inactive { reason });
        }
        if self.mode.allows_links() {
            Ok(())
        } else {
            Err(Barred::Mode)
        }
    }

    /// Whether its links and embeds cover a product, or a variant of it.
    pub fn covers(&self, product: ProductId, variant: Option<VariantId>) -> bool {
        let granted = |ware| self.access.get(&ware).is_some_and(|grant| !grant.revoked);
        match (self.product_scope, variant) {
            (ProductScope::All, _) => true,
            (ProductScope::Selected, Some(_)) => {
                granted((product, variant)) || granted((product, None))
            }
            // A link to a product leads to whichever of its variants is covered.
            (ProductScope::Selected, None) => self
                .access
                .iter()
                .any(|((id, _), grant)| *id == product && !grant.revoked),
        }
    }
}

/// A code that nobody chose.
pub fn random_code(random: &dyn Random) -> String {
    let mut bytes = [0; CODE_LEN];
    random.fill(&mut bytes);
    let letters = bytes.map(|byte| char::from(CODE_LETTERS[usize::from(byte % 32)]));
    letters.iter().collect()
}
