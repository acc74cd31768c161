//! What happened is mailed to whoever has to act on it or should know, gathered, once.

use chrono::TimeDelta;
use engine::{
    clock::{Clock as _, SystemClock, Timestamp},
    persons::Role,
};
use persistence::mail::Letter;
use serde_json::{Value, json};

use crate::support::{World, order_of, with_world};

const CODE: &str = "demo-both";
const OWNER: &str = "owner@merchant.example";

impl World {
    /// Returns once the merchant's feed has so many events of this name: from then on they are mailed.
    async fn told_times(&self, name: &str, count: usize) {
        let path = format!("/dev/v1/events?types={name}&after=0&limit=100");
        for _ in 0..40 {
            let page = self
                .call("GET", &path)
                .key(&self.merchant_key())
                .send()
                .await;
            let page = page.json();
            let found = page["data"].as_array().unwrap().len();
            if found >= count {
                return;
            }
            let after = &page["pagination"]["next_after"];
            let wait = format!("/dev/v1/events?types={name}&after={after}&wait=20");
            self.call("GET", &wait)
                .key(&self.merchant_key())
                .send()
                .await;
        }
        panic!("{name} was not told {count} times");
    }

    /// A reseller wants serials, which the merchant is to invoice.
    async fn wish(&self, session: &str, title: &str, quantity: u32) -> Value {
        let product = self.product(title).id.to_string();
        let body = json!({"product_id": product, "quantity": quantity});
        let call = self.in_portal(session, "POST", "stock-requests");
        call.json(&body).send().await.data(201)
    }
}

fn later(minutes: i64) -> Timestamp {
    SystemClock.now() + TimeDelta::minutes(minutes)
}

fn sent(letters: &[Letter]) -> Vec<(&str, &str)> {
    let mut sent: Vec<_> = letters
        .iter()
        .map(|letter| (letter.to.as_str(), letter.subject.as_str()))
        .collect();
    sent.sort_unstable();
    sent
}

#[test]
fn purchases_that_wait_are_mailed_to_the_merchant_and_many_are_one_mail() {
    with_world(async |world| {
        world.member(OWNER, Role::Owner).await;
        world.member("viewer@merchant.example", Role::Viewer).await;
        let session = world.as_reseller(CODE, "ann@example.com").await;
        world.approve_stock("MANUAL").await;
        let first = world.wish(&session, "Antivirus", 3).await;
        world.told_times("stock_request:updated", 1).await;
        let letters = world.news(later(0)).await;
        assert_eq!(letters.len(), 1, "{:?}", sent(&letters));
        assert_eq!(letters[0].to, OWNER);
        for part in [
            "3 x Antivirus",
            CODE,
            "waits for your invoice",
            first["id"].as_str().unwrap(),
        ] {
            assert!(
                letters[0].text.contains(part),
                "{part}: {}",
                letters[0].text
            );
        }
        let second = world.wish(&session, "Antivirus", 4).await;
        let third = world.wish(&session, "Antivirus", 5).await;
        world.transfer(&third, "cancel", &json!({})).await.data(200);
        world.told_times("stock_request:updated", 4).await;
        let reseller = world.news(later(1)).await;
        assert_eq!(reseller.len(), 1, "{:?}", sent(&reseller));
        assert_eq!(reseller[0].to, "ann@example.com");
        assert!(
            reseller[0].text.contains("was cancelled"),
            "{}",
            reseller[0].text
        );
        let letters = world.news(later(11)).await;
        assert_eq!(letters.len(), 1, "{:?}", sent(&letters));
        for id in [&second["id"], &third["id"]] {
            assert!(letters[0].text.contains(id.as_str().unwrap()));
        }
        assert_eq!(world.news(later(60)).await.len(), 0);
    });
}

#[test]
fn purchase_of_the_merchants_own_is_news_to_its_reseller_only() {
    with_world(async |world| {
        world.member(OWNER, Role::Owner).await;
        let bought = world.buy_stock(CODE, "Antivirus", 2).await.data(201);
        world.told_times("inventory:allocated", 1).await;
        let letters = world.news(later(0)).await;
        assert_eq!(letters.len(), 1, "{:?}", sent(&letters));
        assert!(
            letters[0]
                .text
                .contains("2 x Antivirus Plus, 1 year: your purchase"),
            "{}",
            letters[0].text
        );
        let revoked = world.transfer(&bought, "revoke", &json!({})).await;
        revoked.data(200);
        world.told_times("inventory:revoked", 1).await;
        let letters = world.news(later(11)).await;
        assert_eq!(letters.len(), 1, "{:?}", sent(&letters));
        assert!(
            letters[0].text.contains("took 2 x Antivirus"),
            "{}",
            letters[0].text
        );
    });
}

