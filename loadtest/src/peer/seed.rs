//! Creates and fills the database of a peer: the same cast as the engine's load cast.
//!
//! Keeps: seeding is no part of any measured time; indexes are built after the rows, and the tables
//! are vacuumed and analysed, so that a peer starts in its best state.

use clap::Args;
use sqlx::PgPool;

use super::{
    pool,
    vault::{self, Vault},
};
use crate::cast::{Cast, HotPair, Product, Reseller};

const CHUNK: i64 = 20_000;
const BALANCE_MINOR: i64 = 1_000_000_000_000;
const SECRET: &str = "0123456789abcdefghijABCDEFGHIJ0123456789abc";

#[derive(Args, Clone)]
pub(crate) struct Size {
    #[arg(long, default_value_t = 1000)]
    pub(crate) products: i64,
    #[arg(long, default_value_t = 1000)]
    pub(crate) resellers: i64,
    /// Products each reseller may sell.
    #[arg(long, default_value_t = 50)]
    pub(crate) access: i64,
    #[arg(long, default_value_t = 400)]
    pub(crate) serials_per_product: i64,
    #[arg(long, default_value_t = 200_000)]
    pub(crate) hot_serials: i64,
}

/// Makes `database` anew; the hot product and the hot reseller come after all others.
pub(crate) async fn create(url: &str, database: &str, size: &Size) -> anyhow::Result<Cast> {
    pool::recreate(url, database, None).await?;
    let pool = pool::open(url, database, 1).await?;
    sqlx::raw_sql(include_str!("schema.sql"))
        .execute(&pool)
        .await?;
    sqlx::raw_sql(include_str!("procedure.sql"))
        .execute(&pool)
        .await?;
    let cast = people(&pool, size).await?;
    serials(&pool, size).await?;
    sqlx::raw_sql(include_str!("indexes.sql"))
        .execute(&pool)
        .await?;
    sqlx::raw_sql("VACUUM ANALYZE").execute(&pool).await?;
    pool.close().await;
    Ok(cast)
}

async fn people(pool: &PgPool, size: &Size) -> anyhow::Result<Cast> {
    let vault = Vault::new();
    let mac = vault.mac(SECRET.as_bytes());
    let hot = size.products + 1;
    sqlx::query(
        "INSERT INTO products (product_id, status, title, unit_minor, price_version, quantity_min,
           quantity_max)
         SELECT n, 1, 'Load product ' || n, 100 + n % 900, 1, 1, 100 FROM generate_series(1, $1) n",
    )
    .bind(hot)
    .execute(pool)
    .await?;
    sqlx::query(
        "INSERT INTO relationships (relationship_id, status, key_id, key_mac)
         SELECT n, 1, n, $2 FROM generate_series(1, $1) n",
    )
    .bind(size.resellers + 1)
    .bind(&mac)
    .execute(pool)
    .await?;
    sqlx::query(
        "INSERT INTO balances (relationship_id, posted_minor, version)
         SELECT relationship_id, $1, 1 FROM relationships",
    )
    .bind(BALANCE_MINOR)
    .execute(pool)
    .await?;
    let resellers: Vec<Reseller> = (1..=size.resellers).map(|id| reseller(id, size)).collect();
    let access = (1..=size.resellers)
        .flat_map(|id| offered(id, size).map(move |product| (id, product)))
        .chain([(size.resellers + 1, hot)]);
    let (who, what): (Vec<i64>, Vec<i64>) = access.unzip();
    sqlx::query(
        "INSERT INTO product_access (relationship_id, product_id)
         SELECT * FROM UNNEST($1::bigint[], $2::bigint[])",
    )
    .bind(&who)
    .bind(&what)
    .execute(pool)
    .await?;
    Ok(Cast {
        resellers,
        products: (1..=size.products)
            .map(|id| Product {
                product_id: product_id(id),
            })
            .collect(),
        hot: Some(HotPair {
            key: key(size.resellers + 1),
            product_id: product_id(hot),
        }),
    })
}

async fn serials(pool: &PgPool, size: &Size) -> anyhow::Result<()> {
    let vault = Vault::new();
    let common = size.products * size.serials_per_product;
    let total = common + size.hot_serials;
    let mut first = 1;
    while first <= total {
        let ids: Vec<i64> = (first..=total.min(first + CHUNK - 1)).collect();
        let products: Vec<i64> = ids
            .iter()
            .map(|id| ((id - 1) / size.serials_per_product + 1).min(size.products + 1))
            .collect();
        let sealed = ids
            .iter()
            .map(|id| {
                vault.seal(
                    &vault::serial_context(*id),
                    format!("LT-{id:016}").as_bytes(),
                )
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        sqlx::query(
            "INSERT INTO serials (serial_id, product_id, ciphertext)
             SELECT * FROM UNNEST($1::bigint[], $2::bigint[], $3::bytea[])",
        )
        .bind(&ids)
        .bind(&products)
        .bind(&sealed)
        .execute(pool)
        .await?;
        first += CHUNK;
    }
    Ok(())
}

/// Spread so that every product is sold by equally many resellers.
fn offered(reseller_id: i64, size: &Size) -> impl Iterator<Item = i64> + use<> {
    let (products, access) = (size.products, size.access.min(size.products));
    (0..access).map(move |n| (reseller_id * 7 + n) % products + 1)
}

fn reseller(id: i64, size: &Size) -> Reseller {
    Reseller {
        relationship_id: vault::public_id("rel", u128::from(id.unsigned_abs())),
        key: key(id),
        product_ids: offered(id, size).map(product_id).collect(),
    }
}

fn key(id: i64) -> String {
    let id = vault::public_id("key", u128::from(id.unsigned_abs()));
    format!("crk_live_{}_{SECRET}", &id[4..])
}

fn product_id(id: i64) -> String {
    vault::public_id("prd", u128::from(id.unsigned_abs()))
}
