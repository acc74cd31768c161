//! Webhooks over HTTP, with a receiver that answers as a test tells it.

use std::time::Duration;

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use engine::persons::Role;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::BodyExt as _;
use persistence::persons;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

use crate::support::{Reply, World, order_of, with_world};

/// Longer than any machine stalls, shorter than anybody waits for a test.
const PATIENCE: Duration = Duration::from_mins(1);
const HOOKS: &str = "/dev/v1/webhooks";

/// A server that events are sent to.
struct Receiver {
    url: String,
    requests: mpsc::UnboundedReceiver<Received>,
    task: JoinHandle<()>,
}

/// A request that waits for its answer.
struct Received {
    headers: HeaderMap,
    body: Bytes,
    answer: oneshot::Sender<u16>,
}

impl Receiver {
    #[expect(
        clippy::disallowed_methods,
        reason = "the receiver of a test has no owner"
    )]
    async fn start() -> Self {
        let (told, requests) = mpsc::unbounded_channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().fallback(receive).with_state(told);
        let serving = async move { axum::serve(listener, router).await.unwrap() };
        Self {
            url,
            requests,
            task: tokio::spawn(serving),
        }
    }

    async fn next(&mut self) -> Received {
        let next = timeout(PATIENCE, self.requests.recv()).await;
        next.expect("something is sent").unwrap()
    }

    /// Answers the next request; what it was.
    async fn answer(&mut self, status: u16) -> (HeaderMap, Value) {
        let next = self.next().await;
        next.answer.send(status).unwrap();
        (next.headers, serde_json::from_slice(&next.body).unwrap())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn receive(
    State(told): State<mpsc::UnboundedSender<Received>>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let (answer, answered) = oneshot::channel();
    let received = Received {
        headers: head.headers,
        body: body.collect().await.unwrap().to_bytes(),
        answer,
    };
    told.send(received).unwrap();
    // A test that is over answers nobody any more.
    let status = answered.await.unwrap_or(503);
    let elsewhere = [(header::LOCATION, "/elsewhere")];
    (StatusCode::from_u16(status).unwrap(), elsewhere, "thanks").into_response()
}

/// Whether one of the signatures of a request is this secret's.
fn is_signed(received: &Received, secret: &str) -> bool {
    let header = |name: &str| received.headers[name].to_str().unwrap();
    let key = secret.strip_prefix("whsec_").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&BASE64_STANDARD.decode(key).unwrap()).unwrap();
    mac.update(header("webhook-id").as_bytes());
    mac.update(b".");
    mac.update(header("webhook-timestamp").as_bytes());
    mac.update(b".");
    mac.update(&received.body);
    let expected = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
    let mut signatures = header("webhook-signature").split(' ');
    signatures.any(|signature| signature == expected)
}

impl World {
    async fn hooks(&self, method: &'static str, path: &str, body: &Value) -> Reply {
        let call = self.call(method, &format!("{HOOKS}{path}"));
        let call = call.key(&self.merchant_key());
        match method {
            "GET" => call.send().await,
            _ => call.json(body).send().await,
        }
    }

    async fn hook(&self, receiver: &Receiver, events: &[&str]) -> Value {
        let body = json!({"url": receiver.url, "events": events});
        self.hooks("POST", "", &body).await.data(201)
    }

