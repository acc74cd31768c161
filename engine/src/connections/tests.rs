//! Calls in the words of each shop, and what they are read as.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{call::order_id, map::LINES_MAX, *};
use crate::{catalog::Sku, ids::ProductId};

fn custom() -> Custom {
    let pointer = |text| Pointer::parse(text).unwrap();
    Custom {
        paths: Paths {
            order_id: pointer("/order/id"),
            product: pointer("/product"),
            variant: Some(pointer("/variant")),
            quantity: Some(pointer("/count")),
            customer_email: Some(pointer("/email")),
        },
        signature_header: "x-shop-signature".to_owned(),
        digest: Digest::Sha256,
        answer: Answer::Text,
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
    read(kind, Some(&custom()), headers, body)
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
    let nameless = read(Kind::Shoppex, None, |_| None, &example(Kind::Shoppex));
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
fn long_ids_are_ids_by_their_digest() {
    let long = "x".repeat(500);
    let id = order_id("shoppex", &[&long]);
    assert_eq!(id, order_id("shoppex", &[&long]));
    assert_ne!(id, order_id("shoppex", &[&long[1..]]));
    assert!(id.as_str().len() <= 128 && id.as_str().starts_with("shoppex:"));
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
            prop_assert_eq!(Ok(call), read_as(kind, &body));
        }
    }

    #[test]
    fn anything_that_is_json_is_no_reason_to_stop(kind in prop::sample::select(Kind::ALL.to_vec()), body in leaf()) {
        prop_assert!(read_as(kind, &body).is_err());
    }
}
