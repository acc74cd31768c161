//! A server in this process, the demo cast in its database, and a client that speaks plain HTTP.

pub(crate) mod btcpay;
mod client;
mod contract;
mod log_watch;
mod people;
mod psql;

use std::{collections::HashMap, sync::Arc, time::Duration};

use api::{
    config::{Config, Secret},
    payments,
    serve::{Installation, Server},
};
use engine::{
    api_keys::{KeyKind, KeyText, Scope, base62_secret},
    balances::{Credit, EntryKind},
    clock::{Clock, EPOCH, SystemClock},
    ids::KeyId,
    random::SeededRandom,
    relationships::KeyTerms,
    vault::{Opened, RootKey, Vault},
};
use persistence::{
    Database, MIGRATOR, Sizes,
    api_keys::{self, KeyScope, NewKey},
    demo::{self, Cast, Load, Product, Reseller},
    embedded::{TestDatabase, test_cluster},
    settings::Durability,
};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

pub(crate) use client::{Call, Reply};
pub(crate) use contract::check as check_contract;
pub(crate) use log_watch::{LogWatch, forms};
pub(crate) use people::{ORIGIN, PASSWORD};

/// Numbers the random bytes of a test: any.
const SEED: u64 = 23;
/// What the address of a node must keep to itself.
pub(crate) const NODE_KEY: &str = "node-key-7Hq2LmVt";
/// Serials of each sku that there are many of.
const SERIALS: u32 = 200;

/// More than any test takes, however slow the machine.
const PATIENCE: Duration = Duration::from_mins(5);

/// A running server and whom it serves.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) cast: Arc<Cast>,
    vault: Vault,
    random: SeededRandom,
    database: TestDatabase,
}

/// A key as a shop has it.
pub(crate) struct Key {
    pub(crate) id: KeyId,
    pub(crate) text: String,
    pub(crate) url_secret: String,
}

/// Runs a test against a server of its own.
pub(crate) fn with_world(test: impl AsyncFnOnce(&World)) {
    LogWatch::of_process();
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let runtime = Arc::new(runtime);
    runtime.block_on(Box::pin(async {
        let whole = async {
            let world = World::start(&runtime).await;
            test(&world).await;
            world.server.drain().await;
        };
        let ended = tokio::time::timeout(PATIENCE, whole).await;
        assert!(ended.is_ok(), "the test waits for what never comes");
    }));
}

impl World {
    async fn start(runtime: &Arc<Runtime>) -> Self {
        let random = SeededRandom::new(SEED);
        let mut cast = demo::demo(&random);
        for product in &mut cast.products {
            product.serials = product.serials.min(SERIALS);
        }
        let (cast, vault) = (Arc::new(cast), vault());
        let database = database(Arc::clone(&cast)).await;
        let sizes = Sizes {
            acquire_wait: Duration::from_secs(10),
            ..Sizes::default()
        };
        let db = Database::connect(&database.connect_options(), sizes)
            .await
            .unwrap();
        let installation = Installation::checked(db.clone(), vault.clone(), Durability::Local)
            .await
            .unwrap();
        let server = Server::start(&config(), installation, runtime)
            .await
            .unwrap();
        for funding in demo::fundings(&db, &cast).await.unwrap() {
            let credit = Credit {
                balance: funding.scope.balance,
                kind: EntryKind::Credit,
                reference: funding.reference.to_owned(),
                amount: funding.amount,
                description: "Opening balance".to_owned(),
                label: "PROMO".to_owned(),
                by: None,
            };
            server
                .app()
                .engine
                .credit(funding.scope, credit)
                .await
                .unwrap();
        }
        Self {
            server,
            cast,
            vault,
            random: SeededRandom::new(SEED + 1),
            database,
        }
    }

    /// Another merchant, with a product and a reseller of its own.
    pub(crate) async fn another_merchant(&self) -> Arc<Cast> {
        let load = Load {
            products: 1,
            resellers: 1,
            access: 1,
            serials: 3,
            hot_serials: 0,
        };
        let cast = Arc::new(demo::load(load, &self.random));
        let db = &self.server.app().database;
        let seeded = demo::seed(db, &self.vault, Arc::clone(&cast), EPOCH).await;
        seeded.unwrap();
        cast
    }

