//! Connections: what a reseller's shop signs is delivered once, in the shop's own words; nothing else is.

use std::fmt::Write as _;

use engine::clock::{Clock as _, SystemClock};
use futures_util::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use persistence::persons;
use serde_json::{Value, json};
use sha2::{Sha256, Sha512};

use crate::support::{Call, Reply, World, with_world};

pub(crate) const CODE: &str = "demo-both";
const ANN: &str = "ann@example.com";
const SECRET: &str = "dynsec_0123456789abcdef0123456789abcdef";
const KINDS: [&str; 5] = ["SHOPPEX", "SELLAUTH", "SELLIX", "SELLAPP", "CUSTOM"];

/// A connection as its shop knows it.
pub(crate) struct Shop {
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) kind: &'static str,
    pub(crate) secret: String,
}

impl World {
    /// The reseller with this code, signed in and stepped up.
    pub(crate) async fn shop_owner(&self, code: &str) -> String {
        let id = self.person(ANN).await;
        let (db, reseller) = (&self.server.app().database, self.reseller(code).id);
        persons::bind(db, id, reseller).await.unwrap();
        self.stepped_up(ANN).await
    }

    pub(crate) fn connections(&self, code: &str) -> String {
        let reseller = self.reseller(code).id;
        format!("/portal/v1/programs/{reseller}/connections")
    }

    pub(crate) fn connection_body(&self, kind: &str, title: &str) -> Value {
        let product = self.product(title).id.to_string();
        let mut body = json!({"name": "My shop", "kind": kind, "secret": SECRET,
            "product_map": [{"foreign_product": "p-1", "product_id": product}],
            "daily_spend_cap": "500.00"});
        if kind == "CUSTOM" {
            body["paths"] = json!({"signature_header": "X-Shop-Signature", "order_id": "/order/id",
                "product": "/product", "quantity": "/count", "customer_email": "/email",
                "answer": "JSON"});
        }
        body
    }

    /// Makes a connection of this kind for Antivirus, changed as wanted.
    pub(crate) async fn connect(
        &self,
        (session, code): (&str, &str),
        kind: &'static str,
        change: impl FnOnce(&mut Value),
    ) -> Shop {
        let mut body = self.connection_body(kind, "Antivirus");
        change(&mut body);
        let call = self.as_member(session, "POST", &self.connections(code));
        let made = call.json(&body).send().await.data(201);
        let id = made["id"].as_str().unwrap().to_owned();
        let path = format!("/hooks/dynamic/{id}");
        assert_eq!(
            made["callback_url"],
            format!("https://consign.example{path}")
        );
        Shop {
            id,
            path,
            kind,
            secret: SECRET.to_owned(),
        }
    }

    pub(crate) async fn asks(&self, shop: &Shop, order: &str, quantity: u32) -> Reply {
        self.signed(shop, &shop.order(order, quantity)).send().await
    }

    /// A call that the shop signs.
    fn signed(&self, shop: &Shop, body: &Value) -> Call {
        let text = body.to_string();
        let call = self
            .call("POST", &shop.path)
            .body("application/json", text.clone());
        let sha256 = || hex::<Hmac<Sha256>>(&shop.secret, &[text.as_bytes()]);
        match shop.kind {
            "SHOPPEX" => {
                let delivery = body["deliveryId"].as_str().unwrap();
                let at = SystemClock.now().timestamp();
                let before = format!("{delivery}.{at}.");
                let parts = [before.as_bytes(), text.as_bytes()];
                let digits = hex::<Hmac<Sha256>>(&shop.secret, &parts);
                call.header("x-shoppex-delivery-id", delivery)
                    .header("x-shoppex-signature-v2", &format!("v1,t={at},h={digits}"))
            }
            "SELLAUTH" => call.header("x-signature", &sha256()),
            "SELLIX" => {
                let digits = hex::<Hmac<Sha512>>(&shop.secret, &[text.as_bytes()]);
                call.header("x-sellix-signature", &digits)
                    .header("x-sellix-product-id", "p-1")
            }
            "SELLAPP" => call.header("signature", &sha256()),
            _ => call.header("x-shop-signature", &format!("sha256={}", sha256())),
        }
    }

    async fn log_of(&self, session: &str, shop: &Shop) -> Value {
        let path = format!("{}/{}/calls", self.connections(CODE), shop.id);
        let reply = self.as_member(session, "GET", &path).send().await;
        reply.data(200)
    }

