//! What an invited person reads before joining.

use engine::{
    audit::Digest,
    invitations::Invitation,
    money::{Currency, Money, Percent},
    relationships::Mode,
};

use super::rows::{Row, select_invitation};
use crate::{
    Database, Error,
    catalog::source::price,
    owned,
    relationships::rows::{named, percent},
};

/// An offer with its terms, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub invitation: Invitation,
    pub merchant_name: String,
    pub storefront_url: Option<String>,
    pub currency: Currency,
    /// What the merchant wrote with it.
    pub message: Option<String>,
    pub mode: Mode,
    /// The reseller's own, else the program's.
    pub commission: Option<Percent>,
    pub discount: Option<Percent>,
    pub purchase_limit_daily: Option<Money>,
    pub purchase_limit_monthly: Option<Money>,
    pub terms_url: Option<String>,
}

#[derive(sqlx::FromRow)]
struct OfferRow {
    merchant_name: String,
    storefront_url: Option<String>,
    currency: String,
    message: Option<String>,
    mode: String,
    commission: Option<i32>,
    discount: Option<i32>,
    purchase_limit_daily: Option<i64>,
    purchase_limit_monthly: Option<i64>,
    terms_url: Option<String>,
}

/// The offer that the link with this token opens.
pub async fn find(db: &Database, token: Digest) -> Result<Option<Offer>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.report().await?;
        let row: Option<Row> = sqlx::query_as(select_invitation!("WHERE i.token_digest = $1"))
            .bind(&token[..])
            .fetch_optional(&mut *connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let invitation = Invitation::try_from(row)?;
        let terms: OfferRow = sqlx::query_as(
            "SELECT m.name AS merchant_name, m.storefront_url, m.currency, i.message, r.mode,
               COALESCE(r.commission_percent, p.commission_percent) AS commission,
               COALESCE(r.wholesale_discount_percent, p.wholesale_discount_percent) AS discount,
               r.purchase_limit_daily, r.purchase_limit_monthly, p.terms_url
             FROM invitations AS i
             JOIN relationships AS r ON r.relationship_id = i.relationship_id
             JOIN merchants AS m ON m.merchant_id = i.merchant_id
             JOIN programs AS p ON p.merchant_id = i.merchant_id
             WHERE i.invitation_id = $1",
        )
        .bind(invitation.id.uuid())
        .fetch_one(&mut *connection)
        .await?;
        terms.offer(invitation).map(Some)
    })
    .await
}

impl OfferRow {
    fn offer(self, invitation: Invitation) -> Result<Offer, Error> {
        Ok(Offer {
            invitation,
            merchant_name: self.merchant_name,
            storefront_url: self.storefront_url,
            currency: named(Currency::parse(&self.currency), "merchants.currency")?,
            message: self.message,
            mode: named(Mode::parse(&self.mode), "relationships.mode")?,
            commission: percent(self.commission)?,
            discount: percent(self.discount)?,
            purchase_limit_daily: price(self.purchase_limit_daily)?,
            purchase_limit_monthly: price(self.purchase_limit_monthly)?,
            terms_url: self.terms_url,
        })
    }
}
