//! Balances that somebody set something about, as a look at them needs them; and that one was found low.
//!
//! Keeps: a look costs a few rows of a key for each balance that has settings, none for any other.

use engine::{
    clock::Timestamp,
    events::{BalanceLow, Fact},
    ids::{BalanceId, MerchantId, RelationshipId},
    money::Money,
    notifications::Group,
    relationships::RelationshipScope,
    top_ups::{Alert, Automatic},
    vault::Vault,
};
use uuid::Uuid;

use super::settings;
use crate::{
    Database, Error, database::commit, error::at_most_one, events::outbox,
    fulfillments::rows::money, mail::Post, notifications, owned,
};

/// Which balances to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Of these relationships, as far as they have settings.
    Of(Vec<RelationshipId>),
    /// All with settings, a page after this one.
    After(Option<RelationshipId>),
}

/// A balance with what was set about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    pub scope: RelationshipScope,
    pub balance: Money,
    pub alert: Alert,
    /// That it is low was told.
    pub told: bool,
    /// If the balance is below its threshold.
    pub automatic: Option<Automatic>,
}

/// At most so many of them, in the order of their relationships.
pub async fn watched(db: &Database, which: Which, limit: u32) -> Result<Vec<Watched>, Error> {
    let db = db.clone();
    owned(async move {
        let (of, after) = match which {
            Which::Of(ids) => (
                Some(ids.into_iter().map(RelationshipId::uuid).collect()),
                None,
            ),
            Which::After(id) => (None::<Vec<Uuid>>, id.map(RelationshipId::uuid)),
        };
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT s.merchant_id, s.relationship_id, b.balance_id, s.low_threshold, s.low_hours,
               s.low_told, s.auto_enabled, s.auto_threshold, s.auto_amount, s.auto_coin,
               s.auto_paused, last.balance_after
             FROM balance_settings AS s
             JOIN balances AS b ON b.relationship_id = s.relationship_id AND NOT b.test
             LEFT JOIN LATERAL (
               SELECT e.balance_after FROM ledger_entries AS e
               WHERE e.balance_id = b.balance_id ORDER BY e.version DESC LIMIT 1
             ) AS last ON true
             WHERE ($1::uuid[] IS NULL OR s.relationship_id = ANY ($1))
               AND ($2::uuid IS NULL OR s.relationship_id > $2)
             ORDER BY s.relationship_id LIMIT $3",
        )
        .bind(of)
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&mut *db.report().await?)
        .await?;
        rows.into_iter().map(Watched::try_from).collect()
    })
    .await
}

/// That a balance is low, and the mail that says so.
pub struct Low {
    pub hours_left: Option<i64>,
    pub post: Option<Post>,
}

/// Notes that a balance is low, or is so no more, and tells the first; false if that was noted before.
pub async fn note_low(
    db: &Database,
    vault: &Vault,
    watched: &Watched,
    low: Option<Low>,
    now: Timestamp,
) -> Result<bool, Error> {
    let (db, vault, watched) = (db.clone(), vault.clone(), watched.clone());
    owned(async move {
        let scope = watched.scope;
        let mut tx = db.begin().await?;
        let noted = sqlx::query(
            "UPDATE balance_settings SET low_told = $2
             WHERE relationship_id = $1 AND low_told = NOT $2",
        )
        .bind(scope.relationship.uuid())
        .bind(low.is_some())
        .execute(&mut *tx)
        .await?;
        if !at_most_one(&noted, "the settings of a balance")? {
            return Ok(false);
        }
        if let Some(Low { hours_left, post }) = low {
            let fact = Fact::BalanceLow(BalanceLow {
                relationship: scope.relationship.uuid(),
                balance: watched.balance.minor(),
                threshold: watched.alert.threshold.map(Money::minor),
                hours_left,
            });
            let of = (scope.merchant, Some(scope.relationship));
            outbox::tell(&mut tx, of, &fact, now).await?;
            if let Some(post) = &post {
                let about = (scope.relationship, Group::Balance, "balance-low");
                notifications::tell(&mut tx, &vault, about, post, now).await?;
            }
        }
        commit(tx).await?;
        Ok(true)
    })
    .await
}

#[derive(sqlx::FromRow)]
struct Row {
    merchant_id: Uuid,
    relationship_id: Uuid,
    balance_id: i64,
    low_threshold: Option<i64>,
    low_hours: Option<i32>,
    low_told: bool,
    auto_enabled: bool,
    auto_threshold: Option<i64>,
    auto_amount: Option<i64>,
    auto_coin: Option<String>,
    auto_paused: bool,
    balance_after: Option<i64>,
}

impl TryFrom<Row> for Watched {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let balance = money(row.balance_after.unwrap_or_default())?;
        let amounts = (row.auto_threshold, row.auto_amount);
        let enabled = row.auto_enabled && !row.auto_paused;
        let automatic = settings::automatic(enabled, amounts, row.auto_coin)?;
        Ok(Self {
            scope: RelationshipScope {
                merchant: MerchantId::from_uuid(row.merchant_id),
                relationship: RelationshipId::from_uuid(row.relationship_id),
                balance: BalanceId(row.balance_id),
                test: false,
            },
            balance,
            alert: settings::alert(row.low_threshold, row.low_hours)?,
            told: row.low_told,
            automatic: automatic.filter(|set| set.enabled && balance < set.threshold),
        })
    }
}
