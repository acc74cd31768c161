//! A double of a BTCPay Server, which says what a test tells it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    routing::{get, post},
};
use engine::persons::Role;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{Reply, World, with_world};

pub(crate) const OWNER: &str = "owner@merchant.example";
const METHODS: &str = "/dev/v1/payment-methods";
pub(crate) const TOKEN: &str = "btcpay-token-5Tg8Wq2n";
pub(crate) const SECRET: &str = "btcpay-notices-9Kd3Xv7b";

/// What the server behind the double knows.
#[derive(Default)]
pub(crate) struct Remote {
    /// Where invoices are shown.
    pub(crate) pages: String,
    /// By their ids: status, its remark, and the payments of one coin.
    pub(crate) invoices: HashMap<String, Value>,
    asked: usize,
    down: bool,
    /// How often somebody asked while it was down.
    pub(crate) turned_away: usize,
}

type Shared = Arc<Mutex<Remote>>;

/// A double of a BTCPay Server, with one shop.
pub(crate) struct Double {
    url: String,
    remote: Shared,
    task: JoinHandle<()>,
}

impl Double {
    #[expect(
        clippy::disallowed_methods,
        reason = "the double of a test has no owner"
    )]
    pub(crate) async fn start() -> Self {
        let remote = Shared::default();
        let router = Router::new()
            .route("/btcpay/api/v1/stores/{store}", get(shop))
            .route("/btcpay/api/v1/stores/{store}/invoices", post(open))
            .route("/btcpay/api/v1/stores/{store}/invoices/{id}", get(invoice))
            .route(
                "/btcpay/api/v1/stores/{store}/invoices/{id}/payment-methods",
                get(arrived),
            )
            .with_state(Arc::clone(&remote));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/btcpay", listener.local_addr().unwrap());
        remote.lock().unwrap().pages.clone_from(&url);
        let serving = async move { axum::serve(listener, router).await.unwrap() };
        Self {
            url,
            remote,
            task: tokio::spawn(serving),
        }
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Remote) -> T) -> T {
        change(&mut self.remote.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What arrived for an invoice, from now on.
    pub(crate) fn pays(&self, reference: &str, payments: &Value) {
        self.change(|remote| {
            remote.invoices.get_mut(reference).unwrap()["payments"] = payments.clone();
        });
    }

    /// What was asked for with an invoice: the amount, and how long it is open.
    pub(crate) fn was_asked(&self, reference: &str) -> (Value, Value) {
        self.change(|remote| {
            let invoice = &remote.invoices[reference];
            (invoice["amount"].clone(), invoice["minutes"].clone())
        })
    }

    pub(crate) fn count(&self) -> usize {
        self.change(|remote| remote.invoices.len())
    }

    /// Whether it answers nobody, from now on.
    pub(crate) fn is_away(&self, away: bool) {
        self.change(|remote| remote.down = away);
    }

    pub(crate) fn asked(&self) -> usize {
        self.change(|remote| remote.asked)
    }

    pub(crate) fn method(&self) -> Value {
        json!({"coin": "BTC", "provider": "btcpay", "url": self.url, "store_id": "shop-1",
            "token": TOKEN, "webhook_secret": SECRET})
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Answered = Result<Json<Value>, StatusCode>;

fn look(
    remote: &Shared,
    headers: &HeaderMap,
    look: impl FnOnce(&mut Remote) -> Option<Value>,
) -> Answered {
    let mut remote = remote.lock().unwrap_or_else(PoisonError::into_inner);
    if remote.down {
        remote.turned_away += 1;
        return Err(StatusCode::BAD_GATEWAY);
    }
    if headers[header::AUTHORIZATION] != format!("token {TOKEN}") {
        return Err(StatusCode::UNAUTHORIZED);
    }
    look(&mut remote).map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn shop(
    State(remote): State<Shared>,
    headers: HeaderMap,
    Path(store): Path<String>,
) -> Answered {
    look(&remote, &headers, |_| {
        (store == "shop-1").then(|| json!({"id": store}))
    })
}

async fn open(
    State(remote): State<Shared>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Answered {
    look(&remote, &headers, |remote| {
        assert_eq!(body["currency"], "USD");
        let id = format!("Remote{}", remote.invoices.len() + 1);
        let invoice = json!({"id": id, "status": "New", "additionalStatus": "None", "payments": [],
            "amount": body["amount"], "minutes": body["checkout"]["expirationMinutes"],
            "checkoutLink": format!("{}/i/{id}", remote.pages)});
        remote.invoices.insert(id, invoice.clone());
        Some(invoice)
    })
}

async fn invoice(
    State(remote): State<Shared>,
    headers: HeaderMap,
    Path((_, id)): Path<(String, String)>,
) -> Answered {
    look(&remote, &headers, |remote| {
        remote.asked += 1;
        remote.invoices.get(&id).cloned()
    })
}

async fn arrived(
    State(remote): State<Shared>,
    headers: HeaderMap,
    Path((_, id)): Path<(String, String)>,
) -> Answered {
    look(&remote, &headers, |remote| {
        let payments = remote.invoices.get(&id)?["payments"].clone();
        Some(json!([
            {"paymentMethodId": "BTC-CHAIN", "currency": "BTC", "rate": "62500.0", "payments": payments},
            {"paymentMethodId": "BTC-LN", "currency": "BTC", "rate": "62500.0", "payments": []},
        ]))
    })
}

/// Of so much of a coin.
pub(crate) fn payment(id: &str, value: &str, status: &str) -> Value {
    json!({"id": id, "value": value, "fee": "0", "status": status, "receivedDate": 1})
}

/// Runs a test against a server of its own, whose merchant has a double as its only payment method.
pub(crate) fn with_double(test: impl AsyncFnOnce(&World, &Double)) {
    with_world(async |world| {
        let double = Double::start().await;
        world.takes_btcpay(&double).await;
        test(world, &double).await;
    });
}

impl World {
    pub(crate) async fn replace(&self, session: &str, methods: Value) -> Reply {
        let methods = json!({"methods": methods});
        self.as_member(session, "PUT", METHODS)
            .json(&methods)
            .send()
            .await
    }

    /// The merchant is paid through this double, and in no other way.
    pub(crate) async fn takes_btcpay(&self, double: &Double) {
        self.member(OWNER, Role::Owner).await;
        let session = self.stepped_up(OWNER).await;
        let methods = json!([double.method()]);
        self.replace(&session, methods).await.data(200);
    }
}
