//! Who is owed what of something that is bought at the price of a listing.

use super::Refusal;
use crate::{
    listings::{Facts, Listing},
    money::Money,
    sales::{Rate, Share, Source, is_itself},
};

/// What counts beside the listing at the moment of the customer's yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deal {
    /// What the customer says yes to.
    pub unit_price: Money,
    /// What it is called.
    pub title: String,
    /// The customer's address, and the reseller's, in lower case.
    pub customer: String,
    pub reseller: String,
    pub hold_days: u16,
    pub allow_self_purchase: bool,
}

/// The reseller's share: the margin, at the prices of this moment. Nothing is sold of a listing that is not
/// offered now, or at another price than its own.
pub fn listed(listing: &Listing, facts: &Facts, deal: Deal) -> Result<Share, Refusal> {
    let bounds = facts.bounds().map_err(|_| Refusal::NotOffered)?;
    if !listing.is_offered(facts) {
        return Err(Refusal::NotOffered);
    }
    if listing.price != deal.unit_price {
        return Err(Refusal::PriceChanged(listing.price));
    }
    let itself = is_itself(&deal.customer, &deal.reseller);
    Ok(Share {
        relationship: listing.relationship,
        source: Source::Listing(listing.id),
        source_name: deal.title,
        rate: Rate::Above {
            wholesale: bounds.wholesale,
        },
        hold_days: deal.hold_days,
        self_purchase: itself && !deal.allow_self_purchase,
    })
}
