//! A merchant makes, lists, finds and ends products.

use serde_json::{Value, json};

use crate::support::{Reply, World, order_of, with_world};

const PATH: &str = "/dev/v1/products";

impl World {
    async fn make_product(&self, product: &Value) -> Reply {
        let call = self.call("POST", PATH).key(&self.merchant_key());
        call.json(product).send().await
    }

    async fn read_product(&self, rest: &str) -> Reply {
        let path = format!("{PATH}{rest}");
        let call = self.call("GET", &path).key(&self.merchant_key());
        call.send().await
    }

    async fn patch(&self, id: &str, change: &Value) -> Reply {
        let path = format!("{PATH}/{id}");
        let call = self.call("PATCH", &path).key(&self.merchant_key());
        call.json(change).send().await
    }

    async fn end(&self, id: &str) -> Reply {
        let path = format!("{PATH}/{id}");
        let call = self.call("DELETE", &path).key(&self.merchant_key());
        call.send().await
    }

    /// Everything of a catalog, to be the same after a refusal.
    fn catalog(&self) -> String {
        self.scalar(
            "SELECT sha256(convert_to(
               (SELECT jsonb_agg(to_jsonb(p) ORDER BY product_id)::text FROM products AS p)
               || (SELECT jsonb_agg(to_jsonb(v) ORDER BY variant_id)::text FROM variants AS v)
               || (SELECT COUNT(*) FROM audit_log WHERE action LIKE 'product.%'), 'UTF8'))",
        )
    }

    fn audited(&self, id: &str) -> String {
        self.scalar(&format!(
            "SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_log WHERE target = '{id}'"
        ))
    }
}

fn id(product: &Value) -> String {
    product["id"].as_str().unwrap().to_owned()
}

fn titles(reply: &Reply) -> Vec<String> {
    let listed = reply.json()["data"].as_array().unwrap().clone();
    let titles = listed.iter().map(|one| one["title"].as_str().unwrap());
    titles.map(str::to_owned).collect()
}

#[test]
fn product_is_made_with_everything_and_sold() {
    with_world(async |world| {
        let made = world
            .make_product(&json!({
                "title": "Orbit", "type": "serials", "base_price": 12.5, "wholesale_price": "9.00",
                "description": "Lifetime", "auto_fulfilled": true, "min_quantity": 1, "max_quantity": 5,
                "low_stock_threshold": 3,
                "custom_fields": [{"name": "user", "type": "TEXT", "required": true, "regex": "^[a-z]+$"}],
                "variants": [
                    {"title": "Gold", "base_price": "20.00", "wholesale_price": "15.00"},
                    {"title": "Silver", "base_price": "10.00", "status": "DISABLED"},
                ],
            }))
            .await
            .data(201);
        for (field, value) in [
            ("title", json!("Orbit")),
            ("name", json!("Orbit")),
            ("type", json!("SERIALS")),
            ("status", json!("ACTIVE")),
            ("base_price", json!("12.50")),
            ("wholesale_price", json!("9.00")),
            ("description", json!("Lifetime")),
            ("auto_fulfilled", json!(true)),
            ("max_quantity", json!(5)),
            ("low_stock_threshold", json!(3)),
            ("price_version", json!(1)),
            ("stock", json!(0)),
        ] {
            assert_eq!(made[field], value, "{field}");
        }
        let id = id(&made);
        assert_eq!(world.read_product(&format!("/{id}")).await.data(200), made);
        let gold = made["variants"][0]["id"].as_str().unwrap();
        assert_eq!(made["variants"][1]["status"], "DISABLED");
        assert_eq!(world.audited(&id), "product.create");

        let upload = format!("{PATH}/{id}/variants/{gold}/serials");
        let upload = world.call("POST", &upload).key(&world.merchant_key());
        upload
            .json(&json!({"serials": ["G-1", "G-2"]}))
            .send()
            .await
            .data(201);
        let reseller = world.reseller("demo-both").id;
        let grant = format!("/dev/v1/resellers/{reseller}");
        let grant = world.call("PATCH", &grant).key(&world.merchant_key());
        grant
            .json(&json!({"product_ids": [id]}))
            .send()
            .await
            .data(200);
        let order = json!({"external_order_id": "WOO-1", "product_id": id, "variant_id": gold,
            "customer_email": "ann@example.com", "custom_fields": {"user": "ann"}});
        let key = world.key("demo-both");
        let mut odd = order.clone();
        odd["custom_fields"]["user"] = json!("Ann 1");
        world
            .order(&key, &odd)
            .await
            .refused(422, "VALIDATION_ERROR");
        let sold = world.order(&key, &order).await.data(201);
        assert_eq!(sold["serials"], json!(["G-1"]));
        assert_eq!(
            sold["unit_price"], "16.00",
            "the reseller's discount of the variant's price"
        );
    });
}

