//! Merchants, loaded with their data keys unwrapped.

use engine::{
    fault::Fault,
    ids::MerchantId,
    merchants::{Merchant, Source},
    money::Currency,
    vault::{Sealed, Vault},
};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Database, Error, database::in_time, owned};

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
