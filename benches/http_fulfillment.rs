//! One fulfillment over HTTP: a keep-alive client on the loopback address, the real listener, router,
//! key check and engine in the same process, and a journal that keeps nothing.
//!
//! What it adds to `fulfill_memory` is the edge: reading the request, the key, and an answer with its
//! serials opened. Client and server share the runtime, so the client's own work is in the figures.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use api::{
    config::Config,
    serve::{Installation, Server},
};
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use engine::{
    balances::{Credit, EntryKind},
    clock::EPOCH,
    engine::Engine,
    journal::NullJournal,
    random::SeededRandom,
    vault::{RootKey, Vault},
};
use futures_util::future::join_all;
use http_body_util::BodyExt;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use persistence::{
    Database, MIGRATOR, Sizes,
    demo::{self, Cast, Load},
    embedded::{TestDatabase, test_cluster},
    settings::Durability,
};
use tokio::{
    net::TcpStream,
    runtime::{Builder, Runtime},
};

// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// More than the runs below can sell.
const SERIALS: u32 = 300_000;

/// A server on its own threads, and an order of the cast's hot pair.
struct Bench {
    runtime: Arc<Runtime>,
    server: Server,
    key: String,
    product: String,
    next: AtomicU64,
    _database: TestDatabase,
}

impl Bench {
    fn start() -> Self {
        let runtime = Builder::new_multi_thread().enable_all().build();
        let runtime = Arc::new(runtime.expect("a runtime"));
        let random = SeededRandom::new(1);
        let load = Load {
            products: 0,
            resellers: 0,
            access: 0,
            serials: 0,
            hot_serials: SERIALS,
        };
        let cast = Arc::new(demo::load(load, &random));
        let (server, database) = runtime.block_on(Box::pin(start(&cast, &runtime)));
        let (product, reseller) = cast.hot.expect("a hot pair");
        Self {
            server,
            key: format!("Bearer {}", cast.resellers[reseller].key.expose().expose()),
            product: cast.products[product].id.to_string(),
            next: AtomicU64::new(0),
            runtime,
            _database: database,
        }
    }

    fn request(&self) -> Request<Body> {
        let body = format!(
            r#"{{"external_order_id":"ORDER-{}","product_id":"{}","quantity":1,"customer_email":"ann@example.com"}}"#,
            self.next.fetch_add(1, Ordering::Relaxed),
            self.product,
        );
        Request::post("/reseller/v1/fulfillments")
            .header(header::HOST, "127.0.0.1")
            .header(header::AUTHORIZATION, &self.key)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .expect("a request")
    }

    /// Sends an order and reads its answer to the end.
    async fn order(&self, connection: &mut SendRequest<Body>) {
        connection.ready().await.expect("an open connection");
        let response = connection.send_request(self.request()).await;
        let response = response.expect("an answer");
        assert_eq!(response.status(), StatusCode::CREATED);
        response.into_body().collect().await.expect("its body");
    }
}

async fn start(cast: &Arc<Cast>, runtime: &Arc<Runtime>) -> (Server, TestDatabase) {
    let vault = Vault::new(&RootKey::new([7; 32]), Arc::new(SeededRandom::new(2)));
    let database = database(Arc::clone(cast), vault.clone()).await;
    let db = Database::connect(&database.connect_options(), Sizes::default()).await;
    let db = db.expect("a connection");
    let installation = Installation::checked(db.clone(), vault, Durability::Local).await;
    let mut installation = installation.expect("an installation");
    let mut config = Config::read(None, HashMap::new()).expect("the defaults");
    for address in [&mut config.http.listen, &mut config.ops.listen] {
        address.set_port(0);
    }
    // Stock and money come through the durable journal; what is sold is not kept.
    let engine = installation.start_engine(&config, runtime).await;
    let engine = engine.expect("an engine");
    for funding in demo::fundings(&db, cast).await.expect("balances") {
        fund(&engine, funding).await;
    }
    engine.drain().await;
    engine.stop();
    installation.journal = Arc::new(NullJournal::new());
    let server = Server::start(&config, installation, runtime).await;
    (server.expect("a server"), database)
}

async fn fund(engine: &Engine, funding: demo::Funding) {
    let credit = Credit {
        balance: funding.scope.balance,
        kind: EntryKind::Credit,
        reference: funding.reference.to_owned(),
        amount: funding.amount,
        description: "Opening balance".to_owned(),
        label: "PROMO".to_owned(),
        by: None,
    };
    let credited = engine.credit(funding.scope, credit).await;
    credited.expect("credited");
}

async fn database(cast: Arc<Cast>, vault: Vault) -> TestDatabase {
    let sum = MIGRATOR.iter().flat_map(|one| one.checksum.iter().copied());
    let sum = sum.fold(0_u32, |sum, byte| sum.rotate_left(5) ^ u32::from(byte));
    let fingerprint = format!("http{sum:08x}x{SERIALS}");
    let prepare = async move |options| {
        persistence::database::migrate(&options).await?;
        let db = Database::connect(&options, Sizes::default()).await?;
        persistence::installation::check_canary(&db, &vault).await?;
        demo::seed(&db, &vault, cast, EPOCH).await?;
        db.close().await;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    };
    let cluster = test_cluster().await.expect("a Postgres");
    let database = cluster.database(&fingerprint, prepare).await;
    database.expect("a database")
}

async fn connect(address: SocketAddr, runtime: &Runtime) -> SendRequest<Body> {
    let stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP");
    runtime.spawn(connection);
    sender
}

fn http_fulfillment(c: &mut Criterion) {
    let bench = Bench::start();
    let mut group = c.benchmark_group("http_fulfillment");
    group
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    group.sample_size(10);
    for at_once in [1_u64, 64] {
        let address = bench.server.address();
        let connecting = (0..at_once).map(|_| connect(address, &bench.runtime));
        let mut connections = bench.runtime.block_on(join_all(connecting));
        group.throughput(Throughput::Elements(at_once));
        group.bench_function(at_once.to_string(), |b| {
            b.iter(|| {
                let orders = connections.iter_mut().map(|one| bench.order(one));
                bench.runtime.block_on(join_all(orders))
            });
        });
    }
    group.finish();
    bench.runtime.block_on(bench.server.drain());
}

criterion_group!(fulfillments, http_fulfillment);
criterion_main!(fulfillments);