    /// A webhook of the merchant and a delivery to it that failed.
    pub(crate) async fn webhook_with_delivery(&self) -> (String, String) {
        let body = json!({"url": "https://93.184.215.14/", "events": ["*"], "status": "PAUSED"});
        let made = self.hooks("POST", "", &body).await.data(201);
        self.sql(
            "INSERT INTO webhook_deliveries (delivery_id, webhook_id, merchant_id, event_id, event,
               status, created_at, updated_at)
             SELECT gen_random_uuid(), webhook_id, merchant_id, gen_random_uuid(), 'webhook:test',
               'FAILED', now(), now() FROM webhooks",
        );
        let log = self.hooks("GET", "/logs", &Value::Null).await.json();
        let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
        (id(&made), id(&log["data"][0]))
    }

    /// Waits until the one delivery there is is as expected.
    async fn delivery_is(&self, expected: &str) {
        let query =
            "SELECT status || ' ' || attempts || ' ' || COALESCE(response_status::text, '-')
                       || ' ' || COALESCE(failure, '-') FROM webhook_deliveries";
        self.until(query, expected).await;
    }

    /// Asks until the database says so: what is sent is noted a moment later.
    async fn until(&self, query: &str, expected: &str) {
        let noted = async {
            while self.scalar(query) != expected {
                tokio::task::yield_now().await;
            }
        };
        let noted = timeout(PATIENCE, noted).await;
        assert!(noted.is_ok(), "{} is not {expected}", self.scalar(query));
    }

    /// Has what waits for its time tried now.
    fn time_has_come(&self) {
        self.sql(
            "UPDATE webhook_deliveries SET due_at = now() WHERE due_at IS NOT NULL;
             UPDATE webhooks SET due_at = now()",
        );
    }
}

#[test]
fn order_is_sent_signed_as_the_feed_tells_it() {
    with_world(async |world| {
        let mut receiver = Receiver::start().await;
        let hook = world.hook(&receiver, &["fulfillment:created"]).await;
        let secret = hook["secret"].as_str().unwrap();
        assert_eq!(hook["status"], "ACTIVE");
        let key = world.key("demo-both");
        let order = order_of("WOO-1", world.product("Antivirus"));
        let order = world.order(&key, &order).await.data(201);
        let received = receiver.next().await;
        assert!(is_signed(&received, secret));
        assert!(!is_signed(&received, "whsec_AAAA"));
        assert_eq!(received.headers["user-agent"], "Consign-Webhook/1");
        assert_eq!(received.headers["content-type"], "application/json");
        let event: Value = serde_json::from_slice(&received.body).unwrap();
        assert_eq!(
            received.headers["webhook-id"],
            event["id"].as_str().unwrap()
        );
        assert_eq!(event["data"]["fulfillment_id"], order["id"]);
        let feed = world.call("GET", "/dev/v1/events?types=fulfillment:created");
        let feed = feed.key(&world.merchant_key()).send().await.json();
        assert_eq!(feed["data"], json!([event]));
        received.answer.send(204).unwrap();
        world.delivery_is("DELIVERED 1 204 -").await;
        let log = world
            .hooks("GET", "/logs?status=DELIVERED", &Value::Null)
            .await;
        let log = log.json();
        assert_eq!(log["pagination"]["total"], 1);
        assert_eq!(log["data"][0]["event_id"], event["id"]);
        assert_eq!(log["data"][0]["next_attempt_at"], Value::Null);
        let shown = world
            .hooks("GET", "", &Value::Null)
            .await
            .json()
            .to_string();
        assert!(shown.contains("fulfillment:created") && !shown.contains("whsec_"));
        let stored = world.scalar("SELECT encode(secret, 'escape') FROM webhooks");
        assert!(!stored.contains("whsec_") && !stored.is_empty());
    });
}

#[test]
fn failed_attempt_is_repeated_under_the_same_id_and_a_redirect_is_a_failure() {
    with_world(async |world| {
        let mut receiver = Receiver::start().await;
        world.hook(&receiver, &["fulfillment:created"]).await;
        let order = order_of("WOO-1", world.product("Antivirus"));
        world.order(&world.key("demo-both"), &order).await.data(201);
        let (first, body) = receiver.answer(500).await;
        world.delivery_is("RETRYING 1 500 STATUS").await;
        world.time_has_come();
        let (second, repeated) = receiver.answer(302).await;
        assert_eq!(first["webhook-id"], second["webhook-id"]);
        assert_eq!(body, repeated);
        world.delivery_is("RETRYING 2 302 STATUS").await;
        let waits = world.scalar(
            "SELECT due_at - updated_at BETWEEN interval '270 s' AND interval '330 s'
             FROM webhook_deliveries",
        );
        assert_eq!(waits, "t");
        world.time_has_come();
        receiver.answer(200).await;
        world.delivery_is("DELIVERED 3 200 -").await;
        assert!(receiver.requests.try_recv().is_err());
    });
}

