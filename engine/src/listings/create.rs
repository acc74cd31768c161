//! Pure: whether something may be listed at a price.

use super::{Facts, Listing, Refusal, State};
use crate::{
    clock::Timestamp,
    ids::{ListingId, ProductId, RelationshipId, VariantId},
    money::Money,
};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewListing {
    pub id: ListingId,
    pub relationship: RelationshipId,
    pub product: ProductId,
    pub variant: Option<VariantId>,
    pub price: Money,
}

impl NewListing {
    /// The listing, if its price is within its bounds.
    pub fn of(self, facts: &Facts, now: Timestamp) -> Result<Listing, Refusal> {
        facts.bounds()?.allow(self.price)?;
        Ok(Listing {
            id: self.id,
            relationship: self.relationship,
            product: self.product,
            variant: self.variant,
            price: self.price,
            state: State::Active,
            note: None,
            created_at: now,
            updated_at: now,
        })
    }
}
