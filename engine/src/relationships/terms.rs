//! What a reseller may sell, at which price, within which limits.

use std::collections::BTreeMap;

use super::{Committed, Prices};
use crate::{
    catalog::{Product, Variant},
    ids::{KeyId, MerchantId, ProductId, RelationshipId, VariantId},
    money::{Money, Percent},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Invited,
    Active,
    Suspended,
    Terminated,
}

impl Status {
    pub const ALL: [Self; 4] = [
        Self::Invited,
        Self::Active,
        Self::Suspended,
        Self::Terminated,
    ];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invited => "INVITED",
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::Terminated => "TERMINATED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.name() == name)
    }
}

/// Which ways of selling the relationship has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Affiliate,
    Stock,
    AutoFulfilled,
    Both,
}

impl Mode {
    pub const ALL: [Self; 4] = [
        Self::Affiliate,
        Self::Stock,
        Self::AutoFulfilled,
        Self::Both,
    ];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Affiliate => "AFFILIATE",
            Self::Stock => "STOCK",
            Self::AutoFulfilled => "AUTO_FULFILLED",
            Self::Both => "BOTH",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.name() == name)
    }

    /// Whether links earn commissions.
    pub const fn allows_links(self) -> bool {
        match self {
            Self::Affiliate | Self::Both => true,
            Self::Stock | Self::AutoFulfilled => false,
        }
    }

    /// Whether the reseller may buy serials to sell them on.
    pub const fn allows_stock(self) -> bool {
        match self {
            Self::Stock | Self::Both => true,
            Self::Affiliate | Self::AutoFulfilled => false,
        }
    }

    /// Whether the reseller may sell at prices of its own what the merchant delivers.
    pub const fn allows_listings(self) -> bool {
        match self {
            Self::AutoFulfilled | Self::Both => true,
            Self::Affiliate | Self::Stock => false,
        }
    }

    /// Whether a shop may deliver by API from the prepaid balance.
    pub const fn allows_fulfillment(self) -> bool {
        match self {
            Self::Affiliate => false,
            Self::Stock | Self::AutoFulfilled | Self::Both => true,
        }
    }
}

/// The terms of one relationship at one version.
#[derive(Debug, Clone)]
pub struct Terms {
    pub relationship: RelationshipId,
    pub merchant: MerchantId,
    /// Rises with every change of the relationship, its access, its keys or its program.
    pub version: i64,
    pub program_enabled: bool,
    /// What the reseller's own shops may use of dynamic URLs.
    pub dynamic_url_policy: DynamicUrlPolicy,
    pub status: Status,
    /// Shown to the reseller when the status is not active.
    pub status_reason: Option<String>,
    pub code: String,
    pub mode: Mode,
    pub discount: Option<Percent>,
    pub program_discount: Option<Percent>,
    pub purchase_limit_daily: Option<Money>,
    pub purchase_limit_monthly: Option<Money>,
    /// What counts against the limits beside the ledger of the live balance.
    pub committed: Committed,
    /// By product, and by variant where an override is for one variant only. Revoked access is absent.
    pub access: BTreeMap<(ProductId, Option<VariantId>), Access>,
    /// Keys that may still be used; a revoked key is absent.
    pub keys: BTreeMap<KeyId, KeyTerms>,
}

/// Which forms of the dynamic URL a program allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DynamicUrlPolicy {
    Allowed,
    SignedOnly,
    Off,
}

impl DynamicUrlPolicy {
    pub const ALL: [Self; 3] = [Self::Allowed, Self::SignedOnly, Self::Off];

    /// The word for it in the contract and in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "ALLOWED",
            Self::SignedOnly => "SIGNED_ONLY",
            Self::Off => "OFF",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.name() == name)
    }
}

/// Access to one product, with its overrides.
#[derive(Debug, Clone, Default)]
pub struct Access {
    pub wholesale_price: Option<Money>,
    pub min_quantity: Option<u32>,
    pub max_quantity: Option<u32>,
    /// Of a wholesale purchase, instead of the two above.
    pub stock_min_quantity: Option<u32>,
    pub stock_max_quantity: Option<u32>,
}

/// What a key may buy.
#[derive(Debug, Clone, Default)]
pub struct KeyTerms {
    /// Empty: all products with access.
    pub products: Vec<ProductId>,
    pub max_quantity: Option<u32>,
    pub daily_spend_cap: Option<Money>,
}

impl Terms {
    /// The access that an order of this variant falls under, and whether it was given at all.
    pub fn access(&self, product: ProductId, variant: Option<VariantId>) -> Option<&Access> {
        let own = variant.and_then(|id| self.access.get(&(product, Some(id))));
        own.or_else(|| self.access.get(&(product, None)))
    }

    /// The wholesale price per unit, if there is one: see [`Prices::wholesale`].
    pub fn wholesale_price(&self, product: &Product, variant: Option<&Variant>) -> Option<Money> {
        let override_of = |variant| self.access.get(&(product.id, variant))?.wholesale_price;
        let prices = Prices {
            of_variant: variant.and_then(|variant| override_of(Some(variant.id))),
            of_product: override_of(None),
            base: variant.map_or(product.base_price, |variant| variant.base_price),
            discount: self.discount,
            program_discount: self.program_discount,
            variant_wholesale: variant.and_then(|variant| variant.wholesale_price),
            product_wholesale: product.wholesale_price,
        };
        prices.wholesale()
    }

    /// The version of a price: a sum of versions that only rise, so it rises when any of them does.
    pub fn price_version(&self, product: &Product) -> i64 {
        self.version + product.price_version
    }
}