    pub(crate) async fn edit(&self, session: &str, shop: &Shop, body: Value) -> Reply {
        let path = format!("{}/{}", self.connections(CODE), shop.id);
        self.as_member(session, "PATCH", &path)
            .json(&body)
            .send()
            .await
    }

    /// A connection of this reseller, in storage only.
    pub(crate) fn connection_of(&self, code: &str) -> String {
        let id = self.scalar(&format!(
            "INSERT INTO connections (connection_id, merchant_id, relationship_id, name, kind, status,
               secret, product_map, daily_spend_cap, created_at, updated_at)
             SELECT gen_random_uuid(), merchant_id, relationship_id, 'Walls', 'SELLAUTH', 'PAUSED',
               '', '[{{\"foreign_product\": \"p\", \"foreign_variant\": null, \"variant_id\": null,
                 \"product_id\": \"00000000-0000-0000-0000-000000000000\", \"factor\": 1}}]',
               100, now(), now()
             FROM relationships WHERE relationship_id = '{}'
             RETURNING connection_id",
            self.reseller(code).id.uuid()
        ));
        let id = id.lines().next().unwrap().parse().unwrap();
        engine::ids::ConnectionId::from_uuid(id).to_string()
    }
}

fn hex<M: Mac + KeyInit>(secret: &str, parts: &[&[u8]]) -> String {
    let mut mac = <M as KeyInit>::new_from_slice(secret.as_bytes()).unwrap();
    for part in parts {
        mac.update(part);
    }
    let mut hex = String::new();
    for byte in mac.finalize().into_bytes() {
        write!(hex, "{byte:02x}").unwrap();
    }
    hex
}

impl Shop {
    /// What this shop sends for so many of its product.
    fn order(&self, order: &str, quantity: u32) -> Value {
        match self.kind {
            "SHOPPEX" => json!({"deliveryId": order, "productId": "p-1", "quantity": quantity,
                "customerEmail": ANN, "invoiceId": "inv_1"}),
            "SELLAUTH" => json!({"event": "INVOICE.ITEM.DELIVER-DYNAMIC", "unique_id": order,
                "email": ANN, "item": {"id": 7, "product_id": "p-1", "quantity": quantity}}),
            "SELLIX" => json!({"event": "product:dynamic", "data": {"uniqid": order,
                "product_id": "p-1", "quantity": quantity, "customer_email": ANN}}),
            "SELLAPP" => json!({"id": order, "customer_information": {"email": ANN},
                "product_variants": [{"id": "v-1", "product_id": "p-1", "quantity": quantity}]}),
            _ => json!({"order": {"id": order}, "product": "p-1", "count": quantity, "email": ANN}),
        }
    }

    fn order_id(&self, order: &str) -> String {
        let words = match self.kind {
            "SELLAUTH" => format!("{order}:7"),
            "SELLIX" => format!("{order}:p-1"),
            "SELLAPP" => format!("{order}:v-1"),
            _ => order.to_owned(),
        };
        format!("{}:{words}", self.id)
    }

    /// The serials of an answer in this shop's form.
    pub(crate) fn serials(&self, reply: &Reply) -> Vec<String> {
        assert_eq!(reply.status, 200, "{}", reply.text());
        let listed = |list: &Value| {
            let texts = list.as_array().unwrap().iter();
            texts
                .map(|text| text.as_str().unwrap().to_owned())
                .collect()
        };
        match self.kind {
            "SHOPPEX" => {
                let answer = reply.json()["data"].clone();
                let codes: Vec<String> = listed(&answer["dynamic_response"]["codes"]);
                assert_eq!(answer["service_text"], codes.join("\n"));
                assert_eq!(answer["count"], codes.len());
                codes
            }
            "CUSTOM" => listed(&reply.json()["serials"]),
            _ => reply.text().lines().map(str::to_owned).collect(),
        }
    }

    /// That an answer delivers nothing, says nothing, and leaves the order open.
    fn refused(&self, reply: &Reply) {
        if self.kind == "SHOPPEX" {
            assert_eq!(reply.status, 200);
            assert_eq!(reply.json(), json!({"status": "pending"}));
        } else {
            assert_eq!((reply.status.as_u16(), reply.text().as_str()), (503, ""));
        }
    }
}

