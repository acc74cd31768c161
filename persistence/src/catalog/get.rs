//! What a merchant reads of its own product beyond what the engine knows.

use engine::{
    catalog::Edit,
    clock::Timestamp,
    ids::{MerchantId, ProductId},
};
use sqlx::PgConnection;

use super::source::quantity;
use crate::{Database, Error, owned};

/// The part of a product that no order is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    pub description: String,
    /// Whether resellers may list it at a price of their own.
    pub auto_fulfilled: bool,
    /// At so many serials or fewer, stock is low.
    pub low_stock_threshold: Option<u32>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What is to be different of it; what is not named stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AboutChange {
    pub description: Option<String>,
    pub auto_fulfilled: Option<bool>,
    pub low_stock_threshold: Edit<u32>,
}

impl About {
    /// That of a product that is being made.
    pub fn new(change: AboutChange, now: Timestamp) -> Self {
        let about = Self {
            description: String::new(),
            auto_fulfilled: false,
            low_stock_threshold: None,
            created_at: now,
            updated_at: now,
        };
        about.changed(change, now)
    }

    pub(super) fn changed(mut self, change: AboutChange, now: Timestamp) -> Self {
        if let Some(description) = change.description {
            self.description = description;
        }
        if let Some(auto_fulfilled) = change.auto_fulfilled {
            self.auto_fulfilled = auto_fulfilled;
        }
        change
            .low_stock_threshold
            .apply(&mut self.low_stock_threshold);
        self.updated_at = now;
        self
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct AboutRow {
    description: String,
    auto_fulfilled: bool,
    low_stock_threshold: Option<i32>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<AboutRow> for About {
    type Error = Error;

    fn try_from(row: AboutRow) -> Result<Self, Error> {
        Ok(Self {
            description: row.description,
            auto_fulfilled: row.auto_fulfilled,
            low_stock_threshold: quantity(row.low_stock_threshold)?,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// That of a product of this merchant, archived or not.
pub async fn about(
    db: &Database,
    merchant: MerchantId,
    id: ProductId,
) -> Result<Option<About>, Error> {
    let db = db.clone();
    owned(async move { find(&mut *db.read().await?, merchant, id).await }).await
}

pub(super) async fn find(
    connection: &mut PgConnection,
    merchant: MerchantId,
    id: ProductId,
) -> Result<Option<About>, Error> {
    let row: Option<AboutRow> = sqlx::query_as(
        "SELECT description, auto_fulfilled, low_stock_threshold, created_at, updated_at
         FROM products WHERE merchant_id = $1 AND product_id = $2",
    )
    .bind(merchant.uuid())
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(About::try_from).transpose()
}
