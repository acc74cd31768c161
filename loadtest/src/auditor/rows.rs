//! The final rows of a database, read in one snapshot.
//!
//! Keeps: nothing is left out: an error on the way is an error, never fewer rows.

use std::{collections::HashMap, time::Duration};

use ::auditor::{
    Account, Balance, Batch, Claim, ClaimKind, Entry, EntryKind, Events, Feed, Id, Import, KeyCap,
    Lane, Limits, Product, Serial, Sku, Span, Store, Withdrawal,
};
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use sqlx::{
    ConnectOptions as _, PgConnection, Row as _, postgres::PgConnectOptions, postgres::PgRow,
};
use uuid::Uuid;

/// Everything that is judged, and whom the keys speak for.
pub(crate) struct Rows {
    pub(crate) store: Store,
    pub(crate) keys: HashMap<Id, Account>,
}

pub(crate) async fn read(options: &PgConnectOptions) -> anyhow::Result<Rows> {
    let mut connection = options.connect().await?;
    let at_rest = told(&mut connection).await?;
    snapshot(&mut connection).await?;
    let mut store = Store {
        events: Some(events(&mut connection, at_rest).await?),
        ..Store::default()
    };
    trade(&mut connection, &mut store).await?;
    money(&mut connection, &mut store).await?;
    lanes(&mut connection, &mut store).await?;
    stock(&mut connection, &mut store).await?;
    let keys = all(
        &mut connection,
        "SELECT key_id, relationship_id, test FROM api_keys WHERE relationship_id IS NOT NULL",
        |row| {
            let account = Account {
                relationship: id(row, 1)?,
                test: row.try_get(2)?,
            };
            Ok((id(row, 0)?, account))
        },
    )
    .await?;
    Ok(Rows {
        store,
        keys: keys.into_iter().collect(),
    })
}

/// The last version of each balance.
pub(crate) async fn versions(options: &PgConnectOptions) -> anyhow::Result<HashMap<i64, i64>> {
    let mut connection = options.connect().await?;
    let sql = "SELECT balance_id, max(version) FROM ledger_entries GROUP BY balance_id";
    let rows = all(&mut connection, sql, |row| {
        Ok((row.try_get(0)?, row.try_get(1)?))
    });
    Ok(rows.await?.into_iter().collect())
}