#[test]
fn signed_call_delivers_once_in_the_words_of_its_shop() {
    with_world(async |world| {
        let session = world.shop_owner(CODE).await;
        for kind in KINDS {
            let shop = world.connect((&session, CODE), kind, |_| {}).await;
            let first = shop.serials(&world.asks(&shop, "A-1", 2).await);
            assert_eq!(first.len(), 2, "{kind}");
            let state = world.state();
            let again = shop.serials(&world.asks(&shop, "A-1", 2).await);
            assert_eq!((again, world.state()), (first.clone(), state.clone()));
            shop.refused(&world.asks(&shop, "A-1", 3).await);
            assert_eq!(world.state(), state);

            let id = shop.order_id("A-1");
            let path = format!("/reseller/v1/fulfillments?external_order_id={id}");
            let found = world.call("GET", &path).key(&world.key(CODE)).send().await;
            let found = found.data(200)[0].clone();
            assert_eq!(
                (&found["channel"], &found["quantity"]),
                (&json!("CALLBACK"), &json!(2))
            );
            assert_eq!(found["customer_email"], ANN);

            let log = world.log_of(&session, &shop).await;
            let lines = log.as_array().unwrap().iter();
            let told: Vec<_> = lines
                .map(|line| (&line["outcome"], &line["code"]))
                .collect();
            assert_eq!(
                told,
                [
                    (&json!("REFUSED"), &json!("ORDER_MISMATCH")),
                    (&json!("REPLAYED"), &json!(null)),
                    (&json!("DELIVERED"), &json!(null)),
                ]
            );
            assert_eq!(log[2]["external_order_id"], id);
            assert_eq!(log[2]["fulfillment_id"], found["id"]);
            let rows =
                world.scalar("SELECT string_agg(to_jsonb(c)::text, '') FROM connection_calls AS c");
            assert!(!rows.contains(&first[0]) && !rows.contains(ANN));
        }
    });
}

#[test]
fn call_that_the_shop_did_not_sign_hears_nothing_and_gets_nothing() {
    with_world(async |world| {
        let session = world.shop_owner(CODE).await;
        for kind in KINDS {
            let shop = world.connect((&session, CODE), kind, |_| {}).await;
            let state = world.state();
            let forger = Shop {
                secret: "another-secret".to_owned(),
                id: shop.id.clone(),
                path: shop.path.clone(),
                kind,
            };
            let body = shop.order("A-1", 1);
            let plain = world.call("POST", &shop.path).json(&body);
            // Signed for another body.
            let mut exchanged = world.signed(&shop, &body);
            exchanged.replace_body(&shop.order("A-1", 9));
            for call in [world.signed(&forger, &body), plain, exchanged] {
                let reply = call.send().await;
                assert_eq!(
                    (reply.status.as_u16(), reply.text().as_str()),
                    (401, ""),
                    "{kind}"
                );
            }
            let nowhere = Shop {
                path: "/hooks/dynamic/con_00000000000000000000000000".to_owned(),
                ..forger
            };
            let reply = world.asks(&nowhere, "A-1", 1).await;
            assert_eq!((reply.status.as_u16(), reply.text().as_str()), (401, ""));
            assert_eq!(world.state(), state);
            let log = world.log_of(&session, &shop).await;
            assert_eq!(log[0]["outcome"], "BAD_SIGNATURE");
            assert_eq!(log.as_array().unwrap().len(), 1, "one line a minute");
        }
    });
}

#[test]
fn nothing_but_a_signed_post_executes() {
    with_world(async |world| {
        let session = world.shop_owner(CODE).await;
        let shop = world.connect((&session, CODE), "SELLAUTH", |_| {}).await;
        let state = world.state();
        for method in ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"] {
            let reply = world.call(method, &shop.path).send().await;
            assert_eq!(
                (reply.status.as_u16(), reply.text().as_str()),
                (405, ""),
                "{method}"
            );
        }
        let other = |body: &str| {
            let digits = hex::<Hmac<Sha256>>(SECRET, &[body.as_bytes()]);
            let call = world.call("POST", &shop.path);
            call.body("application/json", body.to_owned())
                .header("x-signature", &digits)
        };
        for body in [
            "",
            "[]",
            "{",
            "{\"event\": \"INVOICE.ITEM.DELIVER-DYNAMIC\"}",
        ] {
            shop.refused(&other(body).send().await);
        }
        let large = world
            .call("POST", &shop.path)
            .announce(300 * 1024)
            .send()
            .await;
        assert_eq!((large.status.as_u16(), large.text().as_str()), (413, ""));
        assert_eq!(world.state(), state);
    });
}

