//! What resellers sold, earned and bought over a time, in sums.
//!
//! Keeps: every figure is the sum of rows, read in one statement; nothing is counted by hand.

use chrono::NaiveDate;
use engine::{
    analytics::{Interval, Period},
    ids::{MerchantId, ProductId, RelationshipId},
};
use uuid::Uuid;

use crate::{Database, Error, owned};

/// Sums over some facts; amounts in minor units, because a sum may be more than a balance can be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// What customers paid for attributed sales, without what they got back.
    pub revenue: i64,
    pub commission_pending: i64,
    pub commission_approved: i64,
    pub commission_reversed: i64,
    /// Payouts that were completed.
    pub paid_out: i64,
    /// Orders of shops, and their units.
    pub fulfillments: u64,
    pub units: u64,
    /// What orders and wholesale purchases from the balance cost; refunds are not taken off.
    pub wholesale_spend: i64,
    /// Serials that came into inventories.
    pub stock_assigned: u64,
    /// Serials that turned out bad.
    pub burned_units: u64,
}

/// Whose figures they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reseller {
    pub id: RelationshipId,
    pub code: String,
    pub name: String,
}

/// The figures of a time, by what they are the sum of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Analytics {
    pub totals: Figures,
    /// By first day; a part in which nothing happened is absent.
    pub series: Vec<(NaiveDate, Figures)>,
    /// Those with the largest amounts first.
    pub by_product: Vec<(ProductId, Figures)>,
    pub by_reseller: Vec<(Reseller, Figures)>,
}

#[derive(sqlx::FromRow)]
struct Row {
    /// A bit per column that the row is the sum over: part, product, relationship.
    summed: i32,
    part: Option<NaiveDate>,
    product_id: Option<Uuid>,
    relationship_id: Option<Uuid>,
    code: Option<String>,
    name: Option<String>,
    fulfillments: i64,
    units: i64,
    wholesale_spend: i64,
    revenue: i64,
    commission_pending: i64,
    commission_approved: i64,
    commission_reversed: i64,
    paid_out: i64,
    stock_assigned: i64,
    burned_units: i64,
}

const BY_PART: i32 = 0b011;
const BY_PRODUCT: i32 = 0b101;
const BY_RESELLER: i32 = 0b110;
const OVER_ALL: i32 = 0b111;

/// The figures of a merchant's resellers, or of one of them.
pub async fn figures(
    db: &Database,
    merchant: MerchantId,
    reseller: Option<RelationshipId>,
    (period, interval): (Period, Interval),
) -> Result<Analytics, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<Row> = sqlx::query_as(include_str!("figures.sql"))
            .bind(merchant.uuid())
            .bind(reseller.map(RelationshipId::uuid))
            .bind(period.from)
            .bind(period.to)
            .bind(interval.name())
            .fetch_all(&mut *db.report().await?)
            .await?;
        Ok(Analytics::of(rows))
    })
    .await
}

impl Analytics {
    fn of(rows: Vec<Row>) -> Self {
        let mut all = Self::default();
        for row in rows {
            let figures = row.figures();
            let reseller = row.relationship_id.zip(row.code).zip(row.name);
            match (row.summed, row.part, row.product_id, reseller) {
                (OVER_ALL, ..) => all.totals = figures,
                (BY_PART, Some(part), ..) => all.series.push((part, figures)),
                (BY_PRODUCT, _, Some(id), _) => {
                    all.by_product.push((ProductId::from_uuid(id), figures));
                }
                (BY_RESELLER, _, _, Some(((id, code), name))) => {
                    let id = RelationshipId::from_uuid(id);
                    all.by_reseller.push((Reseller { id, code, name }, figures));
                }
                // A payout is of no product.
                _ => {}
            }
        }
        all
    }
}

impl Row {
    const fn figures(&self) -> Figures {
        Figures {
            revenue: self.revenue,
            commission_pending: self.commission_pending,
            commission_approved: self.commission_approved,
            commission_reversed: self.commission_reversed,
            paid_out: self.paid_out,
            fulfillments: self.fulfillments.unsigned_abs(),
            units: self.units.unsigned_abs(),
            wholesale_spend: self.wholesale_spend,
            stock_assigned: self.stock_assigned.unsigned_abs(),
            burned_units: self.burned_units.unsigned_abs(),
        }
    }
}
