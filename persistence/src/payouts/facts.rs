//! What decides about payouts of a relationship.

use chrono::TimeDelta;
use engine::{
    clock::Timestamp,
    ids::{MerchantId, RelationshipId},
    money::Money,
    payouts::{Facts, VerificationStatus},
    programs::PayoutAsset,
    relationships::Status,
    sales::Earnings,
};
use sqlx::{PgConnection, types::Json};

use super::rows::Of;
use crate::{
    Database, Error, catalog::source::price, owned, programs::AssetRow, relationships::rows::named,
    sales::earnings,
};

/// What was earned, and what may be asked for of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub earnings: Earnings,
    pub facts: Facts,
}

#[derive(sqlx::FromRow)]
struct Row {
    status: String,
    require_verification: bool,
    verification: Option<String>,
    min_payout: Option<i64>,
    open: i64,
    unpaid: i64,
    payout_assets: Json<Vec<AssetRow>>,
    address_since: Option<Timestamp>,
}

/// What decides whether a relationship may be paid to this address of this network; none if the merchant
/// has none such.
pub(super) async fn facts(
    connection: &mut PgConnection,
    (merchant, relationship): Of,
    (available, now): (Money, Timestamp),
    to: Option<(&str, &str)>,
) -> Result<Option<Facts>, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT r.status, p.require_verification, v.status AS verification, p.min_payout,
           (SELECT COUNT(*) FROM payouts AS y WHERE y.relationship_id = r.relationship_id
            AND y.status IN ('PENDING', 'APPROVED')) AS open,
           (SELECT COUNT(*) FROM payouts AS y WHERE y.relationship_id = r.relationship_id
            AND y.status IN ('REJECTED', 'CANCELLED') AND y.created_at > $5) AS unpaid,
           p.payout_assets,
           (SELECT a.created_at FROM payout_addresses AS a
            WHERE a.relationship_id = r.relationship_id AND a.network = $3 AND a.address = $4)
             AS address_since
         FROM relationships AS r
         JOIN programs AS p ON p.merchant_id = r.merchant_id
         LEFT JOIN verifications AS v ON v.relationship_id = r.relationship_id
         WHERE r.merchant_id = $1 AND r.relationship_id = $2",
    )
    .bind(merchant.uuid())
    .bind(relationship.uuid())
    .bind(to.map(|(network, _)| network))
    .bind(to.map(|(_, address)| address))
    .bind(now - TimeDelta::days(1))
    .fetch_optional(connection)
    .await?;
    row.map(|row| row.facts(available)).transpose()
}

/// The same for whoever reads what may be asked for.
pub async fn standing(
    db: &Database,
    (merchant, relationship): (MerchantId, RelationshipId),
    now: Timestamp,
) -> Result<Option<Standing>, Error> {
    let earnings = earnings::find(db, (merchant, relationship)).await?;
    let db = db.clone();
    owned(async move {
        let mut connection = db.report().await?;
        let of = (merchant, relationship);
        let facts = facts(&mut connection, of, (earnings.available(), now), None).await?;
        Ok(facts.map(|facts| Standing { earnings, facts }))
    })
    .await
}

impl Row {
    fn facts(self, available: Money) -> Result<Facts, Error> {
        let verification = match self.verification.as_deref() {
            None => VerificationStatus::Unverified,
            Some(name) => named(VerificationStatus::parse(name), "verifications.status")?,
        };
        let Json(assets) = self.payout_assets;
        Ok(Facts {
            status: named(Status::parse(&self.status), "relationships.status")?,
            require_verification: self.require_verification,
            verification,
            min: price(self.min_payout)?.unwrap_or_default(),
            available,
            open: u32::try_from(self.open).unwrap_or(u32::MAX),
            unpaid: u32::try_from(self.unpaid).unwrap_or(u32::MAX),
            offered: assets.into_iter().map(PayoutAsset::from).collect(),
            address_since: self.address_since,
        })
    }
}