#[test]
fn address_that_does_not_answer_holds_nobody_up() {
    with_world(async |world| {
        let (mut slow, mut quick) = (Receiver::start().await, Receiver::start().await);
        let held = world.hook(&slow, &["fulfillment:created"]).await;
        world.hook(&quick, &["fulfillment:created"]).await;
        let order = order_of("WOO-1", world.product("Antivirus"));
        world.order(&world.key("demo-both"), &order).await.data(201);
        let waits = slow.next().await;
        quick.answer(200).await;
        let delivered = "SELECT COUNT(*) FROM webhook_deliveries WHERE status = 'DELIVERED'";
        world.until(delivered, "1").await;
        let gone = format!("/{}", held["id"].as_str().unwrap());
        world.sql("DELETE FROM webhook_deliveries WHERE status = 'DELIVERED'");
        world.delivery_is("RETRYING 1 - TIMEOUT").await;
        drop(waits);
        world.hooks("DELETE", &gone, &json!({})).await;
        world.delivery_is("FAILED 1 - TIMEOUT").await;
    });
}

#[test]
fn address_is_checked_again_at_every_attempt() {
    with_world(async |world| {
        let mut receiver = Receiver::start().await;
        world.hook(&receiver, &["fulfillment:created"]).await;
        world.sql("UPDATE webhooks SET url = 'https://169.254.169.254/latest/meta-data/'");
        let order = order_of("WOO-1", world.product("Antivirus"));
        world.order(&world.key("demo-both"), &order).await.data(201);
        world.delivery_is("RETRYING 1 - ADDRESS_NOT_ALLOWED").await;
        assert!(receiver.requests.try_recv().is_err());
    });
}

#[test]
fn what_was_sent_and_could_not_be_noted_is_sent_again_under_the_same_id() {
    with_world(async |world| {
        let mut receiver = Receiver::start().await;
        world.hook(&receiver, &["fulfillment:created"]).await;
        let order = order_of("WOO-1", world.product("Antivirus"));
        world.order(&world.key("demo-both"), &order).await.data(201);
        let first = receiver.next().await;
        // The process that sent it is gone: its lease is over, and somebody else begins.
        world.sql("UPDATE webhooks SET leased_until = now(), due_at = now()");
        let second = receiver.next().await;
        assert_eq!(first.headers["webhook-id"], second.headers["webhook-id"]);
        assert_eq!(first.body, second.body);
        first.answer.send(500).unwrap();
        second.answer.send(200).unwrap();
        world.delivery_is("DELIVERED 1 200 -").await;
    });
}

#[test]
fn both_secrets_sign_while_one_is_replaced() {
    with_world(async |world| {
        let mut receiver = Receiver::start().await;
        let hook = world.hook(&receiver, &["fulfillment:created"]).await;
        let (id, old) = (
            hook["id"].as_str().unwrap(),
            hook["secret"].as_str().unwrap(),
        );
        let (rotate, test) = (format!("/{id}/rotate-secret"), format!("/{id}/test"));
        let rotated = world.hooks("POST", &rotate, &json!({})).await.data(200);
        let new = rotated["secret"].as_str().unwrap();
        assert_ne!(old, new);
        assert!(rotated["old_secret_until"].is_string());
        world.hooks("POST", &test, &json!({})).await.data(201);
        let received = receiver.next().await;
        assert!(is_signed(&received, old) && is_signed(&received, new));
        received.answer.send(200).unwrap();
        let at_once = json!({"overlap_hours": 0});
        let last = world.hooks("POST", &rotate, &at_once).await.data(200);
        world.hooks("POST", &test, &json!({})).await.data(201);
        let received = receiver.next().await;
        assert!(is_signed(&received, last["secret"].as_str().unwrap()));
        assert!(!is_signed(&received, old) && !is_signed(&received, new));
        received.answer.send(200).unwrap();
        let too_long = json!({"overlap_hours": 169});
        let refused = world.hooks("POST", &rotate, &too_long).await;
        refused.refused(422, "VALIDATION_ERROR");
    });
}

