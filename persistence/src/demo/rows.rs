//! The rows of a cast but its serials, each table by one statement.

use engine::{
    api_keys::{Scope, Scopes},
    catalog::ProductKind,
    clock::Timestamp,
    ids::VariantId,
    relationships::KeyTerms,
    vault::{Sealed, Vault},
};
use sqlx::PgConnection;

use super::{
    cast::{Cast, Product, Reseller, Variant},
    ids::{self, Troupe},
    serials::Shelf,
};
use crate::{
    api_keys::{KeyScope, NewKey, insert_in},
    links,
};

/// A demo is there to be tried hard: its rate limits are the documented ones times this.
const RATE_LIMIT_FACTOR: i32 = 10_000;
/// How the demo's invoices are paid.
const INSTRUCTIONS: &str = "Transfer to Demo Bank, account 0042, and name the invoice.";
/// In hundredths of a percent.
const PROGRAM_DISCOUNT: i32 = 1500;
const BUCKETS: u128 = 1024;

/// False if the merchant is there already.
pub(super) async fn insert_merchant(
    connection: &mut PgConnection,
    cast: &Cast,
    data_key: &Sealed,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let bucket = i16::try_from(cast.merchant.uuid().as_u128() % BUCKETS).expect("below 1024");
    let inserted = sqlx::query(
        "INSERT INTO merchants
           (merchant_id, bucket, name, currency, data_key, rate_limit_factor, created_at)
         VALUES ($1, $2, $3, 'USD', $4, $5, $6)
         ON CONFLICT ON CONSTRAINT merchants_pkey DO NOTHING",
    )
    .bind(cast.merchant.uuid())
    .bind(bucket)
    .bind(&cast.name)
    .bind(data_key.as_bytes())
    .bind(RATE_LIMIT_FACTOR)
    .bind(now)
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "INSERT INTO programs (merchant_id, enabled, wholesale_discount_percent)
         VALUES ($1, true, $2)",
    )
    .bind(cast.merchant.uuid())
    .bind(PROGRAM_DISCOUNT)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO payment_methods (merchant_id, coin, place, provider, enabled, instructions)
         VALUES ($1, 'BANK', 0, 'manual', true, $2)",
    )
    .bind(cast.merchant.uuid())
    .bind(INSTRUCTIONS)
    .execute(connection)
    .await?;
    Ok(true)
}