#[test]
fn products_are_listed_in_both_styles_and_found_by_their_titles() {
    with_world(async |world| {
        let all = titles(&world.read_product("").await);
        assert_eq!(all.len(), world.cast.products.len());
        let first = world.read_product("?limit=2").await;
        let cursor = first.json()["pagination"]["next_cursor"].clone();
        let rest = world
            .read_product(&format!("?cursor={}", cursor.as_str().unwrap()))
            .await;
        assert_eq!([titles(&first), titles(&rest)].concat(), all);
        let page = world.read_product("?page=2&per_page=2").await;
        assert_eq!(titles(&page), all[2..4]);
        assert_eq!(page.json()["pagination"]["total"], all.len());

        assert_eq!(titles(&world.read_product("?type=service").await).len(), 1);
        assert_eq!(
            titles(&world.read_product("?status=DISABLED").await),
            [""; 0]
        );
        assert_eq!(
            titles(&world.read_product("/search?q=STARF").await),
            ["Starfall"]
        );
        assert_eq!(titles(&world.read_product("/search?q=%25").await), [""; 0]);
        let found = world.read_product("/search?q=a&page=1&limit=1").await;
        assert_eq!(titles(&found).len(), 1);

        let foreign = format!("/search?q=a&cursor={}", cursor.as_str().unwrap());
        world
            .read_product(&foreign)
            .await
            .refused(422, "VALIDATION_ERROR");
        for wrong in [
            "?status=GONE",
            "?type=GAME",
            "?limit=0",
            "/search",
            "/search?q=%20",
        ] {
            world
                .read_product(wrong)
                .await
                .refused(422, "VALIDATION_ERROR");
        }
        let other = world.another_merchant().await;
        assert_eq!(titles(&world.read_product("").await), all);
        let hidden = world
            .read_product(&format!("/{}", other.products[0].id))
            .await;
        hidden.refused(404, "NOT_FOUND");
    });
}

#[test]
fn wrong_products_are_refused_and_nothing_is_made() {
    with_world(async |world| {
        let before = world.catalog();
        let right = json!({"title": "Orbit", "type": "SERIALS", "base_price": "1.00"});
        for (field, value) in [
            ("title", json!("")),
            ("title", json!("x".repeat(201))),
            ("type", json!("GAME")),
            ("base_price", json!("-1.00")),
            ("base_price", json!("1.005")),
            ("base_price", Value::Null),
            ("wholesale_price", json!("x")),
            ("description", json!("x".repeat(10_001))),
            ("min_quantity", json!(0)),
            ("max_quantity", json!(1001)),
            ("low_stock_threshold", json!(1_000_001)),
            ("status", json!("ARCHIVED")),
            ("custom_fields", json!([{"name": "a", "type": "COLOR"}])),
            ("custom_fields", json!([{"name": "", "type": "TEXT"}])),
            (
                "custom_fields",
                json!([{"name": "a", "type": "TEXT", "regex": "("}]),
            ),
            (
                "custom_fields",
                json!([{"name": "a", "type": "TEXT"}, {"name": "a", "type": "EMAIL"}]),
            ),
            (
                "custom_fields",
                json!(vec![json!({"name": "a", "type": "TEXT"}); 21]),
            ),
            ("variants", json!([{"title": "Gold"}])),
            ("variants", json!([["Gold", "1.00"]])),
            (
                "variants",
                json!([{"title": "Gold", "base_price": "1.00", "status": "ARCHIVED"}]),
            ),
            (
                "variants",
                json!(vec![json!({"title": "G", "base_price": "1.00"}); 101]),
            ),
            ("stock", json!(5)),
        ] {
            let mut wrong = right.clone();
            wrong[field] = value;
            let reply = world.make_product(&wrong).await;
            assert_eq!(reply.status, 422, "{wrong}");
            reply.refused(422, "VALIDATION_ERROR");
        }
        let mut wrong = right.clone();
        (wrong["min_quantity"], wrong["max_quantity"]) = (json!(5), json!(4));
        world
            .make_product(&wrong)
            .await
            .refused(422, "VALIDATION_ERROR");
        let reseller = world.call("POST", PATH).key(&world.key("demo-both"));
        reseller.json(&right).send().await.refused(403, "FORBIDDEN");
        assert_eq!(world.catalog(), before);
    });
}