#[test]
fn events_wait_while_their_webhook_is_paused() {
    with_world(async |world| {
        let mut receiver = Receiver::start().await;
        let hook = world.hook(&receiver, &["fulfillment:created"]).await;
        let path = format!("/{}", hook["id"].as_str().unwrap());
        let paused = world
            .hooks("PATCH", &path, &json!({"status": "paused"}))
            .await;
        assert_eq!(paused.data(200)["status"], "PAUSED");
        let key = world.key("demo-both");
        let order = order_of("WOO-1", world.product("Antivirus"));
        world.order(&key, &order).await.data(201);
        world.event(&key, "fulfillment:created").await;
        let test = world
            .hooks("POST", &format!("{path}/test"), &json!({}))
            .await;
        test.refused(409, "INVALID_STATE");
        assert_eq!(world.scalar("SELECT COUNT(*) FROM webhook_deliveries"), "0");
        let active = world
            .hooks("PATCH", &path, &json!({"status": "ACTIVE"}))
            .await;
        assert_eq!(active.data(200)["url"], hook["url"]);
        let (_, event) = receiver.answer(200).await;
        assert_eq!(event["data"]["external_order_id"], "WOO-1");
        world.delivery_is("DELIVERED 1 200 -").await;
        assert_eq!(world.hooks("DELETE", &path, &json!({})).await.status, 204);
        let gone = world.hooks("GET", &path, &Value::Null).await;
        gone.refused(404, "NOT_FOUND");
    });
}

#[test]
fn trial_is_tried_once_and_repeated_by_hand() {
    with_world(async |world| {
        let mut receiver = Receiver::start().await;
        let hook = world.hook(&receiver, &["fulfillment:created"]).await;
        let test = format!("/{}/test", hook["id"].as_str().unwrap());
        let sent = world.hooks("POST", &test, &json!({})).await.data(201);
        assert_eq!(
            (&sent["status"], &sent["event"]),
            (&json!("PENDING"), &json!("webhook:test"))
        );
        let retry = format!("/logs/{}/retry", sent["id"].as_str().unwrap());
        let (headers, body) = receiver.answer(500).await;
        assert_eq!(headers["webhook-id"], sent["event_id"].as_str().unwrap());
        assert_eq!(body["data"]["webhook_id"], hook["id"]);
        world.delivery_is("FAILED 1 500 STATUS").await;
        let again = world.hooks("POST", &retry, &json!({})).await.data(200);
        assert_eq!(
            (&again["status"], &again["attempts"]),
            (&json!("PENDING"), &json!(0))
        );
        receiver.answer(200).await;
        world.delivery_is("DELIVERED 1 200 -").await;
        let refused = world.hooks("POST", &retry, &json!({})).await;
        refused.refused(409, "INVALID_STATE");
        // Whoever answers at once could otherwise be sent trials without end.
        world.sql("UPDATE webhooks SET rests_until = now() + interval '1 day'");
        for _ in 0..9 {
            world.hooks("POST", &test, &json!({})).await.data(201);
        }
        let refused = world.hooks("POST", &test, &json!({})).await;
        refused.refused(429, "RATE_LIMITED");
    });
}

#[test]
fn webhook_without_a_success_for_days_is_given_up_and_its_owner_is_told() {
    with_world(async |world| {
        world.member("owner@merchant.example", Role::Owner).await;
        let mut receiver = Receiver::start().await;
        let hook = world.hook(&receiver, &["fulfillment:created"]).await;
        world.sql("UPDATE webhooks SET failures = 19, failing_since = now() - interval '5 days'");
        let order = order_of("WOO-1", world.product("Antivirus"));
        let key = world.key("demo-both");
        world.order(&key, &order).await.data(201);
        receiver.answer(500).await;
        world.delivery_is("RETRYING 1 500 STATUS").await;
        let path = format!("/{}", hook["id"].as_str().unwrap());
        let given_up = world.hooks("GET", &path, &Value::Null).await.data(200);
        assert_eq!(given_up["status"], "DISABLED");
        let told = world.call("GET", "/dev/v1/events?types=webhook:disabled&wait=20");
        let told = told.key(&world.merchant_key()).send().await.json();
        assert_eq!(told["data"][0]["data"]["webhook_id"], hook["id"]);
        let mails = "SELECT COUNT(*) FROM mails WHERE kind = 'webhook-disabled'";
        world.until(mails, "1").await;
        let active = world
            .hooks("PATCH", &path, &json!({"status": "ACTIVE"}))
            .await;
        assert_eq!(active.data(200)["failing_since"], Value::Null);
        world.time_has_come();
        receiver.answer(200).await;
        world.delivery_is("DELIVERED 2 200 -").await;
    });
}

