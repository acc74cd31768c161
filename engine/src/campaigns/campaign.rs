//! One embed campaign.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    clock::Timestamp,
    ids::{CampaignId, ProductId, RelationshipId, VariantId},
    links::Status,
    relationships::Ware,
};

pub const NAME_CHARS_MAX: usize = 80;
/// Products, and variants, that a campaign names.
pub const SCOPE_MAX: usize = 100;
/// Pages that may show it.
pub const ORIGINS_MAX: usize = 20;

/// What a campaign is limited to; nothing named is all that its relationship covers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    pub products: BTreeSet<ProductId>,
    /// Each with its product.
    pub variants: BTreeMap<VariantId, ProductId>,
}

impl Scope {
    /// Everything that is named.
    pub fn wares(&self) -> impl Iterator<Item = Ware> + '_ {
        let products = self.products.iter().map(|product| (*product, None));
        let variants = self.variants.iter();
        products.chain(variants.map(|(variant, product)| (*product, Some(*variant))))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    pub id: CampaignId,
    pub relationship: RelationshipId,
    pub name: String,
    pub status: Status,
    pub scope: Scope,
    /// Of pages that may show it, as browsers write them; none is any page by https.
    pub origins: Vec<String>,
    /// Tokens of an older version are dead.
    pub token_version: u32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