#[test]
fn refused_calls_leave_the_order_open_and_their_owner_sees_why() {
    with_world(async |world| {
        let session = world.shop_owner(CODE).await;
        for kind in KINDS {
            let beta = world.product("Closed beta").id.to_string();
            let shop = world
                .connect((&session, CODE), kind, |body| {
                    body["daily_spend_cap"] = json!("30.00");
                })
                .await;
            shop.serials(&world.asks(&shop, "C-1", 1).await);
            let state = world.state();
            // 23.99 of 30.00 are spent.
            shop.refused(&world.asks(&shop, "C-2", 1).await);
            shop.refused(&world.asks(&shop, "C-2", 101).await);
            let map = json!([{"foreign_product": "p-2", "product_id": beta}]);
            let edit = json!({"product_map": map, "daily_spend_cap": "5000.00"});
            world.edit(&session, &shop, edit).await.data(200);
            shop.refused(&world.asks(&shop, "C-2", 1).await);
            let map = json!([{"foreign_product": "p-1", "product_id": beta, "quantity_factor": 4}]);
            world
                .edit(&session, &shop, json!({"product_map": map}))
                .await
                .data(200);
            shop.refused(&world.asks(&shop, "C-2", 1).await);
            world
                .edit(&session, &shop, json!({"status": "PAUSED"}))
                .await
                .data(200);
            shop.refused(&world.asks(&shop, "C-2", 1).await);
            assert_eq!(world.state(), state);
            let log = world.log_of(&session, &shop).await;
            let codes = log
                .as_array()
                .unwrap()
                .iter()
                .map(|line| line["code"].as_str());
            assert_eq!(
                codes.collect::<Vec<_>>(),
                [
                    Some("INVALID_STATE"),
                    Some("OUT_OF_STOCK"),
                    Some("PRODUCT_NOT_ALLOWED"),
                    Some("VALIDATION_ERROR"),
                    Some("SPEND_CAP_EXCEEDED"),
                    None,
                ],
                "{kind}"
            );
            let map = json!([{"foreign_product": "p-1",
                "product_id": world.product("Antivirus").id.to_string()}]);
            let edit = json!({"status": "ACTIVE", "product_map": map});
            let on = world.edit(&session, &shop, edit).await.data(200);
            assert_eq!(on["spent_today"], "23.99");
            shop.serials(&world.asks(&shop, "C-2", 1).await);
        }
    });
}

#[test]
fn refused_order_is_told_once_however_often_the_shop_asks() {
    with_world(async |world| {
        let session = world.shop_owner(CODE).await;
        let shop = world
            .connect((&session, CODE), "SELLIX", |body| {
                body["daily_spend_cap"] = json!("1.00");
            })
            .await;
        for order in ["T-1", "T-1", "T-1", "T-2"] {
            shop.refused(&world.asks(&shop, order, 1).await);
        }
        let mut told = Vec::new();
        let mut after = 0;
        while !told.contains(&shop.order_id("T-2")) {
            let query = format!("?types=connection:refused&wait=20&after={after}");
            let path = format!("/reseller/v1/events{query}");
            let page = world
                .call("GET", &path)
                .key(&world.key(CODE))
                .send()
                .await
                .json();
            for event in page["data"].as_array().unwrap() {
                let event = &event["data"];
                assert_eq!(event["code"], "SPEND_CAP_EXCEEDED");
                assert_eq!(event["connection_id"], shop.id.as_str());
                told.push(event["external_order_id"].as_str().unwrap().to_owned());
            }
            after = page["pagination"]["next_after"].as_u64().unwrap();
        }
        assert_eq!(told, [shop.order_id("T-1"), shop.order_id("T-2")]);
    });
}

#[test]
fn empty_balance_delivers_nothing() {
    with_world(async |world| {
        let session = world.shop_owner("demo-broke").await;
        let shop = world
            .connect((&session, "demo-broke"), "SHOPPEX", |_| {})
            .await;
        let state = world.state();
        shop.refused(&world.asks(&shop, "E-1", 1).await);
        assert_eq!(world.state(), state);
        let codes = world.scalar("SELECT string_agg(code, ',') FROM connection_calls");
        assert_eq!(codes, "INSUFFICIENT_BALANCE");
    });
}

#[test]
fn shops_that_both_count_from_one_deliver_their_own() {
    with_world(async |world| {
        let session = world.shop_owner(CODE).await;
        for kind in KINDS {
            let first = world.connect((&session, CODE), kind, |_| {}).await;
            let second = world.connect((&session, CODE), kind, |_| {}).await;
            let one = first.serials(&world.asks(&first, "1", 1).await);
            let other = second.serials(&world.asks(&second, "1", 1).await);
            assert_ne!(one, other, "{kind}");
            // One that asks for something else under the same number is no other's either.
            second.refused(&world.asks(&second, "1", 2).await);
            let again = first.serials(&world.asks(&first, "1", 1).await);
            assert_eq!(again, one);
        }
    });
}