/// Waits a while until every batch is in the feeds; whether it is.
async fn told(connection: &mut PgConnection) -> anyhow::Result<bool> {
    const LOOKS_MAX: u32 = 150;
    const LOOK_EVERY: Duration = Duration::from_millis(100);
    let sql = "SELECT NOT EXISTS (
                 SELECT FROM lanes AS l LEFT JOIN event_cursors AS c ON c.lane = l.lane
                 WHERE l.seq > COALESCE(c.seq, 0))";
    for _ in 0..LOOKS_MAX {
        if sqlx::query_scalar(sql).fetch_one(&mut *connection).await? {
            return Ok(true);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(false)
}

async fn events(connection: &mut PgConnection, at_rest: bool) -> anyhow::Result<Events> {
    let sql = "SELECT feed_id, merchant_id, relationship_id, test, seq, balance_id, told FROM event_feeds";
    let feeds = all(connection, sql, |row| {
        let relationship: Option<Uuid> = row.try_get(2)?;
        let balance: Option<i64> = row.try_get(5)?;
        Ok(Feed {
            feed: row.try_get(0)?,
            merchant: id(row, 1)?,
            relationship: relationship.map(of_uuid),
            test: row.try_get(3)?,
            seq: row.try_get(4)?,
            told: balance.zip(row.try_get(6)?),
        })
    })
    .await?;
    let sql = "SELECT feed_id, first_seq, last_seq, balance_ids, versions FROM event_spans";
    let spans = all(connection, sql, |row| {
        let balances: Option<Vec<i64>> = row.try_get(3)?;
        let versions: Option<Vec<i64>> = row.try_get(4)?;
        let entries = balances.zip(versions);
        Ok(Span {
            feed: row.try_get(0)?,
            first: row.try_get(1)?,
            last: row.try_get(2)?,
            entries: entries
                .map(|(balances, versions)| balances.into_iter().zip(versions).collect()),
        })
    })
    .await?;
    let sql = "SELECT lane::integer, seq FROM event_cursors";
    let cursors = all(connection, sql, |row| {
        Ok((row.try_get(0)?, row.try_get(1)?))
    })
    .await?;
    Ok(Events {
        feeds,
        spans,
        cursors,
        at_rest,
    })
}

async fn snapshot(connection: &mut PgConnection) -> anyhow::Result<()> {
    let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
    sqlx::raw_sql(sql).execute(connection).await?;
    Ok(())
}

async fn trade(connection: &mut PgConnection, store: &mut Store) -> anyhow::Result<()> {
    let sql = "SELECT balance_id, relationship_id, merchant_id, test FROM balances";
    store.balances = all(connection, sql, |row| {
        Ok(Balance {
            balance: row.try_get(0)?,
            relationship: id(row, 1)?,
            merchant: id(row, 2)?,
            test: row.try_get(3)?,
        })
    })
    .await?;
    let sql = "SELECT product_id, merchant_id FROM products";
    store.products = all(connection, sql, |row| {
        Ok(Product {
            product: id(row, 0)?,
            merchant: id(row, 1)?,
        })
    })
    .await?;
    let sql = "SELECT relationship_id, purchase_limit_daily, purchase_limit_monthly
               FROM relationships";
    store.limits = all(connection, sql, |row| {
        Ok(Limits {
            relationship: id(row, 0)?,
            daily: row.try_get(1)?,
            monthly: row.try_get(2)?,
        })
    })
    .await?;
    let sql = "SELECT key_id, daily_spend_cap FROM api_keys WHERE daily_spend_cap IS NOT NULL";
    store.key_caps = all(connection, sql, |row| {
        Ok(KeyCap {
            key: id(row, 0)?,
            daily: row.try_get(1)?,
        })
    })
    .await?;
    Ok(())
}

async fn money(connection: &mut PgConnection, store: &mut Store) -> anyhow::Result<()> {
    let sql = "SELECT balance_id, version, kind, id, amount, balance_after, created_at, key_id,
                 reference, serial_ids
               FROM ledger_entries";
    store.entries = all(connection, sql, |row| {
        let created_at: DateTime<Utc> = row.try_get(6)?;
        let key: Option<Uuid> = row.try_get(7)?;
        let reference: String = row.try_get(8)?;
        let serials: Option<Vec<Uuid>> = row.try_get(9)?;
        Ok(Entry {
            balance: row.try_get(0)?,
            version: row.try_get(1)?,
            kind: entry_kind(row.try_get(2)?)?,
            id: id(row, 3)?,
            amount: row.try_get(4)?,
            balance_after: row.try_get(5)?,
            created_at: created_at.timestamp_micros(),
            key: key.map(of_uuid),
            reference: reference.into(),
            serials: serials
                .unwrap_or_default()
                .into_iter()
                .map(of_uuid)
                .collect(),
        })
    })
    .await?;
    let sql = "SELECT serial_id, kind, line, unit_price, price_version, balance_id, version
               FROM serial_claims";
    store.claims = all(connection, sql, |row| {
        Ok(Claim {
            serial: id(row, 0)?,
            kind: claim_kind(row.try_get(1)?)?,
            line: row.try_get(2)?,
            unit_price: row.try_get(3)?,
            price_version: row.try_get(4)?,
            balance: row.try_get(5)?,
            version: row.try_get(6)?,
        })
    })
    .await?;
    Ok(())
}

async fn lanes(connection: &mut PgConnection, store: &mut Store) -> anyhow::Result<()> {
    let sql = "SELECT lane::integer, fence, seq FROM lanes";
    store.lanes = all(connection, sql, |row| {
        Ok(Lane {
            lane: row.try_get(0)?,
            fence: row.try_get(1)?,
            seq: row.try_get(2)?,
        })
    })
    .await?;
    let sql = "SELECT lane::integer, seq, fence, balance_ids, versions FROM batches";
    store.batches = all(connection, sql, |row| {
        let balances: Vec<i64> = row.try_get(3)?;
        let versions: Vec<i64> = row.try_get(4)?;
        anyhow::ensure!(
            balances.len() == versions.len(),
            "a batch lists balances without versions"
        );
        Ok(Batch {
            lane: row.try_get(0)?,
            seq: row.try_get(1)?,
            fence: row.try_get(2)?,
            entries: balances.into_iter().zip(versions).collect(),
        })
    })
    .await?;
    Ok(())
}

async fn stock(connection: &mut PgConnection, store: &mut Store) -> anyhow::Result<()> {
    let sql =
        "SELECT import_id, merchant_id, product_id, variant_id, number, serials, low_ordinal, test
               FROM imports";
    store.imports = all(connection, sql, |row| {
        let variant: Option<Uuid> = row.try_get(3)?;
        let serials: i32 = row.try_get(5)?;
        let low_ordinal: i64 = row.try_get(6)?;
        Ok(Import {
            import: id(row, 0)?,
            merchant: id(row, 1)?,
            sku: Sku {
                product: id(row, 2)?,
                variant: variant.map(of_uuid),
            },
            number: row.try_get(4)?,
            test: row.try_get(7)?,
            serials: u32::try_from(serials)?,
            // An import that is spent has its mark beyond every ordinal.
            low_ordinal: u32::try_from(low_ordinal).unwrap_or(u32::MAX),
        })
    })
    .await?;
    let sql = "SELECT withdrawal_id, merchant_id, product_id, variant_id, kind, serial_ids
               FROM withdrawals";
    store.withdrawals = all(connection, sql, |row| {
        let variant: Option<Uuid> = row.try_get(3)?;
        let serials: Vec<Uuid> = row.try_get(5)?;
        Ok(Withdrawal {
            withdrawal: id(row, 0)?,
            merchant: id(row, 1)?,
            sku: Sku {
                product: id(row, 2)?,
                variant: variant.map(of_uuid),
            },
            kind: claim_kind(row.try_get(4)?)?,
            serials: serials.into_iter().map(of_uuid).collect(),
        })
    })
    .await?;
    let sql = "SELECT serial_id, merchant_id, fingerprint, removed_at IS NOT NULL FROM serials";
    store.serials = all(connection, sql, |row| {
        let fingerprint: &[u8] = row.try_get(2)?;
        let bits = fingerprint.iter().take(16);
        Ok(Serial {
            serial: id(row, 0)?,
            merchant: id(row, 1)?,
            fingerprint: Id(bits.fold(0, |bits, byte| bits << 8 | u128::from(*byte))),
            removed: row.try_get(3)?,
        })
    })
    .await?;
    Ok(())
}

async fn all<T>(
    connection: &mut PgConnection,
    sql: &'static str,
    read: impl Fn(&PgRow) -> anyhow::Result<T>,
) -> anyhow::Result<Vec<T>> {
    let mut found = Vec::new();
    let mut rows = sqlx::query(sql).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        found.push(read(&row)?);
    }
    Ok(found)
}

