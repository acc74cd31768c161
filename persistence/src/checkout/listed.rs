//! What is owed of something that is bought at the price of a listing, and the link under which it is attributed.

use engine::{
    checkout::{Deal, Line, Quote, Refusal, listed},
    fulfillments::Email,
    ids::{ListingId, MerchantId},
    payments::Invoice,
    sales::{Share, Source},
};
use sqlx::PgConnection;

use crate::{Error, listings, relationships::rows::named};

/// The reseller's share, as things stand now, or why nothing is sold.
pub(super) async fn share(
    connection: &mut PgConnection,
    of: (MerchantId, ListingId),
    (quote, email): (&Quote, &Email),
) -> Result<Result<Share, Refusal>, Error> {
    let Some(judged) = listings::judged(connection, of).await? else {
        return Ok(Err(Refusal::NotOffered));
    };
    let listing = &judged.listing;
    // A visit for a listing is for nothing else.
    if (listing.product, listing.variant) != (quote.sku.product, quote.sku.variant) {
        return Ok(Err(Refusal::NotOffered));
    }
    let (reseller, days, allow_self_purchase): (String, i32, bool) = sqlx::query_as(
        "SELECT lower(r.email), p.commission_hold_days, p.allow_self_purchase
         FROM relationships AS r JOIN programs AS p ON p.merchant_id = r.merchant_id
         WHERE r.relationship_id = $1",
    )
    .bind(listing.relationship.uuid())
    .fetch_one(connection)
    .await?;
    let days = u16::try_from(days).ok();
    let deal = Deal {
        unit_price: quote.unit_price,
        title: quote.title.clone(),
        customer: email.as_str().to_owned(),
        reseller,
        hold_days: named(days, "programs.commission_hold_days")?,
        allow_self_purchase,
    };
    Ok(listed(listing, &judged.facts, deal))
}

/// The link of a listing is there from its first invoice on, under the name that its product had then.
pub(super) async fn keep_link(
    connection: &mut PgConnection,
    invoice: &Invoice,
    line: &Line,
) -> Result<(), Error> {
    let Some(share) = &line.share else {
        return Ok(());
    };
    let Source::Listing(listing) = share.source else {
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO links (link_id, merchant_id, relationship_id, kind, name, status, created_at,
           updated_at)
         VALUES ($1, $2, $3, $4, $5, 'ACTIVE', $6, $6)
         ON CONFLICT ON CONSTRAINT links_pkey DO NOTHING",
    )
    .bind(listing.link().uuid())
    .bind(invoice.merchant.uuid())
    .bind(share.relationship.uuid())
    .bind(share.source.kind())
    .bind(&share.source_name)
    .bind(invoice.created_at)
    .execute(connection)
    .await?;
    Ok(())
}