#[test]
fn connection_that_shares_means_the_orders_of_its_reseller() {
    with_world(async |world| {
        let session = world.shop_owner(CODE).await;
        let share = |body: &mut Value| body["namespace"] = json!("SHARED");
        let shop = world.connect((&session, CODE), "CUSTOM", share).await;
        let order = json!({"external_order_id": "K-1", "customer_email": ANN,
            "product_id": world.product("Antivirus").id.to_string()});
        let bought = world.order(&world.key(CODE), &order).await.data(201);
        let state = world.state();
        let told = shop.serials(&world.asks(&shop, "K-1", 1).await);
        assert_eq!(json!(told), bought["serials"]);
        assert_eq!(world.state(), state);
        let fixed = world
            .edit(&session, &shop, json!({"namespace": "OWN"}))
            .await;
        fixed.refused(422, "VALIDATION_ERROR");
        let preset = world.connect((&session, CODE), "SELLAUTH", share).await;
        preset.serials(&world.asks(&preset, "S-1", 1).await);
        let path = "/reseller/v1/fulfillments?external_order_id=sellauth:S-1:7";
        let found = world.call("GET", path).key(&world.key(CODE)).send().await;
        assert_eq!(found.data(200).as_array().unwrap().len(), 1);
        // Those that were made before there were namespaces share, as they did.
        let old = world.connection_of(CODE);
        let path = format!("{}/{old}", world.connections(CODE));
        let old = world.as_member(&session, "GET", &path).send().await;
        assert_eq!(old.data(200)["namespace"], "SHARED");
    });
}

#[test]
fn lines_that_a_shop_tells_apart_are_orders_of_their_own() {
    with_world(async |world| {
        let session = world.shop_owner(CODE).await;
        let shop = world
            .connect((&session, CODE), "CUSTOM", |body| {
                body["paths"]["line_id"] = json!("/line");
            })
            .await;
        let ask = async |line: Value| {
            let mut body = shop.order("L-1", 1);
            body["line"] = line;
            world.signed(&shop, &body).send().await
        };
        let first = shop.serials(&ask(json!(1)).await);
        let second = shop.serials(&ask(json!(2)).await);
        assert_ne!(first, second);
        assert_eq!(shop.serials(&ask(json!(1)).await), first);
        shop.refused(&ask(json!(null)).await);
    });
}

#[test]
fn call_about_an_order_that_is_not_paid_delivers_nothing() {
    with_world(async |world| {
        let session = world.shop_owner(CODE).await;
        let custom = world
            .connect((&session, CODE), "CUSTOM", |body| {
                body["paths"]["event"] = json!("/event");
                body["paths"]["event_values"] = json!(["order.paid"]);
            })
            .await;
        let app = world.connect((&session, CODE), "SELLAPP", |_| {}).await;
        let unpaid = json!({"status": {"status": "PENDING"}});
        let paid = json!({"status": {"status": "COMPLETED"}});
        for (shop, field, no, yes) in [
            (
                &custom,
                "event",
                json!("order.created"),
                json!("order.paid"),
            ),
            (&app, "status", unpaid, paid),
            (
                &app,
                "event",
                json!("order.created"),
                json!("order.completed"),
            ),
        ] {
            let ask = async |order: &str, said: Value| {
                let mut body = shop.order(order, 1);
                body[field] = said;
                world.signed(shop, &body).send().await
            };
            let state = world.state();
            shop.refused(&ask(field, no).await);
            assert_eq!(world.state(), state);
            let log = world.log_of(&session, shop).await;
            assert_eq!(log[0]["code"], "VALIDATION_ERROR");
            shop.serials(&ask(field, yes).await);
        }
    });
}

#[test]
fn shop_that_calls_too_often_waits() {
    with_world(async |world| {
        let session = world.shop_owner(CODE).await;
        let shop = world
            .connect((&session, CODE), "SELLAUTH", |body| {
                body["product_map"][0]["foreign_product"] = json!("p-9");
            })
            .await;
        // As many at once as it takes; the test's own patience bounds it.
        loop {
            join_all((0..60).map(|_| world.asks(&shop, "R-1", 1))).await;
            let late = "SELECT COUNT(*) > 0 FROM connection_calls WHERE code = 'RATE_LIMITED'";
            if world.scalar(late) == "t" {
                break;
            }
        }
        let kept = world.scalar("SELECT COUNT(*) <= 200 FROM connection_calls");
        assert_eq!(kept, "t");
    });
}