pub(super) async fn insert_products(
    connection: &mut PgConnection,
    cast: &Cast,
) -> Result<(), sqlx::Error> {
    let products = &cast.products;
    sqlx::query(
        "INSERT INTO products (merchant_id, product_id, title, description, kind, base_price,
           created_at, updated_at)
         SELECT $1, p.product_id, p.title, p.description, p.kind, p.base_price, p.made_at, p.made_at
         FROM UNNEST($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[])
           AS p (product_id, title, description, kind, base_price, made_at)",
    )
    .bind(cast.merchant.uuid())
    .bind(products.iter().map(|p| p.id.uuid()).collect::<Vec<_>>())
    .bind(products.iter().map(|p| p.title.as_str()).collect::<Vec<_>>())
    .bind(products.iter().map(|p| p.description.as_str()).collect::<Vec<_>>())
    .bind(products.iter().map(|p| kind(p.kind)).collect::<Vec<_>>())
    .bind(products.iter().map(|p| p.base_price.minor()).collect::<Vec<_>>())
    .bind((0..).take(products.len()).map(ids::made_at).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    let variants: Vec<(&Product, i16, &Variant)> = products
        .iter()
        .flat_map(|p| {
            (0..)
                .zip(&p.variants)
                .map(move |(place, variant)| (p, place, variant))
        })
        .collect();
    sqlx::query(
        "INSERT INTO variants (merchant_id, product_id, variant_id, position, title, base_price)
         SELECT $1, v.product_id, v.variant_id, v.position, v.title, v.base_price
         FROM UNNEST($2::uuid[], $3::uuid[], $4::smallint[], $5::text[], $6::bigint[])
           AS v (product_id, variant_id, position, title, base_price)",
    )
    .bind(cast.merchant.uuid())
    .bind(
        variants
            .iter()
            .map(|(p, ..)| p.id.uuid())
            .collect::<Vec<_>>(),
    )
    .bind(
        variants
            .iter()
            .map(|(.., v)| v.id.uuid())
            .collect::<Vec<_>>(),
    )
    .bind(
        variants
            .iter()
            .map(|(_, place, _)| *place)
            .collect::<Vec<_>>(),
    )
    .bind(
        variants
            .iter()
            .map(|(.., v)| v.title.as_str())
            .collect::<Vec<_>>(),
    )
    .bind(
        variants
            .iter()
            .map(|(.., v)| v.base_price.minor())
            .collect::<Vec<_>>(),
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Relationships, each with its live balance, and with one for test mode if it has a key for that.
pub(super) async fn insert_resellers(
    connection: &mut PgConnection,
    cast: &Cast,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let resellers = &cast.resellers;
    let ids: Vec<_> = resellers.iter().map(|r| r.id.uuid()).collect();
    sqlx::query(
        "INSERT INTO relationships (merchant_id, relationship_id, code, email, name, status,
           status_reason, mode, wholesale_discount_percent, created_at, updated_at)
         SELECT $1, r.relationship_id, r.code, r.code || '@reseller.example', r.name, r.status,
           r.status_reason, r.mode, r.discount, $9, $9
         FROM UNNEST($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
           $8::integer[])
           AS r (relationship_id, code, name, status, status_reason, mode, discount)",
    )
    .bind(cast.merchant.uuid())
    .bind(&ids)
    .bind(
        resellers
            .iter()
            .map(|r| r.code.as_str())
            .collect::<Vec<_>>(),
    )
    .bind(
        resellers
            .iter()
            .map(|r| r.name.as_str())
            .collect::<Vec<_>>(),
    )
    .bind(
        resellers
            .iter()
            .map(|r| r.status.name())
            .collect::<Vec<_>>(),
    )
    .bind(
        resellers
            .iter()
            .map(|r| r.status_reason.as_deref())
            .collect::<Vec<_>>(),
    )
    .bind(resellers.iter().map(|r| r.mode.name()).collect::<Vec<_>>())
    .bind(resellers.iter().map(|r| r.discount).collect::<Vec<_>>())
    .bind(now)
    .execute(&mut *connection)
    .await?;
    let tried = resellers.iter().filter(|r| r.test.is_some());
    let tried: Vec<_> = tried.map(|r| r.id.uuid()).collect();
    sqlx::query(
        "INSERT INTO balances (merchant_id, relationship_id, test)
         SELECT $1, r.relationship_id, false FROM UNNEST($2::uuid[]) AS r (relationship_id)
         UNION ALL
         SELECT $1, r.relationship_id, true FROM UNNEST($3::uuid[]) AS r (relationship_id)",
    )
    .bind(cast.merchant.uuid())
    .bind(&ids)
    .bind(&tried)
    .execute(connection)
    .await
    .map(drop)
}

/// The link that every relationship has.
pub(super) async fn insert_links(
    connection: &mut PgConnection,
    cast: &Cast,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO links (link_id, merchant_id, relationship_id, name, status, created_at,
           updated_at)
         SELECT relationship_id, merchant_id, relationship_id, $2, 'ACTIVE', $3, $3
         FROM relationships WHERE merchant_id = $1",
    )
    .bind(cast.merchant.uuid())
    .bind(links::OWN_NAME)
    .bind(now)
    .execute(connection)
    .await
    .map(drop)
}

