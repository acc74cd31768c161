//! How fast a balance is being spent.
//!
//! Keeps: the cost does not grow with the number of fulfillments. What was spent is what the balance
//! was, plus what was added, less what it is; and what was added are few rows of the reference key.

use chrono::TimeDelta;
use engine::{
    balances::EntryKind, clock::Timestamp, ids::BalanceId, money::Money,
    relationships::RelationshipScope,
};
use sqlx::PgConnection;

use super::ledger::version_before;
use crate::{Database, Error, fulfillments::rows::money, owned};

/// What fulfillments cost before now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spend {
    pub last_24h: Money,
    pub last_7d: Money,
}

/// Every kind but the fulfillment.
const OTHER_KINDS: [EntryKind; 7] = [
    EntryKind::TopUp,
    EntryKind::Credit,
    EntryKind::Refund,
    EntryKind::Debit,
    EntryKind::TopUpReversal,
    EntryKind::StockRefund,
    EntryKind::DebtSettlement,
];

/// What was spent in the 24 hours and the 7 days before `now`.
pub async fn spend(
    db: &Database,
    scope: RelationshipScope,
    now: Timestamp,
) -> Result<Spend, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.report().await?;
        Ok(Spend {
            last_24h: since(&mut connection, scope.balance, now - TimeDelta::hours(24)).await?,
            last_7d: since(&mut connection, scope.balance, now - TimeDelta::days(7)).await?,
        })
    })
    .await
}

async fn since(
    connection: &mut PgConnection,
    balance: BalanceId,
    time: Timestamp,
) -> Result<Money, Error> {
    let before = version_before(connection, balance, time).await?;
    let kinds: Vec<_> = OTHER_KINDS.iter().map(|kind| kind.number()).collect();
    let spent: i64 = sqlx::query_scalar(
        "WITH last AS (SELECT version, balance_after FROM ledger_entries
                       WHERE balance_id = $1 ORDER BY version DESC LIMIT 1),
              first AS (SELECT balance_after FROM ledger_entries
                        WHERE balance_id = $1 AND version = $2),
              added AS (SELECT SUM(e.amount)::bigint AS amount FROM ledger_entries AS e, last
                        WHERE e.balance_id = $1 AND e.kind = ANY ($3)
                          AND e.version > $2 AND e.version <= last.version)
         SELECT COALESCE((SELECT balance_after FROM first), 0)
              + COALESCE((SELECT amount FROM added), 0)
              - COALESCE((SELECT balance_after FROM last), 0)",
    )
    .bind(balance.0)
    .bind(before)
    .bind(kinds)
    .fetch_one(connection)
    .await?;
    money(spent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_counted_as_spent_or_added() {
        let known: Vec<_> = (i16::MIN..=i16::MAX)
            .filter_map(EntryKind::from_number)
            .collect();
        // A stock purchase is stored as a fulfillment.
        let spent = [EntryKind::Fulfillment, EntryKind::StockPurchase];
        let mut counted = [spent.as_slice(), &OTHER_KINDS].concat();
        counted.sort_by_key(|kind| kind.number());
        assert_eq!(known, counted);
    }
}
