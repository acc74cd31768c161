//! The entries of a ledger, newest or oldest first.
//!
//! Keeps: a list never leaves the balance of its scope. Times are turned into versions first
//! ([`version_before`]), so every list is a range of the primary key and every statement that ends
//! where the next begins counts each entry once.

use engine::{
    balances::EntryKind,
    clock::Timestamp,
    fulfillments::OrderId,
    ids::{BalanceId, EntryId},
    money::Money,
    relationships::RelationshipScope,
};
use futures_util::stream::{self, Stream};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Database, Error,
    fulfillments::rows::money,
    owned,
    page::{self, Page},
};

/// One change of a balance, as its owner reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    pub id: EntryId,
    pub version: i64,
    pub kind: EntryKind,
    /// Negative for a debit.
    pub amount: Money,
    pub balance_after: Money,
    /// The external order id of a fulfillment, else the payment's id or the caller's reference.
    pub reference: String,
    /// What a credit was given for; none for a fulfillment.
    pub description: Option<String>,
    /// `PROMO`, `CORRECTION` and the like; none for a fulfillment.
    pub label: Option<String>,
    pub created_at: Timestamp,
}

/// Which entries to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Empty: all.
    pub kinds: Vec<EntryKind>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// Only the fulfillment that is bound to it.
    pub order_id: Option<OrderId>,
}

/// In which direction to list, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Newest first, below this version or from the last entry.
    Below(Option<i64>),
    /// Oldest first, above this version.
    Above(i64),
}

/// One page of the ledger.
pub async fn list(
    db: &Database,
    scope: RelationshipScope,
    filter: Filter,
    start: Start,
    limit: u32,
) -> Result<Page<LedgerEntry>, Error> {
    let db = db.clone();
    owned(async move {
        let mut connection = db.scoped(scope.into()).await?;
        let (above, up_to) = range(&mut connection, scope.balance, &filter, start).await?;
        let sql = match (&filter.order_id, start) {
            (Some(_), _) => ONE,
            (None, Start::Below(_)) => NEWEST_FIRST,
            (None, Start::Above(_)) => OLDEST_FIRST,
        };
        let kinds: Vec<_> = filter.kinds.iter().map(|kind| kind.number()).collect();
        let found: Vec<Row> = sqlx::query_as(sql)
            .bind(scope.balance.0)
            .bind(above)
            .bind(up_to)
            .bind((!kinds.is_empty()).then_some(kinds))
            .bind(page::asked(limit))
            .bind(filter.order_id.as_ref().map(OrderId::as_str))
            .fetch_all(&mut *connection)
            .await?;
        Page::cut(found, limit).try_map(LedgerEntry::try_from)
    })
    .await
}

/// Every entry that the filter lets pass, newest first, for an export. Reads page by page, so a slow
/// reader holds no connection.
pub fn rows(
    db: Database,
    scope: RelationshipScope,
    filter: Filter,
) -> impl Stream<Item = Result<LedgerEntry, Error>> + Send {
    const ROWS: u32 = 1000;
    let pages = stream::try_unfold(Some(Start::Below(None)), move |start| {
        let (db, filter) = (db.clone(), filter.clone());
        async move {
            let Some(start) = start else {
                return Ok::<_, Error>(None);
            };
            let page = list(&db, scope, filter, start, ROWS).await?;
            let last = page.items.last().map(|entry| entry.version);
            let next = last
                .filter(|_| page.has_more)
                .map(|last| Start::Below(Some(last)));
            Ok(Some((stream::iter(page.items.into_iter().map(Ok)), next)))
        }
    });
    futures_util::TryStreamExt::try_flatten(pages)
}

macro_rules! entries {
    ($rest:literal) => {
        concat!(
            "SELECT version, id, CASE WHEN kind = 1 AND channel = 7 THEN 8 ELSE kind END::smallint AS kind,
               amount, balance_after, reference, created_at,
               CASE WHEN kind <> 1 THEN details ->> 'description' END AS description,
               CASE WHEN kind <> 1 THEN details ->> 'label' END AS label
             FROM ledger_entries
             WHERE balance_id = $1 AND version > $2 AND version <= $3
               AND ($4::smallint[] IS NULL
                 OR CASE WHEN kind = 1 AND channel = 7 THEN 8 ELSE kind END = ANY ($4)) ",
            $rest
        )
    };
}

const NEWEST_FIRST: &str =
    entries!("AND $6::text IS NULL ORDER BY balance_id DESC, version DESC LIMIT $5");
const OLDEST_FIRST: &str = entries!("AND $6::text IS NULL ORDER BY balance_id, version LIMIT $5");
const ONE: &str = entries!("AND kind = 1 AND reference = $6 LIMIT $5");

/// The versions to list: above the first, up to the second.
async fn range(
    connection: &mut PgConnection,
    balance: BalanceId,
    filter: &Filter,
    start: Start,
) -> Result<(i64, i64), sqlx::Error> {
    let mut above = match filter.from {
        Some(from) => version_before(connection, balance, from).await?,
        None => 0,
    };
    let mut up_to = match filter.to {
        Some(to) => version_before(connection, balance, to).await?,
        None => i64::MAX,
    };
    match start {
        Start::Below(Some(version)) => up_to = up_to.min(version - 1),
        Start::Below(None) => {}
        Start::Above(version) => above = above.max(version),
    }
    Ok((above, up_to))
}

/// The version of the last entry before a time, or 0.
///
/// Versions have no gaps and their times rise, so the answer is found by 40 look-ups of the primary
/// key instead of an index by time, which every commit would have to pay for. The look-ups are at
/// versions that do not depend on the last one: should a clock have been set back, the answer for a
/// time that has passed still never changes.
pub(crate) async fn version_before(
    connection: &mut PgConnection,
    balance: BalanceId,
    time: Timestamp,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "WITH RECURSIVE step (bit, version) AS (
           SELECT 40, 0::bigint
           UNION ALL
           SELECT s.bit - 1, s.version + CASE WHEN EXISTS (
               SELECT FROM ledger_entries AS e
               WHERE e.balance_id = $1 AND e.created_at < $2
                 AND e.version = s.version + (1::bigint << (s.bit - 1))
             ) THEN 1::bigint << (s.bit - 1) ELSE 0 END
           FROM step AS s WHERE s.bit > 0
         )
         SELECT version FROM step WHERE bit = 0",
    )
    .bind(balance.0)
    .bind(time)
    .fetch_one(connection)
    .await
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    version: i64,
    id: Uuid,
    kind: i16,
    amount: i64,
    balance_after: i64,
    reference: String,
    description: Option<String>,
    label: Option<String>,
    created_at: Timestamp,
}

impl TryFrom<Row> for LedgerEntry {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: EntryId::from_uuid(row.id),
            version: row.version,
            kind: EntryKind::from_number(row.kind).ok_or(Error::Inconsistent {
                what: "the kind of an entry is not known",
            })?,
            amount: money(row.amount)?,
            balance_after: money(row.balance_after)?,
            reference: row.reference,
            description: row.description,
            label: row.label,
            created_at: row.created_at,
        })
    }
}
