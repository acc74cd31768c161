//! Calls in the words of each shop, and what they are read as.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{map::LINES_MAX, *};
use crate::{catalog::Sku, clock::EPOCH, ids::ProductId, random::SeededRandom};

fn pointer(text: &str) -> Pointer {
    Pointer::parse(text).unwrap()
}

fn custom() -> Custom {
    Custom {
        paths: Paths {
            order_id: pointer("/order/id"),
            line_id: None,
            product: pointer("/product"),
            variant: Some(pointer("/variant")),
            quantity: Some(pointer("/count")),
            customer_email: Some(pointer("/email")),
        },
        delivers: None,
        signature_header: "x-shop-signature".to_owned(),
        digest: Digest::Sha256,
        answer: Answer::Text,
    }
}

/// A connection of this kind with order ids of its own.
fn connection(kind: Kind, seed: u64) -> Connection {
    Connection {
        id: ConnectionId::generate(EPOCH, &SeededRandom::new(seed)),
        name: "My shop".to_owned(),
        kind,
        status: Status::Active,
        namespace: Namespace::Own,
        map: ProductMap::new(vec![mapped("p-1", None, 1)]).unwrap(),
        custom: (kind == Kind::Custom).then(custom),
        daily_spend_cap: Money::ZERO,
        old_secret_until: None,
        last_call_at: None,
        created_at: EPOCH,
        updated_at: EPOCH,
    }
}

fn sharing(kind: Kind) -> Connection {
    Connection {
        namespace: Namespace::Shared,
        ..connection(kind, 1)
    }
}

fn headers(name: &str) -> Option<&'static str> {
    match name {
        "x-shoppex-delivery-id" => Some("dlv_1"),
        "x-sellix-product-id" => Some("p-2"),
        _ => None,
    }
}

/// A call of each kind, as the shops document them.
fn example(kind: Kind) -> Value {
    match kind {
        Kind::Shoppex => json!({"deliveryId": "dlv_1", "invoiceId": "inv_1", "productId": "p-1",
            "variantTitle": "One year", "quantity": 2, "customerEmail": "Ann@Example.com",
            "customFields": {}}),
        Kind::SellAuth => json!({"event": "INVOICE.ITEM.DELIVER-DYNAMIC", "id": 10042,
            "unique_id": "8e32b8f24c4a0-0000000010042", "email": "ann@example.com",
            "item": {"id": 7, "product_id": 12, "variant_id": 34, "quantity": 2}}),
        Kind::Sellix => json!({"event": "product:dynamic", "data": {"uniqid": "ord-1",
            "type": "SHOPPING_CART", "customer_email": "ann@example.com",
            "cart": [{"uniqid": "p-1", "unit_quantity": 5}, {"uniqid": "p-2", "unit_quantity": 2}]}}),
        Kind::SellApp => json!({"id": 236, "customer_information": {"email": "ann@example.com"},
            "product_variants": [{"id": 34, "product_id": 12, "title": "One year", "quantity": 2}]}),
        Kind::Custom => json!({"order": {"id": "A-1"}, "product": "p-1", "variant": "year",
            "count": "2", "email": "ann@example.com"}),
    }
}

fn read_as(kind: Kind, body: &Value) -> Result<Call, Unreadable> {
    read(&sharing(kind), headers, body)
}

/// The order id of a call for this product of a cart, as its header names it.
fn id_of(connection: &Connection, product: &'static str, body: &Value) -> String {
    let header = |name: &str| match name {
        "x-sellix-product-id" => Some(product),
        name => headers(name),
    };
    let call = read(connection, header, body).unwrap();
    call.order_id.as_str().to_owned()
}

#[test]
fn call_of_each_shop_is_read() {
    for (kind, id, product, variants) in [
        (Kind::Shoppex, "shoppex:dlv_1", "p-1", vec!["One year"]),
        (
            Kind::SellAuth,
            "sellauth:8e32b8f24c4a0-0000000010042:7",
            "12",
            vec!["34"],
        ),
        (Kind::Sellix, "sellix:ord-1:p-2", "p-2", vec![]),
        (
            Kind::SellApp,
            "sellapp:236:34",
            "12",
            vec!["34", "One year"],
        ),
        (Kind::Custom, "A-1", "p-1", vec!["year"]),
    ] {
        let call = read_as(kind, &example(kind)).unwrap();
        assert_eq!(
            (call.order_id.as_str(), call.product.as_str()),
            (id, product)
        );
        assert_eq!(call.variants, variants);
        assert_eq!(call.quantity, 2);
        assert_eq!(call.email.unwrap().as_str(), "ann@example.com");
    }
}

