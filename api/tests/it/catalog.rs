//! Products as a reseller may order them, and their stock as a merchant sees it.

use engine::{api_keys::Scope, relationships::KeyTerms};
use serde_json::{Value, json};

use crate::support::{Reply, World, order_of, with_world};

impl World {
    async fn products(&self, code: &str, query: &str) -> Reply {
        let path = format!("/reseller/v1/products{query}");
        self.call("GET", &path).key(&self.key(code)).send().await
    }

    async fn stock(&self, product: &str) -> Reply {
        let path = format!("/dev/v1/products/{product}/stock");
        self.call("GET", &path)
            .key(&self.merchant_key())
            .send()
            .await
    }
}

fn titles(reply: &Reply) -> Vec<String> {
    let listed = reply.json()["data"].as_array().unwrap().clone();
    listed
        .iter()
        .map(|product| product["title"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn price_in_the_catalog_is_the_price_of_an_order() {
    with_world(async |world| {
        let product = world.product("Antivirus");
        let shown = world
            .products("demo-both", &format!("/{}", product.id))
            .await
            .data(200);
        assert_eq!(
            (&shown["base_price"], &shown["discount_percent"]),
            (&json!("29.99"), &json!(20.01))
        );
        assert_eq!(
            (&shown["orderable"], &shown["stock"]),
            (&json!(true), &json!(200))
        );

        let sold = world
            .order(&world.key("demo-both"), &order_of("WOO-1", product))
            .await
            .data(201);

        assert_eq!(sold["unit_price"], shown["wholesale_price"]);
        assert_eq!(sold["lines"][0]["price_version"], shown["price_version"]);
        let after = world
            .products("demo-both", &format!("/{}", product.id))
            .await
            .data(200);
        assert_eq!(after["stock"], 199);
    });
}

#[test]
fn catalog_pages_in_both_styles() {
    with_world(async |world| {
        let all = titles(&world.products("demo-both", "").await);
        assert_eq!(all.len(), 5);
        let first = world.products("demo-both", "?limit=3").await;
        let cursor = first.json()["pagination"]["next_cursor"]
            .as_str()
            .unwrap()
            .to_owned();
        let rest = world
            .products("demo-both", &format!("?limit=3&cursor={cursor}"))
            .await;
        assert_eq!(
            rest.json()["pagination"],
            json!({"next_cursor": null, "has_more": false})
        );
        assert_eq!([titles(&first), titles(&rest)].concat(), all);

        let second = world.products("demo-both", "?page=2&per_page=3").await;
        assert_eq!(titles(&second), all[3..]);
        let expected = json!({"total": 5, "page": 2, "limit": 3, "per_page": 3, "total_pages": 2,
            "has_more": false});
        assert_eq!(second.json()["pagination"], expected);
        let beyond = world
            .products("demo-both", "?page=4294967295&per_page=100")
            .await;
        assert_eq!(titles(&beyond), [""; 0]);
        let foreign = world
            .products("demo-auto", &format!("?limit=3&cursor={cursor}"))
            .await;
        foreign.refused(422, "VALIDATION_ERROR");
    });
}

#[test]
fn catalog_is_searched_and_filtered() {
    with_world(async |world| {
        assert_eq!(
            titles(&world.products("demo-both", "?search=STARF").await),
            ["Starfall"]
        );
        assert_eq!(
            titles(&world.products("demo-both", "?search=%25").await),
            [""; 0]
        );
        let not = world.products("demo-both", "?orderable=false").await;
        assert_eq!(titles(&not), ["Setup service"]);
        let page = world
            .products("demo-both", "?orderable=true&page=1&limit=2")
            .await;
        assert_eq!(page.json()["pagination"]["total"], 4);
        world
            .products("demo-both", "?orderable=maybe")
            .await
            .refused(422, "VALIDATION_ERROR");
        let suspended = world.products("demo-suspended", "?orderable=true").await;
        assert_eq!(titles(&suspended), [""; 0]);
    });
}

#[test]
fn key_for_some_products_orders_only_those() {
    with_world(async |world| {
        let only = world.product("Gift card").id;
        let terms = KeyTerms {
            products: vec![only],
            max_quantity: Some(2),
            ..KeyTerms::default()
        };
        let key = world
            .new_key("demo-both", &[Scope::ProductsRead], terms, |_| ())
            .await;
        let call = world
            .call("GET", "/reseller/v1/products?orderable=true")
            .key(&key.text);
        let listed = call.send().await.data(200);
        assert_eq!(listed.as_array().unwrap().len(), 1);
        assert_eq!(listed[0]["product_id"], only.to_string());
        assert_eq!(listed[0]["max_quantity"], 2);
    });
}

#[test]
fn variants_have_their_own_stock() {
    with_world(async |world| {
        let product = world.product("Starfall").id.to_string();
        let shown = world
            .products("demo-both", &format!("/{product}"))
            .await
            .data(200);
        let variants = shown["variants"].as_array().unwrap();
        assert_eq!((variants.len(), &shown["stock"]), (3, &json!(600)));
        let stock = world.stock(&product).await.data(200);
        assert_eq!(
            (&stock["stock"], &stock["unlimited"]),
            (&json!(600), &json!(false))
        );
        assert_eq!(stock["variants"][2]["id"], variants[2]["variant_id"]);
        assert_eq!(stock["variants"][2]["available_stock"], 200);
    });
}

#[test]
fn service_has_no_stock_and_cannot_be_ordered() {
    with_world(async |world| {
        let product = world.product("Setup").id.to_string();
        let stock = world.stock(&product).await.data(200);
        let amounts = [
            &stock["stock"],
            &stock["available_stock"],
            &stock["unlimited"],
        ];
        assert_eq!(amounts, [&Value::Null, &Value::Null, &json!(true)]);
        let shown = world
            .products("demo-both", &format!("/{product}"))
            .await
            .data(200);
        assert_eq!(
            (&shown["orderable"], &shown["type"]),
            (&json!(false), &json!("SERVICE"))
        );
    });
}

#[test]
fn product_without_access_is_as_unknown_as_any() {
    with_world(async |world| {
        let product = world.product("Gift card").id;
        world.sql(&format!(
            "UPDATE product_access SET revoked_at = now() WHERE product_id = '{}'",
            product.uuid()
        ));
        world.terms_changed("demo-both").await;
        let hidden = world.products("demo-both", &format!("/{product}")).await;
        hidden.refused(404, "NOT_FOUND");
        let missing = world
            .products("demo-both", "/prd_00000000000000000000000000")
            .await;
        let malformed = world.products("demo-both", "/gift-card").await;
        assert_eq!(
            [hidden.text(), missing.text()],
            [malformed.text(), malformed.text()]
        );
        assert_eq!(titles(&world.products("demo-both", "").await).len(), 4);
        let stock = world.stock("prd_00000000000000000000000000").await;
        assert_eq!(stock.text(), malformed.text());
    });
}
