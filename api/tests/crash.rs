//! The real binary on a real Postgres, killed under load, again and again.
//!
//! Every acknowledged order must be there once, with the serials that were acknowledged; every order
//! without an answer, sent again, must end in exactly one delivery; money and stock must add up.

#![expect(
    clippy::disallowed_methods,
    reason = "a test of the whole process spawns tasks and speaks plain HTTP to loopback"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    net::TcpListener,
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::Notify,
    time::timeout,
};

const KILLS: usize = 5;
const WORKERS: usize = 32;
/// Acknowledged orders between two kills; another number each time, so that kills fall differently.
const ORDERS_BETWEEN_KILLS: usize = 150;
const START_WITHIN: Duration = Duration::from_mins(2);

/// A running `consign dev`.
struct Server {
    process: Child,
    // Kept open: a server that writes to a closed pipe would end.
    _output: tokio::task::JoinHandle<()>,
}

struct Place {
    state_dir: PathBuf,
    http: String,
    ops: String,
}

impl Place {
    fn new() -> Self {
        let dir = format!("crash-{}", std::process::id());
        let free = || {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            listener.local_addr().expect("an address").to_string()
        };
        let state_dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(dir);
        Self {
            state_dir,
            http: free(),
            ops: free(),
        }
    }

    async fn start(&self) -> Server {
        let mut process = Command::new(env!("CARGO_BIN_EXE_consign"))
            .arg("dev")
            .env("CONSIGN_DEV__STATE_DIR", &self.state_dir)
            .env("CONSIGN_HTTP__LISTEN", &self.http)
            .env("CONSIGN_OPS__LISTEN", &self.ops)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let printed = async {
            while let Some(line) = lines.next_line().await.expect("text") {
                if line.contains("curl ") {
                    return;
                }
            }
            panic!("the server ended before it was ready");
        };
        timeout(START_WITHIN, printed)
            .await
            .expect("the server is ready in time");
        let output =
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Server {
            process,
            _output: output,
        }
    }

    fn demo(&self) -> Value {
        let text = std::fs::read(self.state_dir.join("demo.json")).expect("demo.json is written");
        serde_json::from_slice(&text).expect("demo.json is JSON")
    }
}

/// What the clients know: the one truth that the server is measured by.
#[derive(Default)]
struct Record {
    acknowledged: BTreeMap<u64, Vec<String>>,
    unanswered: BTreeSet<u64>,
}

struct Shop {
    client: reqwest::Client,
    base: String,
    key: String,
    relationship: String,
    product: String,
    next: AtomicU64,
    acknowledged: AtomicUsize,
    reached: Notify,
    record: Mutex<Record>,
}

impl Shop {
    async fn order(&self, id: u64) -> Result<(u16, Value), reqwest::Error> {
        let body = json!({
            "external_order_id": format!("crash-{id}"),
            "product_id": self.product,
            "quantity": 1 + id % 2,
            "customer_email": format!("c{id}@example.com"),
        });
        let url = format!("{}/reseller/v1/fulfillments", self.base);
        let request = self
            .client
            .post(url)
            .bearer_auth(&self.key)
            .body(body.to_string());
        let answer = request
            .header("content-type", "application/json")
            .send()
            .await?;
        let status = answer.status().as_u16();
        Ok((status, answer.json().await?))
    }

    /// Gives the reseller more than all orders of this test can cost.
    async fn fund(&self, demo: &Value) {
        let path = format!("/dev/v1/resellers/{}/balance/credit", self.relationship);
        let body = json!({
            "amount": "1000000.00",
            "type": "CORRECTION",
            "description": "for the crash test",
            "reference": "crash-test",
        });
        let key = demo["merchant"]["key"].as_str().expect("text");
        let request = self.client.post(format!("{}{path}", self.base));
        let request = request.bearer_auth(key).body(body.to_string());
        let answer = request.header("content-type", "application/json").send();
        let status = answer.await.expect("an answer").status();
        assert!(status.is_success(), "{status}");
    }

    async fn get(&self, path: &str) -> Value {
        let request = self
            .client
            .get(format!("{}{path}", self.base))
            .bearer_auth(&self.key);
        request
            .send()
            .await
            .expect("an answer")
            .json()
            .await
            .expect("JSON")
    }

    /// Sends new orders until the server is gone.
    async fn load(&self, target: usize) {
        loop {
            let id = self.next.fetch_add(1, Ordering::Relaxed);
            match self.order(id).await {
                Ok((201, answer)) => {
                    let mut record = self.record.lock().expect("no panic");
                    record.acknowledged.insert(id, serials(&answer));
                    drop(record);
                    if self.acknowledged.fetch_add(1, Ordering::Relaxed) + 1 >= target {
                        self.reached.notify_one();
                    }
                }
                Ok((503, _)) => drop(self.record.lock().expect("no panic").unanswered.insert(id)),
                Ok((status, answer)) => panic!("order {id}: {status} {}", answer["error"]["code"]),
                Err(_) => {
                    self.record.lock().expect("no panic").unanswered.insert(id);
                    return;
                }
            }
        }
    }