#[test]
fn what_is_missing_is_named() {
    for (kind, at, value, field) in [
        (Kind::Shoppex, "/productId", json!(null), "productId"),
        (Kind::Shoppex, "/quantity", json!(0), "quantity"),
        (
            Kind::Shoppex,
            "/customerEmail",
            json!("nobody"),
            "customer_email",
        ),
        (
            Kind::SellAuth,
            "/event",
            json!("NOTIFICATION.SHOP_INVOICE_CREATED"),
            "event",
        ),
        (Kind::SellAuth, "/unique_id", json!(""), "unique_id"),
        (Kind::SellAuth, "/item/id", json!({}), "item.id"),
        (Kind::Sellix, "/event", json!("order:paid"), "event"),
        (Kind::Sellix, "/data/uniqid", json!(null), "data.uniqid"),
        (Kind::Sellix, "/data/cart", json!([]), "X-Sellix-Product-Id"),
        (
            Kind::SellApp,
            "/product_variants",
            json!([]),
            "product_variants",
        ),
        (
            Kind::SellApp,
            "/product_variants/0/quantity",
            json!(101),
            "quantity",
        ),
        (Kind::Custom, "/order/id", json!("consign:1"), "order_id"),
        (Kind::Custom, "/count", json!("many"), "quantity"),
    ] {
        let mut body = example(kind);
        *body.pointer_mut(at).unwrap() = value;
        assert_eq!(read_as(kind, &body).unwrap_err().field, field, "{at}");
    }
    let nameless = read(&sharing(Kind::Shoppex), |_| None, &example(Kind::Shoppex));
    assert_eq!(nameless.unwrap_err().field, "X-Shoppex-Delivery-Id");
}

#[test]
fn product_that_the_header_names_is_one_of_the_order() {
    let single = json!({"event": "product:dynamic", "data": {"uniqid": "ord-1", "quantity": 3,
        "product_id": "p-2", "customer_email": ""}});
    let call = read_as(Kind::Sellix, &single).unwrap();
    assert_eq!((call.quantity, call.email), (3, None));
    let mut other = single;
    other["data"]["product_id"] = json!("p-9");
    assert_eq!(
        read_as(Kind::Sellix, &other).unwrap_err().field,
        "X-Sellix-Product-Id"
    );
}

#[test]
fn connections_never_mean_each_others_orders() {
    for kind in Kind::ALL {
        let (first, second) = (connection(kind, 1), connection(kind, 2));
        let body = example(kind);
        let [one, other, shared] =
            [&first, &second, &sharing(kind)].map(|of| id_of(of, "p-2", &body));
        assert_eq!(one, id_of(&first, "p-2", &body));
        assert!(one.starts_with(&format!("{}:", first.id)), "{one}");
        assert!(one != other && one != shared, "{kind:?}");
    }
    let own = id_of(&connection(Kind::Sellix, 1), "p-2", &example(Kind::Sellix));
    assert!(own.ends_with(":ord-1:p-2"), "{own}");
}

#[test]
fn line_is_one_order_by_whichever_of_its_names_it_is_asked_for() {
    let sellix = connection(Kind::Sellix, 1);
    let mut body = example(Kind::Sellix);
    body["data"]["cart"][1]["product_id"] = json!("7");
    assert_eq!(id_of(&sellix, "p-2", &body), id_of(&sellix, "7", &body));
    // What stands beside the cart is the same line.
    body["data"]["product_id"] = json!("7");
    body["data"]["quantity"] = json!(9);
    assert_eq!(id_of(&sellix, "p-2", &body), id_of(&sellix, "7", &body));
    assert_ne!(id_of(&sellix, "p-2", &body), id_of(&sellix, "p-1", &body));
    // A product of two lines is asked for once.
    let again = json!({"uniqid": "p-2", "unit_quantity": 3});
    body["data"]["cart"].as_array_mut().unwrap().push(again);
    assert_eq!(read_as(Kind::Sellix, &body).unwrap().quantity, 5);
    body["data"]["cart"][2]["unit_quantity"] = json!(99);
    assert_eq!(read_as(Kind::Sellix, &body).unwrap_err().field, "quantity");
}

