//! What was delivered, as a merchant and a person read it: whole lists, masked serials, one reveal at a time.

use serde_json::{Value, json};

use crate::support::{Call, Reply, World, order_of, with_world};

const CODE: &str = "demo-both";
const EMAIL: &str = "ann@person.example";

impl World {
    fn own_history(&self, session: &str, method: &'static str, path: &str) -> Call {
        let reseller = self.reseller(CODE).id;
        let path = format!("/programs/{reseller}/fulfillments{path}");
        self.page(method, &path).header("cookie", session)
    }

    async fn history(&self, path: &str) -> Reply {
        let call = self.dev_of(CODE, "GET", &format!("fulfillments{path}"));
        call.send().await
    }

    async fn one_sold(&self, order_id: &str) -> Value {
        let order = order_of(order_id, self.product("Antivirus"));
        self.order(&self.key(CODE), &order).await.data(201)
    }
}

fn text<'a>(of: &'a Value, field: &str) -> &'a str {
    of[field].as_str().unwrap()
}

#[test]
fn merchant_reads_what_was_delivered_without_customers_and_serials() {
    with_world(async |world| {
        let first = world.one_sold("WOO-1").await;
        let second = world.one_sold("WOO-2").await;
        let page = world.history("?limit=1").await.json();
        assert_eq!(page["data"][0]["id"], second["id"]);
        assert_eq!(page["data"][0]["customer_email"], "a…@example.com");
        assert_eq!(page["data"][0]["serials"], json!([]));
        let next = text(&page["pagination"], "next_cursor");
        let rest = world.history(&format!("?limit=1&cursor={next}")).await;
        let rest = rest.json();
        assert_eq!(rest["data"][0]["id"], first["id"]);
        assert_eq!(rest["pagination"]["has_more"], false);

        let one = format!("/{}", text(&first, "id"));
        let one = world.history(&one).await;
        let (serial, whole) = (first["serials"][0].as_str().unwrap(), one.text());
        assert!(!whole.contains(serial) && !whole.contains("ann@example.com"));
        let shown = one.data(200)["lines"][0]["items"][0]["serial"].clone();
        let shown = shown.as_str().unwrap();
        assert!(serial.ends_with(shown.trim_start_matches('…')), "{shown}");

        let found = world.history("?external_order_id=WOO-1").await.data(200);
        assert_eq!(found.as_array().unwrap().len(), 1);
        assert_eq!(found[0]["id"], first["id"]);
        let none = world.history("?external_order_id=WOO-3").await.data(200);
        assert_eq!(none, json!([]));
        let file = world.history("?format=csv").await.text();
        assert_eq!(file.lines().count(), 3);
        assert!(!file.contains("ann@example.com"), "{file}");
        for wrong in [
            "?status=GONE",
            "?external_order_id=",
            "?test=1",
            "?cursor=x",
        ] {
            let refused = world.history(wrong).await;
            refused.refused(422, "VALIDATION_ERROR");
        }
    });
}

#[test]
fn orders_of_test_mode_are_listed_only_if_asked_for() {
    with_world(async |world| {
        assert_eq!(world.history("?test=true").await.data(200), json!([]));
        let order = order_of("TRY-1", world.product("Antivirus"));
        let tried = world.order(&world.test_key(CODE), &order).await.data(201);
        assert_eq!(world.history("").await.data(200), json!([]));
        let listed = world.history("?test=true").await.data(200);
        assert_eq!(listed[0]["id"], tried["id"]);
        assert_eq!(listed[0]["test"], true);
        let one = format!("/{}", text(&tried, "id"));
        assert_eq!(world.history(&one).await.data(200)["test"], true);
        let ledger = async |query: &str| {
            let path = format!("balance/ledger?kind=FULFILLMENT{query}");
            let found = world.dev_of(CODE, "GET", &path).send().await;
            found.data(200).as_array().unwrap().len()
        };
        assert_eq!((ledger("").await, ledger("&test=true").await), (0, 1));
    });
}

#[test]
fn person_reads_customers_and_each_serial_by_itself() {
    with_world(async |world| {
        let session = world.as_reseller(CODE, EMAIL).await;
        let sold = world.one_sold("WOO-1").await;
        let listed = world.own_history(&session, "GET", "").send().await;
        assert_eq!(listed.data(200)[0]["customer_email"], "ann@example.com");
        let serial = sold["serials"][0].as_str().unwrap();
        let path = format!("/{}", text(&sold, "id"));
        let one = world.own_history(&session, "GET", &path).send().await;
        assert!(!one.text().contains(serial));
        let item = one.data(200)["lines"][0]["items"][0]["id"].clone();
        let path = format!("{path}/items/{}/reveal", item.as_str().unwrap());
        let reveal = || {
            let call = world.own_history(&session, "POST", &path);
            call.header("idempotency-key", "once")
        };
        let read = reveal().send().await.data(200);
        assert_eq!((&read["id"], &read["serial"]), (&item, &sold["serials"][0]));
        // What is kept for a repetition has no text.
        let again = reveal().send().await;
        assert!(!again.text().contains(serial));
        let noted = format!(
            "SELECT COUNT(*) FROM audit_log WHERE action = 'fulfillment.reveal' AND target = {item}"
        );
        let noted = noted.replace('"', "'");
        assert_eq!(world.scalar(&noted), "1");
    });
}

#[test]
fn what_went_to_an_address_is_found_by_it() {
    with_world(async |world| {
        let first = world.one_sold("WOO-1").await;
        let mut order = order_of("WOO-2", world.product("Antivirus"));
        order["customer_email"] = json!("bob@example.com");
        world.order(&world.key(CODE), &order).await.data(201);
        let found = world.history("?email=ANN@example.com").await.data(200);
        assert_eq!(found.as_array().unwrap().len(), 1);
        assert_eq!(found[0]["id"], first["id"]);
        let none = world.history("?email=carl@example.com").await.data(200);
        assert_eq!(none, json!([]));
        let wrong = world.history("?email=carl").await;
        wrong.refused(422, "VALIDATION_ERROR");
        let later = world.one_sold("WOO-3").await;
        let found = world.history("?email=ann@example.com").await.data(200);
        assert_eq!(found[0]["id"], later["id"], "what was answered is found");

        let trace = async |body: &Value| {
            let call = world.call("POST", "/dev/v1/serials/trace");
            call.key(&world.merchant_key()).json(body).send().await
        };
        let traced = trace(&json!({"email": "ann@example.com"})).await;
        assert!(!traced.text().contains("ann@example.com"));
        let traced = traced.data(200);
        let traced = traced["found"].as_array().unwrap().iter();
        let mut orders: Vec<_> = traced
            .map(|one| text(&one["delivery"], "external_order_id").to_owned())
            .collect();
        orders.sort_unstable();
        assert_eq!(orders, ["WOO-1", "WOO-3"]);
        for wrong in [
            json!({}),
            json!({"email": "x"}),
            json!({"email": "a@b.example", "serial": "X"}),
        ] {
            trace(&wrong).await.refused(422, "VALIDATION_ERROR");
        }
        let stored =
            "SELECT COUNT(*) FROM customer_orders WHERE position('ann'::bytea IN digest) > 0";
        assert_eq!(
            world.scalar(stored),
            "0",
            "of an address only a digest is stored"
        );
    });
}