#[test]
fn owners_say_which_mails_they_get_and_an_empty_shelf_is_mailed_to_copies_too() {
    with_world(async |world| {
        let owner = world.member(OWNER, Role::Owner).await;
        let session = world.open_session(owner).await;
        let path = "/dev/v1/notifications";
        let set = async |body: &Value| {
            let call = world.as_member(&session, "PUT", path).json(body);
            call.send().await
        };
        let seen = world
            .as_member(&session, "GET", path)
            .send()
            .await
            .data(200);
        assert_eq!(seen["stock"], json!({"email": true, "required": false}));
        assert_eq!(seen["key"], json!({"email": true, "required": true}));
        let copies =
            json!({"replacement": {"email": false}, "recipients": ["desk@merchant.example"]});
        let saved = set(&copies).await.data(200);
        assert_eq!(saved["replacement"]["email"], false);
        let again = world
            .as_member(&session, "GET", path)
            .send()
            .await
            .data(200);
        assert_eq!(again, saved);
        for wrong in [
            json!({"key": {"email": false}}),
            json!({"payout": {"email": false}}),
            json!({"top_up": {"email": false}}),
            json!({"recipients": ["x"]}),
        ] {
            set(&wrong).await.refused(422, "VALIDATION_ERROR");
        }

        // Nobody refers customers to it, or may order it.
        world.sql("UPDATE relationships SET product_scope = 'SELECTED'");
        let product = json!({"title": "Last one", "type": "SERIALS", "base_price": "2.00",
            "wholesale_price": "1.00"});
        let made = world
            .call("POST", "/dev/v1/products")
            .key(&world.merchant_key());
        let made = made.json(&product).send().await.data(201);
        let id = made["id"].as_str().unwrap();
        let call = |path: &str| world.call("POST", path).key(&world.merchant_key());
        let upload = call(&format!("/dev/v1/products/{id}/serials"));
        upload
            .json(&json!({"serials": ["A"]}))
            .send()
            .await
            .data(201);
        world.told_times("product:stock", 1).await;
        assert_eq!(
            sent(&world.news(later(0)).await),
            [],
            "that it is back is no news"
        );
        let claim = call(&format!("/dev/v1/products/{id}/serials/claim"));
        claim.json(&json!({"amount": 1})).send().await.data(200);
        world.told_times("product:stock", 2).await;
        let letters = world.news(later(0)).await;
        let to: Vec<_> = sent(&letters).into_iter().map(|(to, _)| to).collect();
        assert_eq!(to, ["desk@merchant.example", OWNER]);
        assert!(letters[0].text.contains("Last one is out of stock."));
    });
}

#[test]
fn who_sells_a_product_is_mailed_that_it_is_out_and_back_unless_it_does_not_want_that() {
    with_world(async |world| {
        world.member(OWNER, Role::Owner).await;
        let session = world.as_reseller(CODE, "ann@example.com").await;
        world.sql("UPDATE relationships SET product_scope = 'SELECTED'");
        let call = |method: &'static str, path: &str| {
            let path = format!("/dev/v1/{path}");
            world.call(method, &path).key(&world.merchant_key())
        };
        let product = json!({"title": "Orbit", "type": "SERIALS", "base_price": "2.00",
            "wholesale_price": "1.00"});
        let made = call("POST", "products").json(&product).send().await;
        let id = made.data(201)["id"].as_str().unwrap().to_owned();
        let access = json!({"product_ids": [id]});
        let of = format!("resellers/{}", world.reseller(CODE).id);
        call("PATCH", &of).json(&access).send().await.data(200);
        let shelf = format!("products/{id}/serials");
        let fill = async |serial: &str| {
            let serials = json!({"serials": [serial]});
            call("POST", &shelf).json(&serials).send().await.data(201);
        };
        let empty = async || {
            let claim = call("POST", &format!("{shelf}/claim"));
            claim.json(&json!({"amount": 1})).send().await.data(200);
        };
        let of_reseller = |letters: Vec<Letter>| -> Vec<Letter> {
            let letters = letters.into_iter();
            letters.filter(|letter| letter.to != OWNER).collect()
        };

        fill("A").await;
        world.told_times("product:stock", 1).await;
        let letters = world.news(later(0)).await;
        assert_eq!(
            sent(&letters),
            [(
                "ann@example.com",
                "Stock and your purchases at Lumen Software"
            )],
            "nobody else sells it"
        );
        assert!(
            letters[0].text.contains("Orbit is in stock."),
            "{}",
            letters[0].text
        );
        // What changes again within ten minutes is told as it is then, once.
        empty().await;
        world.told_times("product:stock", 2).await;
        assert_eq!(sent(&of_reseller(world.news(later(1)).await)), []);
        fill("B").await;
        world.told_times("product:stock", 3).await;
        empty().await;
        world.told_times("product:stock", 4).await;
        let letters = of_reseller(world.news(later(11)).await);
        assert_eq!(sent(&letters).len(), 1);
        let text = &letters[0].text;
        assert_eq!(text.matches("Orbit").count(), 1, "{text}");
        assert!(text.contains("Orbit is out of stock"), "{text}");
        assert!(!text.contains(&id) && !text.contains(OWNER), "{text}");

        let own = format!("/programs/{}/notifications", world.reseller(CODE).id);
        let set = world.page("PUT", &own).header("cookie", &session);
        let off = json!({"stock": {"email": false}});
        set.json(&off).send().await.data(200);
        fill("C").await;
        world.told_times("product:stock", 5).await;
        assert_eq!(sent(&of_reseller(world.news(later(30)).await)), []);
    });
}

