//! Merchants: made, and loaded with their data keys unwrapped.

use engine::{
    audit::{Actor, Deed},
    clock::Timestamp,
    fault::Fault,
    ids::MerchantId,
    merchants::{Merchant, Source},
    money::Currency,
    vault::{Sealed, Vault},
};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Database, Error, audit,
    database::{commit, in_time},
    members::{self, NewMember},
    owned,
    relationships::rows::kept,
};

/// Merchants are spread over so many buckets.
const BUCKETS: u128 = 1024;

/// Loads merchants.
#[derive(Debug, Clone)]
pub struct PgMerchants {
    db: Database,
    vault: Vault,
}

impl PgMerchants {
    pub const fn new(db: Database, vault: Vault) -> Self {
        Self { db, vault }
    }
}

impl Source for PgMerchants {
    fn find(&self, id: MerchantId) -> BoxFuture<'_, Result<Option<Merchant>, Fault>> {
        let (db, vault) = (self.db.clone(), self.vault.clone());
        Box::pin(owned(async move {
            let found = in_time(async { find(&mut *db.read().await?, &vault, id).await });
            found
                .await
                .map_err(|error| error.into_fault("load a merchant"))
        }))
    }
}

#[derive(Debug, sqlx::FromRow)]
struct MerchantRow {
    merchant_id: Uuid,
    name: String,
    storefront_url: Option<String>,
    currency: String,
    data_key: Vec<u8>,
    rate_limit_factor: i32,
}

async fn find(
    connection: &mut PgConnection,
    vault: &Vault,
    id: MerchantId,
) -> Result<Option<Merchant>, Error> {
    let row: Option<MerchantRow> = sqlx::query_as(
        "SELECT merchant_id, name, storefront_url, currency, data_key, rate_limit_factor
         FROM merchants WHERE merchant_id = $1",
    )
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(|row| merchant(row, vault)).transpose()
}

fn merchant(row: MerchantRow, vault: &Vault) -> Result<Merchant, Error> {
    let id = MerchantId::from_uuid(row.merchant_id);
    Ok(Merchant {
        id,
        name: row.name,
        storefront_url: row.storefront_url,
        currency: Currency::parse(&row.currency).ok_or(Error::Inconsistent {
            what: "a merchant's currency is no code",
        })?,
        key: vault
            .merchant_key(id, &Sealed::from_bytes(row.data_key))
            .map_err(|_| Error::Inconsistent {
                what: "a merchant's data key does not unwrap",
            })?,
        rate_limit_factor: u32::try_from(row.rate_limit_factor).map_err(|_| {
            Error::Inconsistent {
                what: "a merchant's rate limit is negative",
            }
        })?,
    })
}

/// A tenant that is to be made.
pub struct NewMerchant {
    pub id: MerchantId,
    pub name: String,
    pub currency: Currency,
    /// Its first owner.
    pub owner: NewMember,
}

/// Makes a merchant with its owner. Its program is switched off until the owner switches it on.
pub async fn create(
    db: &Database,
    vault: &Vault,
    new: NewMerchant,
    actor: Actor,
    now: Timestamp,
) -> Result<(), Error> {
    let (db, vault, now) = (db.clone(), vault.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let bucket = i16::try_from(new.id.uuid().as_u128() % BUCKETS).expect("below 1024");
        sqlx::query(
            "INSERT INTO merchants (merchant_id, bucket, name, currency, data_key, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(new.id.uuid())
        .bind(bucket)
        .bind(&new.name)
        .bind(new.currency.code())
        .bind(vault.generate_merchant_key(new.id).as_bytes())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        sqlx::query("INSERT INTO programs (merchant_id, enabled) VALUES ($1, false)")
            .bind(new.id.uuid())
            .execute(&mut *tx)
            .await?;
        let deed = Deed {
            actor: actor.clone(),
            action: "merchant.create".to_owned(),
            target: new.id.to_string(),
            before: None,
            after: None,
            at: now,
        };
        audit::append(&mut tx, new.id, deed).await?;
        members::add_in(&mut tx, &vault, (new.id, actor), &new.owner, now).await?;
        commit(tx).await
    })
    .await
}
