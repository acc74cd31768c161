//! Stores a cast, once.
//!
//! Keeps: all of it or nothing, in one transaction; a second call finds it and changes nothing.

use std::sync::Arc;

use engine::{
    clock::Timestamp,
    ids::{BalanceId, RelationshipId},
    merchants::Merchant,
    money::Currency,
    relationships::RelationshipScope,
    vault::Vault,
};
use sqlx::{Connection, PgConnection};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    cast::{Cast, Funding, money},
    rows,
    serials::{HEADER, Shelf, TRAILER, shelves},
};
use crate::{Database, Error, database, owned};

/// Imports that are sealed ahead of the one that is being stored.
const SEALED_AHEAD: usize = 2;
/// What a balance of test mode starts with, in cents.
const TEST_CENTS: i64 = 1_000_000;

const VACUUM: &str = "VACUUM (ANALYZE) serials, imports, products, product_access, relationships,
  balances, api_keys";

/// What a call found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seeded {
    Now,
    Before,
}

/// Stores a cast unless its merchant is there already. Its imports wait for their numbers, its
/// balances for [`fundings`].
pub async fn seed(
    db: &Database,
    vault: &Vault,
    cast: Arc<Cast>,
    now: Timestamp,
) -> Result<Seeded, Error> {
    let (db, vault) = (db.clone(), vault.clone());
    owned(async move {
        // Outside the pools: it takes longer than a pool's bounds allow.
        let unbounded = db
            .connect_options()
            .clone()
            .options([("statement_timeout", "0")]);
        let mut connection = database::connect(&unbounded).await?;
        let seeded = store(&mut connection, &vault, &cast, now).await?;
        if seeded == Seeded::Now {
            // So that the first plans are good ones, and no clean-up runs into a measurement.
            sqlx::query(VACUUM).execute(&mut connection).await?;
        }
        connection.close().await?;
        Ok(seeded)
    })
    .await
}

async fn store(
    connection: &mut PgConnection,
    vault: &Vault,
    cast: &Cast,
    now: Timestamp,
) -> Result<Seeded, Error> {
    let mut tx = database::begin_unpooled(connection).await?;
    let data_key = vault.generate_merchant_key(cast.merchant);
    if !rows::insert_merchant(&mut tx, cast, &data_key, now).await? {
        return Ok(Seeded::Before);
    }
    let key = vault
        .merchant_key(cast.merchant, &data_key)
        .expect("a key that was wrapped a moment ago unwraps");
    let merchant = Merchant {
        id: cast.merchant,
        name: cast.name.clone(),
        storefront_url: None,
        currency: Currency::USD,
        key,
        rate_limit_factor: 1,
    };
    rows::insert_products(&mut tx, cast).await?;
    rows::insert_resellers(&mut tx, cast, now).await?;
    rows::insert_links(&mut tx, cast, now).await?;
    rows::insert_access(&mut tx, cast).await?;
    rows::insert_keys(&mut tx, cast, vault, now).await?;
    let shelves = shelves(cast);
    copy_serials(&mut tx, &shelves, merchant, vault).await?;
    rows::insert_imports(&mut tx, cast, &shelves, now).await?;
    tx.commit().await?;
    Ok(Seeded::Now)
}

/// Seals on a thread of its own while Postgres stores what was sealed before.
async fn copy_serials(
    connection: &mut PgConnection,
    shelves: &[Shelf],
    merchant: Merchant,
    vault: &Vault,
) -> Result<(), Error> {
    let (sender, mut sealed) = mpsc::channel(SEALED_AHEAD);
    let (shelves, vault) = (shelves.to_vec(), vault.clone());
    tokio::task::spawn_blocking(move || {
        for shelf in shelves {
            // Nobody takes it any more: the transaction has failed.
            if sender.blocking_send(shelf.rows(&merchant, &vault)).is_err() {
                return;
            }
        }
    });
    let mut copy = connection
        .copy_in_raw(
            "COPY serials (serial_id, merchant_id, fingerprint, sealed) FROM STDIN (FORMAT binary)",
        )
        .await?;
    copy.send(HEADER).await?;
    while let Some(rows) = sealed.recv().await {
        copy.send(rows).await?;
    }
    copy.send(&TRAILER[..]).await?;
    copy.finish().await?;
    Ok(())
}

/// What the balances of a cast are still to be credited: those without any entry.
pub async fn fundings(db: &Database, cast: &Cast) -> Result<Vec<Funding>, Error> {
    let db = db.clone();
    let merchant = cast.merchant;
    let rows: Vec<(i64, Uuid, bool)> = owned(async move {
        let mut connection = db.read().await?;
        Ok::<_, Error>(
            sqlx::query_as(
                "SELECT b.balance_id, b.relationship_id, b.test FROM balances AS b
                 WHERE b.merchant_id = $1
                   AND NOT EXISTS (SELECT FROM ledger_entries AS e WHERE e.balance_id = b.balance_id)
                 ORDER BY b.balance_id",
            )
            .bind(merchant.uuid())
            .fetch_all(&mut *connection)
            .await?,
        )
    })
    .await?;
    let funding = |(balance, relationship, test): (i64, Uuid, bool)| {
        let relationship = RelationshipId::from_uuid(relationship);
        let reseller = cast
            .resellers
            .iter()
            .find(|reseller| reseller.id == relationship)?;
        Some(Funding {
            scope: RelationshipScope {
                merchant,
                relationship,
                balance: BalanceId(balance),
                test,
            },
            amount: if test {
                money(TEST_CENTS)
            } else {
                reseller.credit
            },
            reference: "demo:start",
        })
    };
    Ok(rows.into_iter().filter_map(funding).collect())
}
