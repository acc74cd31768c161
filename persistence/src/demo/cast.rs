//! Who plays: one merchant, its products, its resellers and their keys.

use engine::{
    api_keys::{KeyKind, KeyText, base62_secret},
    catalog::{ProductKind, Sku},
    ids::{KeyId, MerchantId, ProductId, RelationshipId, VariantId},
    money::Money,
    random::Random,
    relationships::{Mode, RelationshipScope, Status},
    vault::Opened,
};

use super::ids::{self, Role, Troupe};

/// One merchant with its products and resellers.
#[derive(Debug, Clone)]
pub struct Cast {
    pub(super) troupe: Troupe,
    pub merchant: MerchantId,
    pub name: String,
    /// May do everything of the merchant.
    pub key: KeyText,
    pub products: Vec<Product>,
    pub resellers: Vec<Reseller>,
    /// The product and the reseller that a load may aim at, as places in the lists.
    pub hot: Option<(usize, usize)>,
}

#[derive(Debug, Clone)]
pub struct Product {
    pub id: ProductId,
    pub title: String,
    pub description: String,
    pub kind: ProductKind,
    pub base_price: Money,
    pub variants: Vec<Variant>,
    /// Of the product, or of each of its variants if it has any.
    pub serials: u32,
}

#[derive(Debug, Clone)]
pub struct Variant {
    pub id: VariantId,
    pub title: String,
    pub base_price: Money,
}

#[derive(Debug, Clone)]
pub struct Reseller {
    pub id: RelationshipId,
    /// Unique in the installation.
    pub code: String,
    pub name: String,
    pub mode: Mode,
    pub status: Status,
    pub status_reason: Option<String>,
    /// In hundredths of a percent; none: the program's.
    pub discount: Option<i32>,
    pub access: Access,
    /// May read and write everything of the reseller's own shop.
    pub key: KeyText,
    pub dynamic: Option<DynamicKey>,
    /// May do the same in test mode.
    pub test: Option<KeyText>,
    /// What the balance is to start with.
    pub credit: Money,
}

/// Which products of the cast a reseller may sell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    All,
    /// By their places in the cast.
    These(Vec<usize>),
}

/// A key for dynamic URLs.
#[derive(Debug, Clone)]
pub struct DynamicKey {
    pub key: KeyText,
    pub url_secret: Opened,
    pub daily_spend_cap: Money,
}

/// Money that a reseller of a cast is to start with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Funding {
    pub scope: RelationshipScope,
    pub amount: Money,
    /// The same at every start, so that a credit that was given is not given again.
    pub reference: &'static str,
}

impl Product {
    /// Everything of this product that has serials.
    pub fn skus(&self) -> impl Iterator<Item = Sku> {
        let base = self.variants.is_empty().then_some(None);
        let variants = self.variants.iter().map(|variant| Some(variant.id));
        base.into_iter().chain(variants).map(|variant| Sku {
            product: self.id,
            variant,
        })
    }
}

impl Cast {
    /// The products that a reseller may sell.
    pub fn products_of(&self, reseller: &Reseller) -> Vec<&Product> {
        match &reseller.access {
            Access::All => self.products.iter().collect(),
            Access::These(places) => places.iter().map(|&place| &self.products[place]).collect(),
        }
    }
}

pub(super) fn merchant(troupe: Troupe) -> MerchantId {
    MerchantId::generate(ids::made_at(0), &ids::random(troupe, Role::Merchant, 0))
}

pub(super) fn product(troupe: Troupe, number: u64) -> ProductId {
    ProductId::generate(
        ids::made_at(number),
        &ids::random(troupe, Role::Product, number),
    )
}

pub(super) fn variant(troupe: Troupe, number: u64) -> VariantId {
    VariantId::generate(
        ids::made_at(number),
        &ids::random(troupe, Role::Variant, number),
    )
}

pub(super) fn reseller(troupe: Troupe, number: u64) -> RelationshipId {
    RelationshipId::generate(
        ids::made_at(number),
        &ids::random(troupe, Role::Reseller, number),
    )
}

/// A key whose id is the same in every installation, and whose secret is not.
pub(super) fn key(troupe: Troupe, role: Role, number: u64, random: &dyn Random) -> KeyText {
    let kind = match role {
        Role::MerchantKey => KeyKind::Merchant,
        Role::Merchant
        | Role::Product
        | Role::Variant
        | Role::Reseller
        | Role::Import
        | Role::Serial
        | Role::Key
        | Role::DynamicKey
        | Role::TestKey => KeyKind::Reseller,
    };
    let id = KeyId::generate(ids::made_at(number), &ids::random(troupe, role, number));
    KeyText::generate(kind, matches!(role, Role::TestKey), id, random)
}

pub(super) fn dynamic_key(
    troupe: Troupe,
    number: u64,
    daily_spend_cap: Money,
    random: &dyn Random,
) -> DynamicKey {
    DynamicKey {
        key: key(troupe, Role::DynamicKey, number, random),
        url_secret: Opened::new(base62_secret(random)),
        daily_spend_cap,
    }
}

/// An amount of a cast, in minor units.
pub(super) fn money(minor: i64) -> Money {
    Money::from_minor(minor).expect("a cast's amounts are within the bound")
}