#[test]
fn same_product_under_one_idempotency_key_is_made_once() {
    with_world(async |world| {
        let product = json!({"name": "Orbit", "type": "SERVICE", "base_price": 1});
        let make = async |body: &Value| {
            let call = world.call("POST", PATH).key(&world.merchant_key());
            call.header("idempotency-key", "p-1")
                .json(body)
                .send()
                .await
        };
        let first = make(&product).await.data(201);
        let again = make(&product).await;
        assert_eq!(again.json()["data"], first);
        let other = json!({"name": "Orbit 2", "type": "SERVICE", "base_price": 1});
        make(&other).await.refused(422, "IDEMPOTENCY_MISMATCH");
        assert_eq!(
            titles(&world.read_product("/search?q=orbit").await),
            ["Orbit"]
        );
    });
}

#[test]
fn variants_are_added_and_those_not_sent_stay() {
    with_world(async |world| {
        let made = json!({"title": "Orbit", "type": "SERIALS", "base_price": "1.00"});
        let id = id(&world.make_product(&made).await.data(201));
        let added = json!({"variants": [{"title": "Gold", "base_price": "2.00"}]});
        let gold = world.patch(&id, &added).await.data(200)["variants"].clone();
        let added = json!({"variants": [{"title": "Silver", "base_price": "1.50"}],
            "custom_fields": [{"name": "user", "type": "EMAIL"}], "low_stock_threshold": 2});
        let after = world.patch(&id, &added).await.data(200);
        assert_eq!(after["variants"][0], gold[0]);
        assert_eq!(after["variants"][1]["title"], "Silver");
        assert_eq!(after["custom_fields"][0]["type"], "EMAIL");
        let cleared = json!({"custom_fields": [], "low_stock_threshold": null});
        let cleared = world.patch(&id, &cleared).await.data(200);
        assert_eq!(
            (&cleared["custom_fields"], &cleared["low_stock_threshold"]),
            (&json!([]), &Value::Null)
        );
        assert_eq!(cleared["variants"], after["variants"]);
        assert_eq!(
            world.audited(&id),
            "product.create product.update product.update product.update"
        );

        let before = world.catalog();
        let lone = json!({"variants": [{"title": "Bronze"}]});
        world
            .patch(&id, &lone)
            .await
            .refused(422, "VALIDATION_ERROR");
        let kind = json!({"type": "SERVICE"});
        world.patch(&id, &kind).await.refused(409, "INVALID_STATE");
        let stocked = world.product("Antivirus").id.to_string();
        let first = json!({"variants": [{"title": "Gold", "base_price": "2.00"}]});
        world
            .patch(&stocked, &first)
            .await
            .refused(409, "INVALID_STATE");
        assert_eq!(world.catalog(), before);
    });
}

#[test]
fn product_that_nobody_knows_of_is_deleted_and_any_other_archived() {
    with_world(async |world| {
        let made = json!({"title": "Orbit", "type": "SERIALS", "base_price": "1.00",
            "variants": [{"title": "Gold", "base_price": "2.00"}]});
        let unknown = id(&world.make_product(&made).await.data(201));
        assert_eq!(world.end(&unknown).await.status, 204);
        world
            .read_product(&format!("/{unknown}"))
            .await
            .refused(404, "NOT_FOUND");
        world.end(&unknown).await.refused(404, "NOT_FOUND");
        assert_eq!(world.audited(&unknown), "product.create product.delete");
        assert_eq!(
            titles(&world.read_product("/search?q=orbit").await),
            [""; 0]
        );

        let sold = world.product("Antivirus");
        let key = world.key("demo-both");
        let order = world.order(&key, &order_of("WOO-1", sold)).await.data(201);
        let id = sold.id.to_string();
        assert_eq!(world.end(&id).await.status, 204);
        let shown = world.read_product(&format!("/{id}")).await.data(200);
        assert_eq!(
            (&shown["status"], &shown["stock"]),
            (&json!("ARCHIVED"), &json!(199))
        );
        let state = world.state();
        let refused = world.order(&key, &order_of("WOO-2", sold)).await;
        refused.refused(403, "PRODUCT_NOT_ALLOWED");
        assert_eq!(world.state(), state);
        let replayed = world.order(&key, &order_of("WOO-1", sold)).await.data(200);
        assert_eq!(replayed["serials"], order["serials"]);
        assert_eq!(world.end(&id).await.status, 204);
        assert_eq!(world.audited(&id), "product.delete");
        world
            .patch(&id, &json!({}))
            .await
            .refused(409, "INVALID_STATE");
        assert_eq!(
            titles(&world.read_product("?status=archived").await).len(),
            1
        );
        assert!(
            !titles(&world.read_product("").await)
                .contains(&shown["title"].as_str().unwrap().to_owned())
        );

        world
            .end("prd_00000000000000000000000000")
            .await
            .refused(404, "NOT_FOUND");
        let reseller = world.call("DELETE", &format!("{PATH}/{id}")).key(&key);
        reseller.send().await.refused(403, "FORBIDDEN");
    });
}