#[test]
fn two_lines_are_two_orders_where_the_shop_names_them() {
    let sellapp = connection(Kind::SellApp, 1);
    let line = |line: u32| {
        let mut body = example(Kind::SellApp);
        body["product_variants"][0]["product_variant_id"] = json!(34);
        body["product_variants"][0]["id"] = json!(line);
        body
    };
    assert_ne!(id_of(&sellapp, "", &line(1)), id_of(&sellapp, "", &line(2)));
    let call = read(&sellapp, headers, &line(1)).unwrap();
    assert_eq!(call.variants, ["34", "One year"]);

    let mut custom = connection(Kind::Custom, 1);
    let described = custom.custom.as_mut().unwrap();
    described.paths.line_id = Some(pointer("/line"));
    let line = |order: &str, line: Value| {
        let mut body = example(Kind::Custom);
        body["order"]["id"] = json!(order);
        body["line"] = line;
        body
    };
    let id = |order, at: u32| id_of(&custom, "", &line(order, json!(at)));
    assert_ne!(id("A-1", 1), id("A-1", 2));
    assert_eq!(id("A-1", 1), id("A-1", 1));
    // Where a word ends stands in the id.
    let id = |order, at: &str| id_of(&custom, "", &line(order, json!(at)));
    assert_ne!(id("A:1", "2"), id("A", "1:2"));
    assert_ne!(id("A%3A1", "2"), id("A:1", "2"));
    for missing in [json!(null), json!(""), json!({})] {
        let read = read(&custom, headers, &line("A-1", missing));
        assert_eq!(read.unwrap_err().field, "line_id");
    }
}

#[test]
fn nothing_but_a_paid_order_delivers() {
    for (at, value, field) in [
        ("event", json!("order.created"), Some("event")),
        ("event", json!(null), Some("event")),
        ("event", json!("order.completed"), None),
        ("status", json!("PENDING"), Some("status")),
        (
            "status",
            json!({"status": {"status": "VOIDED"}, "history": []}),
            Some("status"),
        ),
        (
            "status",
            json!({"status": {"status": "COMPLETED"}, "history": []}),
            None,
        ),
        ("status", json!("completed"), None),
        ("status", json!("paid"), None),
    ] {
        let mut body = example(Kind::SellApp);
        body[at] = value;
        let read = read_as(Kind::SellApp, &body);
        assert_eq!(read.err().map(|error| error.field), field, "{body}");
    }
    let mut custom = connection(Kind::Custom, 1);
    let values = vec!["order.paid".to_owned(), "true".to_owned(), "7".to_owned()];
    let described = custom.custom.as_mut().unwrap();
    described.delivers = Delivers::new(pointer("/event"), values);
    for (event, delivers) in [
        (json!("order.paid"), true),
        (json!(true), true),
        (json!(7), true),
        (json!("order.created"), false),
        (json!("Order.Paid"), false),
        (json!(false), false),
        (json!(null), false),
        (json!(["order.paid"]), false),
    ] {
        let mut body = example(Kind::Custom);
        body["event"] = event;
        let read = read(&custom, headers, &body);
        assert_eq!(read.is_ok(), delivers, "{body}");
    }
    let read = read(&custom, headers, &example(Kind::Custom));
    assert_eq!(read.unwrap_err().field, "event");
}

#[test]
fn values_that_deliver_are_texts_and_few() {
    let new = |values| Delivers::new(pointer("/event"), values);
    assert!(new(vec!["paid".to_owned(); VALUES_MAX]).is_some());
    assert!(new(vec!["paid".to_owned(); VALUES_MAX + 1]).is_none());
    assert!(new(vec![]).is_none() && new(vec![" ".to_owned()]).is_none());
}

#[test]
fn long_ids_are_ids_by_their_digest() {
    for connection in [connection(Kind::SellAuth, 1), sharing(Kind::SellAuth)] {
        let id = |last: &str| {
            let mut body = example(Kind::SellAuth);
            body["unique_id"] = json!("x".repeat(190) + last);
            id_of(&connection, "", &body)
        };
        assert_eq!(id("1"), id("1"));
        assert_ne!(id("1"), id("2"));
        assert!(id("1").len() <= 128);
    }
    let own = connection(Kind::Custom, 1);
    let mut body = example(Kind::Custom);
    body["order"]["id"] = json!("a\u{0}");
    assert!(id_of(&own, "", &body).starts_with(&own.id.to_string()));
}