    /// The reseller with this code.
    pub(crate) fn reseller(&self, code: &str) -> &Reseller {
        self.cast
            .resellers
            .iter()
            .find(|reseller| reseller.code == code)
            .unwrap()
    }

    /// The key of the reseller with this code.
    pub(crate) fn key(&self, code: &str) -> String {
        self.reseller(code).key.expose().expose().to_owned()
    }

    /// The key of test mode of the reseller with this code.
    pub(crate) fn test_key(&self, code: &str) -> String {
        let key = self.reseller(code).test.as_ref().unwrap();
        key.expose().expose().to_owned()
    }

    /// The key that may do everything of the merchant.
    pub(crate) fn merchant_key(&self) -> String {
        self.cast.key.expose().expose().to_owned()
    }

    /// The key for dynamic URLs of the reseller with this code.
    pub(crate) fn dynamic_key(&self, code: &str) -> Key {
        let dynamic = self.reseller(code).dynamic.as_ref().unwrap();
        Key {
            id: dynamic.key.id,
            text: dynamic.key.expose().expose().to_owned(),
            url_secret: dynamic.url_secret.expose().to_owned(),
        }
    }

    pub(crate) fn product(&self, title: &str) -> &Product {
        let titled = |product: &&Product| product.title.starts_with(title);
        self.cast.products.iter().find(titled).unwrap()
    }

    /// Makes one more key for the reseller with this code.
    pub(crate) async fn new_key(
        &self,
        code: &str,
        scopes: &[Scope],
        terms: KeyTerms,
        change: impl FnOnce(&mut NewKey),
    ) -> Key {
        let id = KeyId::generate(SystemClock.now(), &self.random);
        let text = KeyText::generate(KeyKind::Reseller, false, id, &self.random);
        let url_secret = base62_secret(&self.random);
        let (shown, reseller) = (text.expose(), self.reseller(code).id);
        let mut key = NewKey {
            text,
            name: "Test".to_owned(),
            scopes: scopes.iter().copied().collect(),
            terms,
            ip_allow_list: Vec::new(),
            rate_limit_per_second: None,
            expires_at: None,
            url_secret: Some(Opened::new(url_secret.clone())),
        };
        change(&mut key);
        let scope = KeyScope {
            merchant: self.cast.merchant,
            relationship: Some(reseller),
        };
        let (db, now) = (&self.server.app().database, SystemClock.now());
        assert!(
            api_keys::insert(db, scope, key, &self.vault, now)
                .await
                .unwrap()
        );
        self.terms_changed(code).await;
        Key {
            id,
            text: shown.expose().to_owned(),
            url_secret,
        }
    }

    /// Makes a key of the merchant that may do this alone.
    pub(crate) async fn merchant_key_for(&self, scopes: &[Scope]) -> String {
        let id = KeyId::generate(SystemClock.now(), &self.random);
        let text = KeyText::generate(KeyKind::Merchant, false, id, &self.random);
        let shown = text.expose().expose().to_owned();
        let key = NewKey::plain(text, "Test", scopes.iter().copied().collect());
        let scope = KeyScope {
            merchant: self.cast.merchant,
            relationship: None,
        };
        let (db, now) = (&self.server.app().database, SystemClock.now());
        let made = api_keys::insert(db, scope, key, &self.vault, now).await;
        assert!(made.unwrap());
        shown
    }

    /// Tells the engine that the terms of a reseller were changed behind its back.
    pub(crate) async fn terms_changed(&self, code: &str) {
        let reseller = self.reseller(code).id;
        let balance = self.scalar(&format!(
            "SELECT balance_id FROM balances WHERE NOT test AND relationship_id = '{}'",
            reseller.uuid()
        ));
        let balance = engine::ids::BalanceId(balance.parse().unwrap());
        self.server
            .app()
            .engine
            .terms_changed(reseller, &[balance])
            .await
            .unwrap();
    }