#[test]
fn only_what_can_be_sent_to_is_taken() {
    with_world(async |world| {
        let url = "https://93.184.215.14/hook";
        for body in [
            json!({"url": "https://10.0.0.1/", "events": ["*"]}),
            json!({"url": "https://[::ffff:169.254.169.254]/", "events": ["*"]}),
            json!({"url": "ftp://93.184.215.14/", "events": ["*"]}),
            json!({"url": "https://user:secret@93.184.215.14/", "events": ["*"]}),
            json!({"url": url, "events": []}),
            json!({"url": url, "events": ["*", "balance:low"]}),
            json!({"url": url, "events": ["balance:lost"]}),
            json!({"url": url, "events": ["webhook:test"]}),
            json!({"url": url, "events": vec!["balance:low"; 51]}),
            json!({"url": url, "events": ["*"], "status": "DISABLED"}),
            json!({"url": url, "events": ["*"], "secret": "whsec_AAAA"}),
        ] {
            let refused = world.hooks("POST", "", &body).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
        let body =
            json!({"url": url, "events": ["balance:low", "balance:low"], "status": "PAUSED"});
        for _ in 0..20 {
            let made = world.hooks("POST", "", &body).await.data(201);
            assert_eq!(made["events"], json!(["balance:low"]));
        }
        let refused = world.hooks("POST", "", &body).await;
        refused.refused(409, "INVALID_STATE");
    });
}

#[test]
fn reseller_has_webhooks_of_its_own() {
    with_world(async |world| {
        let person = world.person("ann@example.com").await;
        let reseller = world.reseller("demo-both").id;
        let db = &world.server.app().database;
        persons::bind(db, person, reseller).await.unwrap();
        let session = world.open_session(person).await;
        let all = format!("/portal/v1/programs/{reseller}/webhooks");
        let mut receiver = Receiver::start().await;
        let call = async |method, path: &str, body: &Value| {
            let call = world.as_member(&session, method, &format!("{all}{path}"));
            match method {
                "GET" => call.send().await,
                _ => call.json(body).send().await,
            }
        };
        let merchants = json!({"url": receiver.url, "events": ["serials:imported"]});
        let refused = call("POST", "", &merchants).await;
        refused.refused(422, "VALIDATION_ERROR");
        let events = call("GET", "/events", &Value::Null).await.data(200);
        let names: Vec<_> = events
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["event"])
            .collect();
        assert!(names.contains(&&json!("balance:low")));
        assert!(!names.contains(&&json!("serials:imported")));
        let made = call(
            "POST",
            "",
            &json!({"url": receiver.url, "events": ["fulfillment:created"]}),
        )
        .await;
        let made = made.data(201);
        let path = format!("/{}", made["id"].as_str().unwrap());
        let theirs = world.hooks("GET", &path, &Value::Null).await;
        theirs.refused(404, "NOT_FOUND");
        let order = order_of("WOO-1", world.product("Antivirus"));
        world.order(&world.key("demo-both"), &order).await.data(201);
        let (_, event) = receiver.answer(200).await;
        assert_eq!(event["event"], "fulfillment:created");
        world.delivery_is("DELIVERED 1 200 -").await;
        let log = call("GET", "/logs?page=1", &Value::Null).await.json();
        assert_eq!(log["data"][0]["webhook_id"], made["id"]);
        let merchants = world.hooks("GET", "/logs", &Value::Null).await.json();
        assert_eq!(merchants["data"], json!([]));
    });
}
