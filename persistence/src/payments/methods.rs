//! A merchant's payment methods: replaced as a whole, read in the merchant's own order.

use engine::{
    audit::{Actor, Deed, Digest},
    chains::Account,
    clock::Timestamp,
    ids::MerchantId,
    payments::{Access, Coin, Deposits, Method, ProviderKind},
};
use sqlx::PgConnection;

use super::{
    deposits::token,
    stores::{self, StoreRow},
};
use crate::{Database, Error, audit, database::commit, owned, relationships::rows::named};

/// Every column of a method and the rest of the query.
macro_rules! select_method {
    ($rest:literal) => {
        concat!(
            "SELECT m.coin, m.provider, m.enabled, m.instructions, m.xpub, m.network, m.chain_id,
               m.token AS contract, m.decimals, m.confirmations, s.store_id, s.url, s.name, s.token,
               s.notices
             FROM payment_methods AS m LEFT JOIN payment_stores AS s ON s.store_id = m.store_id ",
            $rest
        )
    };
}

/// All methods of a merchant; the disabled ones too, unless only those that may be used are wanted.
pub async fn list(
    db: &Database,
    merchant: MerchantId,
    enabled_only: bool,
) -> Result<Vec<Method>, Error> {
    let db = db.clone();
    owned(async move {
        let rows: Vec<Row> = sqlx::query_as(select_method!(
            "WHERE m.merchant_id = $1 AND (m.enabled OR NOT $2) ORDER BY m.place"
        ))
        .bind(merchant.uuid())
        .bind(enabled_only)
        .fetch_all(&mut *db.read().await?)
        .await?;
        rows.into_iter().map(Method::try_from).collect()
    })
    .await
}

/// The method for a coin, if it is offered.
pub(crate) async fn find_enabled(
    connection: &mut PgConnection,
    merchant: MerchantId,
    coin: &Coin,
) -> Result<Option<Method>, Error> {
    let row: Option<Row> = sqlx::query_as(select_method!(
        "WHERE m.merchant_id = $1 AND m.coin = $2 AND m.enabled"
    ))
    .bind(merchant.uuid())
    .bind(coin.as_str())
    .fetch_optional(connection)
    .await?;
    row.map(Method::try_from).transpose()
}

/// Puts these in the place of all methods that there are. Invoices keep what they were opened with.
pub async fn replace(
    db: &Database,
    merchant: MerchantId,
    methods: Vec<Method>,
    actor: Actor,
    now: Timestamp,
) -> Result<(), Error> {
    let db = db.clone();
    owned(async move {
        let mut tx = db.begin().await?;
        // Who replaces at the same time waits here.
        sqlx::query("SELECT FROM programs WHERE merchant_id = $1 FOR NO KEY UPDATE")
            .bind(merchant.uuid())
            .fetch_one(&mut *tx)
            .await?;
        let before = digest(&mut tx, merchant).await?;
        store(&mut tx, merchant, &methods, now).await?;
        let deed = Deed {
            actor,
            action: "payment_methods.replace".to_owned(),
            target: merchant.to_string(),
            before: Some(before),
            after: Some(digest(&mut tx, merchant).await?),
            at: now,
        };
        audit::append(&mut tx, merchant, deed).await?;
        commit(tx).await
    })
    .await
}

async fn store(
    connection: &mut PgConnection,
    merchant: MerchantId,
    methods: &[Method],
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query("DELETE FROM payment_methods WHERE merchant_id = $1")
        .bind(merchant.uuid())
        .execute(&mut *connection)
        .await?;
    for (place, method) in (0_i32..).zip(methods) {
        let (deposits, shop) = match &method.access {
            Access::Manual => (None, None),
            Access::EvmErc20(deposits) => (Some(deposits), None),
            Access::Btcpay(store) => (None, Some(store)),
        };
        if let Some(shop) = shop {
            stores::insert(connection, merchant, shop, now).await?;
        }
        let token = deposits.map(|deposits| &deposits.token);
        sqlx::query(
            "INSERT INTO payment_methods (merchant_id, coin, place, provider, enabled, instructions,
               xpub, network, chain_id, token, decimals, confirmations, store_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(merchant.uuid())
        .bind(method.coin.as_str())
        .bind(place)
        .bind(method.provider().name())
        .bind(method.enabled)
        .bind(&method.instructions)
        .bind(deposits.map(|deposits| deposits.account.text()))
        .bind(token.map(|token| token.network.as_str()))
        .bind(token.map(|token| token.chain_id.cast_signed()))
        .bind(token.map(|token| token.contract.bytes().as_slice()))
        .bind(token.map(|token| i32::from(token.decimals)))
        .bind(token.map(|token| i32::from(token.confirmations)))
        .bind(shop.map(|shop| shop.id.uuid()))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// A digest over all methods of a merchant.
async fn digest(connection: &mut PgConnection, merchant: MerchantId) -> Result<Digest, Error> {
    let sum: Vec<u8> = sqlx::query_scalar(
        "SELECT sha256(convert_to(COALESCE(jsonb_agg(to_jsonb(m) ORDER BY m.place), '[]')::text,
           'UTF8'))
         FROM payment_methods AS m WHERE m.merchant_id = $1",
    )
    .bind(merchant.uuid())
    .fetch_one(connection)
    .await?;
    audit::digest(sum)
}

#[derive(sqlx::FromRow)]
struct Row {
    coin: String,
    provider: String,
    enabled: bool,
    instructions: String,
    xpub: Option<String>,
    network: Option<String>,
    chain_id: Option<i64>,
    contract: Option<Vec<u8>>,
    decimals: Option<i32>,
    confirmations: Option<i32>,
    #[sqlx(flatten)]
    store: StoreRow,
}

impl TryFrom<Row> for Method {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let provider = ProviderKind::parse(&row.provider);
        let access = match named(provider, "payment_methods.provider")? {
            ProviderKind::Manual => Access::Manual,
            ProviderKind::EvmErc20 => Access::EvmErc20(Box::new(row.deposits()?)),
            ProviderKind::Btcpay => {
                let store = named(row.store.store(), "payment_methods.store_id")?;
                Access::Btcpay(Box::new(store))
            }
        };
        Ok(Self {
            coin: named(Coin::parse(&row.coin), "payment_methods.coin")?,
            enabled: row.enabled,
            instructions: row.instructions,
            access,
        })
    }
}

impl Row {
    fn deposits(&self) -> Result<Deposits, Error> {
        let account = self.xpub.as_deref().and_then(Account::parse);
        let place = self.network.clone().zip(self.chain_id);
        let contract = named(self.contract.as_deref(), "payment_methods.token")?;
        let counts = self.decimals.zip(self.confirmations);
        Ok(Deposits {
            account: named(account, "payment_methods.xpub")?,
            token: token(
                named(place, "payment_methods.network")?,
                contract,
                named(counts, "payment_methods.decimals")?,
            )?,
        })
    }
}
