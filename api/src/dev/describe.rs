//! What a started development server says of itself, to scripts and to people.

use anyhow::Context as _;
use engine::{engine::Engine, vault::Opened};
use persistence::{
    Database,
    demo::{Cast, Reseller},
    relationships::find::find_scope,
};

use super::{casts::Casts, file, people::LogIn};

/// Where the parts of a server answer.
pub(super) struct Addresses {
    pub(super) http: String,
    pub(super) ops: String,
    pub(super) database: String,
}

/// Everything that `demo.json` says.
pub(super) async fn describe(
    addresses: Addresses,
    casts: &Casts,
    database: &Database,
    engine: &Engine,
) -> anyhow::Result<file::DemoFile> {
    let cast = &casts.demo;
    let mut resellers = Vec::with_capacity(cast.resellers.len());
    for (reseller, log_in) in cast.resellers.iter().zip(&casts.people.resellers) {
        resellers.push(describe_reseller(reseller, log_in, cast, database, engine).await?);
    }
    Ok(file::DemoFile {
        base_url: addresses.http,
        ops_url: addresses.ops,
        database_url: addresses.database,
        merchant: file::Merchant {
            id: cast.merchant.to_string(),
            key: text(&cast.key.expose()),
            email: casts.people.owner.email.clone(),
            password: text(&casts.people.owner.password),
        },
        resellers,
        products: products(cast, engine).await?,
        load: casts.load.as_deref().map(load),
    })
}

async fn describe_reseller(
    reseller: &Reseller,
    log_in: &LogIn,
    cast: &Cast,
    database: &Database,
    engine: &Engine,
) -> anyhow::Result<file::Reseller> {
    let merchant = engine
        .merchant(cast.merchant)
        .await?
        .context("the demo merchant is gone")?;
    let scope = find_scope(database, cast.merchant, reseller.id, false).await?;
    let balance = engine
        .balance(scope.context("a demo reseller is gone")?)
        .await?;
    let terms = engine
        .terms(reseller.id)
        .await?
        .context("a demo reseller is gone")?;
    Ok(file::Reseller {
        relationship_id: reseller.id.to_string(),
        mode: terms.mode.name(),
        status: terms.status.name(),
        email: log_in.email.clone(),
        password: text(&log_in.password),
        key: text(&reseller.key.expose()),
        dynamic_key: reseller
            .dynamic
            .as_ref()
            .map(|dynamic| text(&dynamic.key.expose())),
        test_key: reseller.test.as_ref().map(|key| text(&key.expose())),
        balance: merchant.currency.display(balance.available()).to_string(),
    })
}

/// The products, at the price of the reseller that [`shown_reseller`] shows.
async fn products(cast: &Cast, engine: &Engine) -> anyhow::Result<Vec<file::Product>> {
    let merchant = engine
        .merchant(cast.merchant)
        .await?
        .context("the demo merchant is gone")?;
    let shown = shown_reseller(cast).context("the demo cast has no active reseller")?;
    let terms = engine
        .terms(shown.id)
        .await?
        .context("a demo reseller is gone")?;
    let mut products = Vec::with_capacity(cast.products.len());
    for product in &cast.products {
        let known = engine
            .product(product.id)
            .await?
            .context("a demo product is gone")?;
        let mut stock = None;
        if known.kind == engine::catalog::ProductKind::Serials {
            let mut sum = 0;
            for sku in known.skus() {
                sum += engine.stock(cast.merchant, sku).await?.stock;
            }
            stock = Some(sum);
        }
        let price = terms.wholesale_price(&known, None);
        products.push(file::Product {
            id: product.id.to_string(),
            title: known.title.clone(),
            variant_ids: known
                .variants
                .iter()
                .map(|variant| variant.id.to_string())
                .collect(),
            stock,
            wholesale_price: price.map(|price| merchant.currency.display(price).to_string()),
        });
    }
    Ok(products)
}

/// The reseller whose key is printed: the one that may do most.
pub(super) fn shown_reseller(cast: &Cast) -> Option<&Reseller> {
    let active = |reseller: &&Reseller| {
        reseller.status == engine::relationships::Status::Active
            && reseller.mode == engine::relationships::Mode::Both
    };
    cast.resellers.iter().find(active)
}

fn load(cast: &Cast) -> file::Load {
    let hot = cast.hot.map(|(product, reseller)| file::Hot {
        key: text(&cast.resellers[reseller].key.expose()),
        product_id: cast.products[product].id.to_string(),
    });
    let is_hot = |place| cast.hot.is_some_and(|(_, reseller)| reseller == place);
    let wide = cast
        .resellers
        .iter()
        .enumerate()
        .filter(|(place, _)| !is_hot(*place));
    let is_hot_product = |place| cast.hot.is_some_and(|(product, _)| product == place);
    let products = cast
        .products
        .iter()
        .enumerate()
        .filter(|(place, _)| !is_hot_product(*place));
    file::Load {
        merchant: file::LoadMerchant {
            id: cast.merchant.to_string(),
            key: text(&cast.key.expose()),
        },
        resellers: wide
            .map(|(_, reseller)| file::LoadReseller {
                relationship_id: reseller.id.to_string(),
                key: text(&reseller.key.expose()),
                product_ids: cast
                    .products_of(reseller)
                    .iter()
                    .map(|p| p.id.to_string())
                    .collect(),
            })
            .collect(),
        products: products
            .map(|(_, product)| file::LoadProduct {
                product_id: product.id.to_string(),
            })
            .collect(),
        hot,
    }
}

/// The line that delivers a serial, and delivers the same one when it is sent again.
pub(super) fn curl(base_url: &str, cast: &Cast) -> Option<String> {
    let reseller = shown_reseller(cast)?;
    let products = cast.products_of(reseller);
    let product = products
        .iter()
        .find(|product| product.variants.is_empty() && product.serials > 0)?;
    Some(format!(
        "curl -s {base_url}/reseller/v1/fulfillments -H 'Authorization: Bearer {}' -H \
         'Content-Type: application/json' -d '{{\"external_order_id\":\"DEMO-1\",\
         \"product_id\":\"{}\",\"quantity\":1,\"customer_email\":\"ann@example.com\"}}'",
        reseller.key.expose().expose(),
        product.id,
    ))
}

fn text(secret: &Opened) -> String {
    secret.expose().to_owned()
}