#[test]
fn replacement_that_waits_is_mailed_unless_that_is_switched_off() {
    with_world(async |world| {
        let owner = world.member(OWNER, Role::Owner).await;
        let session = world.open_session(owner).await;
        let set = async |body: &Value| {
            let call = world.as_member(&session, "PUT", "/dev/v1/notifications");
            call.json(body).send().await.data(200)
        };
        set(&json!({"replacement": {"email": false}})).await;
        let ask = async |order: &str| {
            let body = order_of(order, world.product("Closed beta"));
            let bought = world.order(&world.key(CODE), &body).await.data(201);
            let reply = world
                .ask_replacement(&bought, 0, &json!({"reason": "USED"}))
                .await;
            reply.data(201)
        };
        assert_eq!(ask("WOO-1").await["status"], "REQUESTED");
        world.told_times("replacement:updated", 1).await;
        assert_eq!(sent(&world.news(later(0)).await), [], "it is switched off");
        set(&json!({})).await;
        ask("WOO-2").await;
        world.told_times("replacement:updated", 2).await;
        let letters = world.news(later(1)).await;
        assert_eq!(letters.len(), 1, "{:?}", sent(&letters));
        assert!(letters[0].text.contains("(USED)"), "{}", letters[0].text);
    });
}

#[test]
fn keys_that_are_made_and_revoked_are_told_and_mailed_to_their_owner() {
    with_world(async |world| {
        world.member(OWNER, Role::Owner).await;
        world.as_reseller(CODE, "ann@example.com").await;
        let stepped_up = world.stepped_up("ann@example.com").await;
        let keys = format!("/portal/v1/programs/{}/api-keys", world.reseller(CODE).id);
        let make = world.as_member(&stepped_up, "POST", &keys);
        let body = json!({"name": "Shop 2", "scopes": ["balance.read"]});
        let made = make.json(&body).send().await.data(201);
        let told = world.event(&world.key(CODE), "key:created").await;
        assert_eq!(told["data"]["api_key_id"], made["id"]);
        let letters = world.news(later(0)).await;
        assert_eq!(sent(&letters).len(), 1);
        assert_eq!(letters[0].to, "ann@example.com");
        assert!(letters[0].text.contains("The key \"Shop 2\""));
        let text = made["key"].as_str().unwrap();
        assert!(!letters[0].text.contains(text));
        let revoke = format!("{keys}/{}/revoke", made["id"].as_str().unwrap());
        let revoke = world.as_member(&stepped_up, "POST", &revoke);
        revoke.json(&json!({})).send().await.data(200);
        world.event(&world.key(CODE), "key:revoked").await;
        let letters = world.news(later(11)).await;
        assert_eq!(letters.len(), 1);
        assert!(
            letters[0].text.contains("was revoked at"),
            "{}",
            letters[0].text
        );
    });
}

#[test]
fn key_in_an_address_is_told_to_its_owner_once() {
    with_world(async |world| {
        let key = world.key(CODE);
        for _ in 0..3 {
            let path = format!("/reseller/v1/balance?api_key={key}");
            let reply = world.call("GET", &path).send().await;
            reply.refused(401, "UNAUTHORIZED");
        }
        let told = world.event(&key, "key:exposed").await;
        assert!(!told.to_string().contains(&key));
        let times = "SELECT COUNT(DISTINCT event_id) FROM event_spans
                     WHERE fact ->> 'fact' = 'key_exposed'";
        assert_eq!(world.scalar(times), "1");
        let letters = world.news(later(0)).await;
        assert_eq!(letters.len(), 1, "{:?}", sent(&letters));
        assert!(letters[0].text.contains("was sent in an address"));
        assert!(!letters[0].text.contains(&key));
    });
}
