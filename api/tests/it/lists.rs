//! `GET /reseller/v1/fulfillments` and `/orders`: pages, filters, export.

use serde_json::json;

use crate::support::{order_of, with_world};

#[test]
fn list_is_newest_first_page_by_page_and_without_serials() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        let mut serials = Vec::new();
        for number in 1..=5 {
            let told = world
                .order(&key, &order_of(&format!("WOO-{number}"), product))
                .await
                .data(201);
            serials.push(told["serials"][0].as_str().unwrap().to_owned());
        }
        let (mut path, mut listed) = ("/reseller/v1/fulfillments?limit=2".to_owned(), Vec::new());
        loop {
            let reply = world.call("GET", &path).key(&key).send().await;
            let text = reply.text();
            assert!(
                serials.iter().all(|serial| !text.contains(serial)),
                "{text}"
            );
            let page = reply.json();
            listed.extend(
                page["data"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|f| f["external_order_id"].clone()),
            );
            let Some(cursor) = page["pagination"]["next_cursor"].as_str() else {
                break;
            };
            path = format!("/reseller/v1/fulfillments?limit=2&cursor={cursor}");
        }
        assert_eq!(listed, ["WOO-5", "WOO-4", "WOO-3", "WOO-2", "WOO-1"]);
        let cursor = path.split("cursor=").nth(1).unwrap();
        for path in [
            format!("/reseller/v1/fulfillments?channel=API&cursor={cursor}"),
            format!("/reseller/v1/orders?cursor={cursor}"),
            "/reseller/v1/fulfillments?cursor=x".to_owned(),
            "/reseller/v1/fulfillments?external_order_id=a&status=DELIVERED".to_owned(),
        ] {
            world
                .call("GET", &path)
                .key(&key)
                .send()
                .await
                .refused(422, "VALIDATION_ERROR");
        }
        let path = format!("/reseller/v1/fulfillments?cursor={cursor}");
        world
            .call("GET", &path)
            .key(&world.key("demo-stock"))
            .send()
            .await
            .refused(422, "VALIDATION_ERROR");
    });
}

#[test]
fn filters_narrow_the_list() {
    with_world(async |world| {
        let key = world.key("demo-both");
        let (a, b) = (world.product("Antivirus"), world.product("Gift card"));
        world.order(&key, &order_of("a", a)).await.data(201);
        world.order(&key, &order_of("b", b)).await.data(201);
        for (filter, expected) in [
            (format!("product_id={}", a.id), json!(["a"])),
            ("channel=api".to_owned(), json!(["b", "a"])),
            ("channel=BULK".to_owned(), json!([])),
            ("status=REFUNDED".to_owned(), json!([])),
            ("to=2020-01-01T00:00:00Z".to_owned(), json!([])),
            (
                "from=2020-01-01T00:00:00Z&unknown=ignored".to_owned(),
                json!(["b", "a"]),
            ),
        ] {
            for list in ["fulfillments", "orders"] {
                let path = format!("/reseller/v1/{list}?{filter}");
                let data = world.call("GET", &path).key(&key).send().await.data(200);
                let listed: Vec<_> = data
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|f| &f["external_order_id"])
                    .collect();
                assert_eq!(json!(listed), expected, "{path}");
            }
        }
    });
}

#[test]
fn export_is_csv_with_a_header_and_harmless_cells() {
    with_world(async |world| {
        let (key, product) = (world.key("demo-both"), world.product("Antivirus"));
        let told = world
            .order(&key, &order_of("=1+1", product))
            .await
            .data(201);
        let reply = world
            .call("GET", "/reseller/v1/fulfillments?format=csv")
            .key(&key)
            .send()
            .await;
        assert_eq!(
            reply.header("content-type"),
            Some("text/csv; charset=utf-8")
        );
        assert_eq!(
            reply.header("content-disposition"),
            Some("attachment; filename=\"fulfillments.csv\"")
        );
        let text = reply.text();
        let mut lines = text.lines();
        assert!(
            lines
                .next()
                .unwrap()
                .starts_with("id,external_order_id,status,channel,")
        );
        let line = lines.next().unwrap();
        let start = format!(
            "{},'=1+1,DELIVERED,API,{}",
            told["id"].as_str().unwrap(),
            product.id
        );
        assert!(line.starts_with(&start), "{line}");
        assert!(!text.contains(told["serials"][0].as_str().unwrap()));
    });
}

#[test]
fn reads_are_compressed_when_asked_and_errors_stay_readable() {
    with_world(async |world| {
        let key = world.key("demo-both");
        let call = |path| {
            world
                .call("GET", path)
                .key(&key)
                .header("accept-encoding", "gzip")
        };
        let list = call("/reseller/v1/products").send().await;
        assert_eq!(list.header("content-encoding"), Some("gzip"));
        assert_eq!(list.body[..2], [0x1f, 0x8b]);
        let refused = call("/reseller/v1/products/prd_x").send().await;
        assert_eq!(refused.header("content-encoding"), None);
        refused.refused(404, "NOT_FOUND");
    });
}