pub(super) async fn insert_access(
    connection: &mut PgConnection,
    cast: &Cast,
) -> Result<(), sqlx::Error> {
    for resellers in cast.resellers.chunks(100) {
        let pairs = |reseller: &Reseller| {
            let products = cast.products_of(reseller);
            let id = reseller.id.uuid();
            products
                .into_iter()
                .map(move |p| (id, p.id.uuid()))
                .collect::<Vec<_>>()
        };
        let (relationships, products): (Vec<_>, Vec<_>) = resellers.iter().flat_map(pairs).unzip();
        sqlx::query(
            "INSERT INTO product_access (merchant_id, relationship_id, product_id)
             SELECT $1, a.relationship_id, a.product_id
             FROM UNNEST($2::uuid[], $3::uuid[]) AS a (relationship_id, product_id)",
        )
        .bind(cast.merchant.uuid())
        .bind(relationships)
        .bind(products)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

pub(super) async fn insert_keys(
    connection: &mut PgConnection,
    cast: &Cast,
    vault: &Vault,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let merchant = KeyScope {
        merchant: cast.merchant,
        relationship: None,
    };
    let own = NewKey::plain(
        cast.key.clone(),
        "Everything",
        [Scope::All].into_iter().collect(),
    );
    insert_in(connection, merchant, &own, vault, now).await?;
    for reseller in &cast.resellers {
        let scope = KeyScope {
            merchant: cast.merchant,
            relationship: Some(reseller.id),
        };
        let shop = NewKey::plain(reseller.key.clone(), "Shop", shop_scopes());
        insert_in(connection, scope, &shop, vault, now).await?;
        if let Some(key) = &reseller.test {
            let key = NewKey::plain(key.clone(), "Test", shop_scopes());
            insert_in(connection, scope, &key, vault, now).await?;
        }
        if let Some(dynamic) = &reseller.dynamic {
            let scopes = [Scope::DynamicWrite].into_iter().collect();
            let key = NewKey {
                terms: KeyTerms {
                    daily_spend_cap: Some(dynamic.daily_spend_cap),
                    ..KeyTerms::default()
                },
                url_secret: Some(dynamic.url_secret.clone()),
                ..NewKey::plain(dynamic.key.clone(), "Dynamic URL", scopes)
            };
            insert_in(connection, scope, &key, vault, now).await?;
        }
    }
    Ok(())
}

/// Imports, which wait for their numbers.
pub(super) async fn insert_imports(
    connection: &mut PgConnection,
    cast: &Cast,
    shelves: &[Shelf],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let serials = |shelf: &Shelf| i32::try_from(shelf.serials).expect("at most 50000");
    let label = match cast.troupe {
        Troupe::Demo => "demo",
        Troupe::Load => "load",
    };
    sqlx::query(
        "INSERT INTO imports
           (merchant_id, import_id, product_id, variant_id, serials, label, created_at)
         SELECT $1, i.import_id, i.product_id, i.variant_id, i.serials, $6, $7
         FROM UNNEST($2::uuid[], $3::uuid[], $4::uuid[], $5::integer[])
           AS i (import_id, product_id, variant_id, serials)",
    )
    .bind(cast.merchant.uuid())
    .bind(shelves.iter().map(|s| s.import.uuid()).collect::<Vec<_>>())
    .bind(
        shelves
            .iter()
            .map(|s| s.sku.product.uuid())
            .collect::<Vec<_>>(),
    )
    .bind(
        shelves
            .iter()
            .map(|s| s.sku.variant.map(VariantId::uuid))
            .collect::<Vec<_>>(),
    )
    .bind(shelves.iter().map(serials).collect::<Vec<_>>())
    .bind(label)
    .bind(now)
    .execute(connection)
    .await
    .map(drop)
}

fn shop_scopes() -> Scopes {
    let scopes = [
        Scope::BalanceRead,
        Scope::ProductsRead,
        Scope::FulfillmentsRead,
        Scope::FulfillmentsWrite,
    ];
    scopes.into_iter().collect()
}

const fn kind(kind: ProductKind) -> &'static str {
    match kind {
        ProductKind::Serials => "SERIALS",
        ProductKind::Service => "SERVICE",
    }
}