    /// Sends every order without an answer again: each must be delivered, now or already.
    async fn resend(&self) {
        let unanswered = std::mem::take(&mut self.record.lock().expect("no panic").unanswered);
        for id in unanswered {
            let (status, answer) = self.order(id).await.expect("the server is up");
            assert!(
                matches!(status, 200 | 201),
                "order {id}: {status} {}",
                answer["error"]["code"]
            );
            let mut record = self.record.lock().expect("no panic");
            assert!(record.acknowledged.insert(id, serials(&answer)).is_none());
        }
    }

    /// Asks for every acknowledged order again: each must be a replay of what was acknowledged.
    async fn replay(&self) {
        let acknowledged = self.record.lock().expect("no panic").acknowledged.clone();
        for (id, expected) in acknowledged {
            let (status, answer) = self.order(id).await.expect("the server is up");
            assert_eq!((status, serials(&answer)), (200, expected), "order {id}");
            assert_eq!(answer["data"]["reused"], true, "order {id}");
        }
    }
}

impl Shop {
    /// Compares money and entries with what the clients were told.
    async fn account(&self, before: &Value) {
        let after = self.get("/reseller/v1/balance").await;
        let record = self.record.lock().expect("no panic").acknowledged.clone();
        let delivered: Vec<&String> = record.values().flatten().collect();
        assert_eq!(
            delivered.iter().collect::<BTreeSet<_>>().len(),
            delivered.len(),
            "no serial twice"
        );
        let units: usize = record.keys().map(|id| usize::from(id % 2 == 1) + 1).sum();
        assert_eq!(delivered.len(), units, "every order has its quantity");
        let entries = |balance: &Value| {
            balance["data"]["ledger_version"]
                .as_u64()
                .expect("a version")
        };
        assert_eq!(
            entries(&after) - entries(before),
            record.len() as u64,
            "one entry an order"
        );
        let path = format!("/reseller/v1/products/{}", self.product);
        let price = minor(&self.get(&path).await["data"]["wholesale_price"]);
        let spent = minor(&before["data"]["balance"]) - minor(&after["data"]["balance"]);
        assert_eq!(
            spent,
            price * i64::try_from(units).expect("few"),
            "every unit is paid once"
        );
    }
}

impl Server {
    /// The clean end: a drain that stops Postgres too, so nothing of this test stays behind.
    async fn drain(mut self, place: &Place) {
        let pid = self.process.id().expect("running").to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().await;
        assert!(asked.expect("kill").success());
        let ended = timeout(START_WITHIN, self.process.wait())
            .await
            .expect("drained");
        let status = ended.expect("a status");
        assert!(status.success(), "a drain ends well: {status}");
        std::fs::remove_dir_all(&place.state_dir).expect("the state directory is ours");
    }
}

fn serials(answer: &Value) -> Vec<String> {
    let serials = answer["data"]["serials"].as_array().expect("serials");
    serials
        .iter()
        .map(|serial| serial.as_str().expect("text").to_owned())
        .collect()
}

fn minor(amount: &Value) -> i64 {
    amount
        .as_str()
        .expect("a decimal")
        .replace('.', "")
        .parse()
        .expect("an amount")
}

fn shop(place: &Place, demo: &Value) -> Shop {
    let active = |reseller: &&Value| reseller["status"] == "ACTIVE" && reseller["mode"] == "BOTH";
    let resellers = demo["resellers"].as_array().expect("resellers").iter();
    let richest = resellers
        .filter(active)
        .max_by_key(|reseller| minor(&reseller["balance"]));
    let products = demo["products"].as_array().expect("products").iter();
    let fullest = products.max_by_key(|product| product["stock"].as_u64());
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let richest = richest.expect("an active reseller");
    Shop {
        client: reqwest::Client::new(),
        base: format!("http://{}", place.http),
        key: text(&richest["key"]),
        relationship: text(&richest["relationship_id"]),
        product: text(&fullest.expect("a product")["product_id"]),
        next: AtomicU64::new(0),
        acknowledged: AtomicUsize::new(0),
        reached: Notify::new(),
        record: Mutex::default(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_under_load_lose_and_double_nothing() {
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("installed once");
    let place = Place::new();
    let mut server = place.start().await;
    let shop = Arc::new(shop(&place, &place.demo()));
    shop.fund(&place.demo()).await;
    let before = shop.get("/reseller/v1/balance").await;

    for round in 1..=KILLS {
        let target = shop.acknowledged.load(Ordering::Relaxed) + ORDERS_BETWEEN_KILLS + round * 37;
        let workers: Vec<_> = (0..WORKERS)
            .map(|_| {
                let shop = Arc::clone(&shop);
                tokio::spawn(async move { shop.load(target).await })
            })
            .collect();
        timeout(START_WITHIN, shop.reached.notified())
            .await
            .expect("orders are delivered");
        server.process.kill().await.expect("killed");
        for worker in workers {
            worker
                .await
                .expect("a worker saw an answer that must not be");
        }
        server = place.start().await;
        shop.resend().await;
    }
    shop.replay().await;

    shop.account(&before).await;
    server.drain(&place).await;
}