    /// Changes rows as nobody but an operator can.
    pub(crate) fn sql(&self, statement: &str) {
        psql::run(&self.database.url(), statement);
    }

    /// Where the database is.
    pub(crate) fn database_url(&self) -> String {
        self.database.url()
    }

    /// One value of the database.
    pub(crate) fn scalar(&self, query: &str) -> String {
        psql::run(&self.database.url(), query)
    }

    /// Everything that an order changes, to be the same after a refusal: money, stock, entries.
    pub(crate) fn state(&self) -> String {
        self.scalar(
            "SELECT (SELECT COUNT(*) FROM ledger_entries) || ' entries, '
               || (SELECT COUNT(*) FROM serial_claims) || ' claims, '
               || (SELECT COALESCE(SUM(amount), 0) FROM ledger_entries) || ' in all, '
               || (SELECT COUNT(*) FROM refunds) || ' refunds, '
               || (SELECT COALESCE(SUM(refunded), 0) FROM refunded) || ' refunded'",
        )
    }

    /// A request, to be sent with [`Call::send`].
    pub(crate) fn call(&self, method: &'static str, path: &str) -> Call {
        Call::new(self.server.address(), method, path)
    }

    /// An order of this reseller's key.
    pub(crate) async fn order(&self, key: &str, body: &Value) -> Reply {
        self.call("POST", "/reseller/v1/fulfillments")
            .key(key)
            .json(body)
            .send()
            .await
    }

    /// What the balance of a key's relationship says.
    pub(crate) async fn balance(&self, key: &str) -> Value {
        self.call("GET", "/reseller/v1/balance")
            .key(key)
            .send()
            .await
            .json()["data"]
            .clone()
    }
}

/// The body of an order of one product.
pub(crate) fn order_of(order_id: &str, product: &Product) -> Value {
    serde_json::json!({
        "external_order_id": order_id,
        "product_id": product.id.to_string(),
        "customer_email": "Ann@Example.com",
    })
}

fn vault() -> Vault {
    Vault::new(&RootKey::new([7; 32]), Arc::new(SeededRandom::new(SEED)))
}

fn config() -> Config {
    let mut config = Config::read(None, HashMap::new()).unwrap();
    for address in [&mut config.http.listen, &mut config.ops.listen] {
        address.set_port(0);
    }
    "https://consign.example".clone_into(&mut config.http.origin);
    config.webhooks.allow_local = true;
    // A network whose node never answers.
    let silent = payments::Settings {
        rpc_url: Secret::new(format!("http://127.0.0.1:9/{NODE_KEY}")),
        poll_ms: 1000,
        blocks_at_once: 500,
    };
    config.chains.insert("silent".to_owned(), silent);
    // A disk that stalls for seconds is no failure of what is tested.
    let engine = &mut config.engine;
    engine.claim_deadline_ms = 12_000;
    engine.hydration_deadline_ms = 12_000;
    engine.lane_deadline_ms = 12_000;
    engine.batch_age_max_ms = 13_000;
    engine.lane_ready_wait_ms = 5000;
    engine.answer_deadline_ms = 14_000;
    engine.heartbeat_age_max_ms = 5000;
    // A test that stands for many callers says from where each of them calls.
    config.http.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    config
}

/// A copy of a database that holds the schema and the cast.
async fn database(cast: Arc<Cast>) -> TestDatabase {
    let versions: Vec<_> = MIGRATOR.iter().map(|one| one.version.to_string()).collect();
    let sum = MIGRATOR.iter().flat_map(|one| one.checksum.iter().copied());
    let sum = sum.fold(0_u32, |sum, byte| sum.rotate_left(5) ^ u32::from(byte));
    let fingerprint = format!("api{}x{sum:08x}x{SERIALS}", versions.len());
    let prepare = async move |options| {
        persistence::database::migrate(&options).await?;
        let db = Database::connect(&options, Sizes::default()).await?;
        persistence::installation::check_canary(&db, &vault()).await?;
        demo::seed(&db, &vault(), cast, EPOCH).await?;
        db.close().await;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    };
    let cluster = test_cluster().await.unwrap();
    cluster.database(&fingerprint, prepare).await.unwrap()
}
