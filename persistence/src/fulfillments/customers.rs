//! Which orders went to an address: a digest of each, written behind the lanes.
//!
//! What a lane has just committed comes from its tail ([`Tails`](crate::journal::Tails)), the rest from its rows.
//!
//! Keeps: a lane's cursor moves in the transaction that stores what lies below it, and from where it was read,
//! so whoever races stores the same once and skips nothing.

use engine::{
    ids::{BalanceId, MerchantId},
    vault::Sealed,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Database, Error,
    balances::whose,
    journal::{Entry, Stretch},
    owned,
};

/// Orders of one lane that are not stored by their customers yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    lane: i16,
    from: i64,
    through: i64,
    pub orders: Vec<Order>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub merchant: MerchantId,
    pub balance: BalanceId,
    pub version: i64,
    pub email: Sealed,
}

/// An order with the digest of its customer's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digested {
    pub merchant: MerchantId,
    pub balance: BalanceId,
    pub version: i64,
    pub digest: [u8; 16],
}

/// The next orders of each lane that has any, of at most `batches` batches. While all of them are handed over,
/// nothing is read: whether the cursors are where they were left, [`store`] sees.
pub async fn unread(db: &Database, batches: u32) -> Result<Vec<Unread>, Error> {
    let db = db.clone();
    owned(async move {
        let tail = &db.tails().customers;
        if let Some(stretches) = tail.follow(batches) {
            return handed_over(&db, stretches).await;
        }
        let mut connection = db.behind().await?;
        let lanes: Vec<(i16, i64, i64)> = sqlx::query_as(
            "SELECT l.lane, COALESCE(c.seq, 0), l.seq FROM lanes AS l
             LEFT JOIN customer_cursors AS c ON c.lane = l.lane
             WHERE l.seq > COALESCE(c.seq, 0) ORDER BY l.lane",
        )
        .fetch_all(&mut *connection)
        .await?;
        let (mut stretches, mut unread) = (Vec::new(), Vec::new());
        for (lane, from, to) in lanes {
            let through = to.min(from + i64::from(batches));
            let batches_handed = tail.take(lane, from, through);
            if batches_handed.is_empty() {
                unread.push(next(&mut connection, (lane, batches), from).await?);
            } else {
                stretches.push(Stretch {
                    lane,
                    from,
                    batches: batches_handed,
                });
            }
        }
        drop(connection);
        if !unread.is_empty() {
            // While one lane has rows to read, the others must not keep anybody from reading them.
            tail.lost();
        }
        unread.extend(handed_over(&db, stretches).await?);
        Ok(unread)
    })
    .await
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    merchant_id: Option<Uuid>,
    balance_id: Option<i64>,
    version: Option<i64>,
    email_sealed: Option<Vec<u8>>,
}

async fn next(
    connection: &mut PgConnection,
    (lane, batches): (i16, u32),
    from: i64,
) -> Result<Unread, Error> {
    let rows: Vec<Row> = sqlx::query_as(include_str!("customers.sql"))
        .bind(lane)
        .bind(from)
        .bind(i64::from(batches))
        .fetch_all(connection)
        .await?;
    let through = rows.iter().map(|row| row.seq).max().unwrap_or(from);
    let orders = rows.into_iter().filter_map(|row| {
        Some(Order {
            merchant: MerchantId::from_uuid(row.merchant_id?),
            balance: BalanceId(row.balance_id?),
            version: row.version?,
            email: Sealed::from_bytes(row.email_sealed?),
        })
    });
    Ok(Unread {
        lane,
        from,
        through,
        orders: orders.collect(),
    })
}

/// What lanes have just committed, without reading it back.
async fn handed_over(db: &Database, stretches: Vec<Stretch>) -> Result<Vec<Unread>, Error> {
    let sent = stretches.iter().flat_map(Stretch::sent);
    let whose = whose(db, sent.map(|entry| entry.balance)).await?;
    let order = |entry: &Entry| {
        Some(Order {
            merchant: whose.get(&entry.balance)?.merchant,
            balance: entry.balance,
            version: entry.version,
            email: entry.email.clone()?,
        })
    };
    let unread = stretches.iter().map(|stretch| Unread {
        lane: stretch.lane,
        from: stretch.from,
        through: stretch.through(),
        orders: stretch.sent().filter_map(order).collect(),
    });
    Ok(unread.collect())
}

/// Stores what was read of a lane; false if somebody else did.
pub async fn store(db: &Database, of: &Unread, digested: Vec<Digested>) -> Result<bool, Error> {
    let (db, lane, from, through) = (db.clone(), of.lane, of.from, of.through);
    owned(async move {
        let merchants: Vec<Uuid> = digested.iter().map(|one| one.merchant.uuid()).collect();
        let digests: Vec<&[u8]> = digested.iter().map(|one| &one.digest[..]).collect();
        let balances: Vec<i64> = digested.iter().map(|one| one.balance.0).collect();
        let versions: Vec<i64> = digested.iter().map(|one| one.version).collect();
        let stored: Result<Option<i16>, _> =
            sqlx::query_scalar(include_str!("customers_store.sql"))
                .bind(lane)
                .bind(from)
                .bind(through)
                .bind(merchants)
                .bind(digests)
                .bind(balances)
                .bind(versions)
                .fetch_optional(&mut *db.behind().await?)
                .await;
        if !matches!(stored, Ok(Some(_))) {
            db.tails().customers.lost();
        }
        Ok(stored?.is_some())
    })
    .await
}