fn mapped(product: &str, variant: Option<&str>, factor: u32) -> Mapped {
    Mapped {
        foreign_product: product.to_owned(),
        foreign_variant: variant.map(str::to_owned),
        sku: Sku {
            product: ProductId::from_uuid(uuid::Uuid::nil()),
            variant: None,
        },
        factor,
    }
}

#[test]
fn line_of_the_variant_goes_before_the_line_of_the_product() {
    let map = ProductMap::new(vec![
        mapped("p-1", None, 1),
        mapped("p-1", Some("year"), 2),
        mapped("p-2", Some("year"), 3),
    ]);
    let map = map.unwrap();
    let factor = |product, variants: &[&str]| {
        let variants: Vec<_> = variants.iter().map(|&name| name.to_owned()).collect();
        map.find(product, &variants).map(|line| line.factor)
    };
    assert_eq!(factor("p-1", &["34", "year"]), Some(2));
    assert_eq!(factor("p-1", &["month"]), Some(1));
    assert_eq!(factor("p-2", &["month"]), None);
    assert_eq!(factor("p-3", &[]), None);
}

#[test]
fn lines_that_are_no_map_are_told_apart() {
    let ok = || mapped("p-1", None, 1);
    for (lines, unfit) in [
        (vec![], Unfit::Length),
        (vec![ok(); LINES_MAX + 1], Unfit::Length),
        (vec![ok(), mapped(" ", None, 1)], Unfit::Text(1)),
        (vec![mapped("p", Some("\u{7}"), 1)], Unfit::Text(0)),
        (vec![mapped("p", None, 0)], Unfit::Factor(0)),
        (vec![ok(), ok()], Unfit::Twice(1)),
    ] {
        assert_eq!(ProductMap::new(lines).unwrap_err(), unfit);
    }
}

#[test]
fn words_read_back() {
    assert!(
        Kind::ALL
            .iter()
            .all(|kind| Kind::parse(kind.name()) == Some(*kind))
    );
    assert!(
        Status::ALL
            .iter()
            .all(|one| Status::parse(one.name()) == Some(*one))
    );
    assert!(
        Namespace::ALL
            .iter()
            .all(|one| Namespace::parse(one.name()) == Some(*one))
    );
    assert!(
        Outcome::ALL
            .iter()
            .all(|one| Outcome::parse(one.name()) == Some(*one))
    );
    assert!(
        Digest::ALL
            .iter()
            .all(|one| Digest::parse(one.name()) == Some(*one))
    );
    assert!(
        Answer::ALL
            .iter()
            .all(|one| Answer::parse(one.name()) == Some(*one))
    );
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
    ]
}

/// The places of a call that a hostile shop may fill with anything.
const PLACES: [&str; 24] = [
    "/productId",
    "/variantTitle",
    "/quantity",
    "/customerEmail",
    "/event",
    "/unique_id",
    "/email",
    "/item",
    "/item/id",
    "/item/product_id",
    "/item/variant_id",
    "/item/quantity",
    "/data",
    "/data/uniqid",
    "/data/customer_email",
    "/data/cart",
    "/data/cart/1/unit_quantity",
    "/data/cart/1/uniqid",
    "/id",
    "/product_variants",
    "/product_variants/0",
    "/product_variants/0/quantity",
    "/order/id",
    "/product",
];

proptest! {
    #[test]
    fn any_call_is_read_within_bounds_or_refused(
        kind in prop::sample::select(Kind::ALL.to_vec()),
        changes in prop::collection::vec((prop::sample::select(PLACES.to_vec()), leaf()), 0..4),
    ) {
        let mut body = example(kind);
        for (place, value) in changes {
            if let Some(found) = body.pointer_mut(place) {
                *found = value;
            }
        }
        if let Ok(call) = read_as(kind, &body) {
            prop_assert!((1..=100).contains(&call.quantity));
            prop_assert!(call.order_id.as_str().chars().count() <= 128);
            prop_assert!(!call.order_id.as_str().starts_with("consign:"));
            prop_assert!(!call.product.trim().is_empty());
            let own = read(&connection(kind, 1), headers, &body).unwrap();
            prop_assert!(own.order_id.as_str().chars().count() <= 128);
            prop_assert_eq!(Ok(call), read_as(kind, &body));
        }
    }

    #[test]
    fn anything_that_is_json_is_no_reason_to_stop(kind in prop::sample::select(Kind::ALL.to_vec()), body in leaf()) {
        prop_assert!(read_as(kind, &body).is_err());
    }
}
