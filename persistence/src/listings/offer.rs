//! A listing as it is offered to customers.

use engine::{
    ids::{ListingId, MerchantId},
    money::Currency,
};
use uuid::Uuid;

use super::rows::{Judged, Row, select_judged};
use crate::{Database, Error, owned, relationships::rows::named};

/// A listing with whose shop it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub judged: Judged,
    pub merchant_name: String,
    pub currency: Currency,
}

/// The listing with this id, if it is offered now.
pub async fn find(db: &Database, id: ListingId) -> Result<Option<Offer>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.find().await?;
        let row: Option<Row> = sqlx::query_as(select_judged!("WHERE l.listing_id = $1"))
            .bind(id.uuid())
            .fetch_optional(&mut *connection)
            .await?;
        let judged = row.map(Judged::try_from).transpose()?;
        let Some(judged) = judged.filter(|it| it.listing.is_offered(&it.facts)) else {
            return Ok(None);
        };
        let (merchant_name, currency) = shop(&mut connection, judged.merchant).await?;
        Ok(Some(Offer {
            judged,
            merchant_name,
            currency,
        }))
    })
    .await
}

/// A listing of this merchant with what decides about it now.
pub(crate) async fn judged(
    connection: &mut sqlx::PgConnection,
    (merchant, id): (MerchantId, ListingId),
) -> Result<Option<Judged>, Error> {
    let row: Option<Row> = sqlx::query_as(select_judged!(
        "WHERE l.merchant_id = $1 AND l.listing_id = $2"
    ))
    .bind(merchant.uuid())
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(Judged::try_from).transpose()
}

async fn shop(
    connection: &mut sqlx::PgConnection,
    merchant: MerchantId,
) -> Result<(String, Currency), Error> {
    let id: Uuid = merchant.uuid();
    let (name, currency): (String, String) =
        sqlx::query_as("SELECT name, currency FROM merchants WHERE merchant_id = $1")
            .bind(id)
            .fetch_one(connection)
            .await?;
    Ok((
        name,
        named(Currency::parse(&currency), "merchants.currency")?,
    ))
}