fn id(row: &PgRow, column: usize) -> anyhow::Result<Id> {
    Ok(of_uuid(row.try_get(column)?))
}

const fn of_uuid(uuid: Uuid) -> Id {
    Id(uuid.as_u128())
}

fn entry_kind(kind: i16) -> anyhow::Result<EntryKind> {
    match kind {
        1 => Ok(EntryKind::Fulfillment),
        2 => Ok(EntryKind::TopUp),
        3 => Ok(EntryKind::Credit),
        4 => Ok(EntryKind::Refund),
        5 => Ok(EntryKind::Debit),
        6 => Ok(EntryKind::TopUpReversal),
        7 => Ok(EntryKind::StockRefund),
        9 => Ok(EntryKind::DebtSettlement),
        other => anyhow::bail!("an entry of kind {other}"),
    }
}

fn claim_kind(kind: i16) -> anyhow::Result<ClaimKind> {
    match kind {
        1 => Ok(ClaimKind::Fulfillment),
        2 => Ok(ClaimKind::Quarantine),
        3 => Ok(ClaimKind::Removal),
        4 => Ok(ClaimKind::Pull),
        5 => Ok(ClaimKind::Replacement),
        6 => Ok(ClaimKind::Stock),
        7 => Ok(ClaimKind::Sale),
        other => anyhow::bail!("a claim of kind {other}"),
    }
}
