//! A reseller lists a product.

use engine::{
    audit::Actor,
    clock::Timestamp,
    ids::{MerchantId, VariantId},
    listings::{Listing, NewListing, Refusal},
};
use sqlx::PgConnection;

use super::{list::facts_of, rows};
use crate::{
    Database, Error, database::commit, links::rows::note, owned, relationships::rows::kept,
};

/// Why nothing is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotListed {
    Refused(Refusal),
    /// One lives for this product, or variant.
    Exists,
}

/// Lists something, or says why not.
pub async fn create(
    db: &Database,
    merchant: MerchantId,
    new: NewListing,
    (actor, now): (Actor, Timestamp),
) -> Result<Result<Listing, NotListed>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let of = (merchant, new.relationship);
        let facts = facts_of(&mut tx, of, (new.product, new.variant)).await?;
        // What is not sold here is told as what may not be sold.
        let Some(facts) = facts else {
            return Ok(Err(NotListed::Refused(Refusal::NotAllowed)));
        };
        let listing = match new.of(&facts, now) {
            Ok(listing) => listing,
            Err(refusal) => return Ok(Err(NotListed::Refused(refusal))),
        };
        if let Err(error) = insert(&mut tx, merchant, &listing).await {
            let exists = error.constraint() == Some("listings_live_key");
            return if exists {
                Ok(Err(NotListed::Exists))
            } else {
                Err(error)
            };
        }
        let did = (actor, "listing.create", listing.id.to_string());
        note(&mut tx, merchant, did, now).await?;
        commit(tx).await?;
        Ok(Ok(listing))
    })
    .await
}

async fn insert(
    connection: &mut PgConnection,
    merchant: MerchantId,
    listing: &Listing,
) -> Result<(), Error> {
    let (status, reason, paused) = rows::columns(listing.state);
    sqlx::query(
        "INSERT INTO listings (listing_id, merchant_id, relationship_id, product_id, variant_id, price,
           status, blocked_reason, paused, reviewed_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $10)",
    )
    .bind(listing.id.uuid())
    .bind(merchant.uuid())
    .bind(listing.relationship.uuid())
    .bind(listing.product.uuid())
    .bind(listing.variant.map(VariantId::uuid))
    .bind(listing.price.minor())
    .bind(status)
    .bind(reason)
    .bind(paused)
    .bind(listing.created_at)
    .execute(connection)
    .await?;
    Ok(())
}
