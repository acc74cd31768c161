//! Bodies: which error each kind of wrong body gets, and that the field is named.

use axum::{
    body::Body as Stream,
    http::{HeaderMap, HeaderValue, Method, header},
};
use proptest::prelude::*;
use serde::{Deserialize, de::DeserializeOwned};

use super::{Takes, check_head, parse, read::collect};
use crate::{
    balances::credit::CreditBalance,
    catalog::update::UpdateProduct,
    error::Code,
    fulfillments::{orders::CreateOrder, request::CreateFulfillment},
    inventory::upload::UploadSerials,
    persons::me::UpdateMe,
    programs::update::UpdateProgram,
    relationships::{step::StepReason, update::UpdateReseller},
    sessions::sign_in::SignIn,
    wire::{
        fields::{Object, Strings, Text, Whole},
        money::Amount,
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    name: Text<String>,
    quantity: Option<Whole>,
    max_total: Option<Amount>,
    #[serde(default)]
    metadata: Option<Strings>,
    #[serde(default)]
    items: Vec<Object<Item>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    quantity: Whole,
}

fn check(body: &str, code: Code, field: &str, message: &str) {
    let error = parse::<Order>(body.as_bytes()).err().expect(body);
    assert_eq!(error.code(), code, "{body}");
    match error.details() {
        [] => assert_eq!((field, error.message()), ("", message), "{body}"),
        [detail] if field.is_empty() => {
            assert_eq!((&*detail.field, &*detail.message), ("", message), "{body}");
        }
        [detail] => assert_eq!(
            (&*detail.field, &*detail.message),
            (field, message),
            "{body}"
        ),
        more => panic!("one detail expected, not {more:?}"),
    }
}

#[test]
fn whole_body_is_read() {
    let order: Order = parse(
        br#"{"name":"a","quantity":2,"max_total":8.50,"metadata":{"a":"b"},"items":[{"quantity":1}]}"#,
    )
    .ok()
    .unwrap();
    assert_eq!(order.name.0, "a");
    assert_eq!(order.quantity, Some(Whole(2)));
    assert_eq!(order.max_total, Some(Amount::new("8.50")));
    assert_eq!(order.metadata.unwrap().0["a"], "b");
    assert_eq!(order.items[0].0.quantity, Whole(1));
}

#[test]
fn null_of_an_optional_field_is_absent() {
    let order: Order = parse(br#"{"name":"a","quantity":null,"max_total":null,"metadata":null}"#)
        .ok()
        .unwrap();
    assert!(order.quantity.is_none() && order.max_total.is_none() && order.metadata.is_none());
}

#[test]
fn wrong_fields_are_named() {
    let invalid = Code::ValidationError;
    check("", invalid, "name", "is required");
    check("{}", invalid, "name", "is required");
    check(
        r#"{"name":"a","x":{"y":1}}"#,
        invalid,
        "x",
        "is not a known field",
    );
    check(r#"{"name":5}"#, invalid, "name", "must be a string");
    check(
        r#"{"name":"a","quantity":"secret"}"#,
        invalid,
        "quantity",
        "must be a whole number",
    );
    check(
        r#"{"name":"a","quantity":1.5}"#,
        invalid,
        "quantity",
        "must be a whole number",
    );
    check(
        r#"{"name":"a","name":"b"}"#,
        invalid,
        "name",
        "stands twice",
    );
    check(
        r#"{"name":"a","max_total":true}"#,
        invalid,
        "max_total",
        "must be an amount: a string or a number",
    );
    check(
        r#"{"name":"a","metadata":{"a":1}}"#,
        invalid,
        "metadata.a",
        "must be a string",
    );
    check(
        r#"{"name":"a","metadata":{"a":"1","a":"2"}}"#,
        invalid,
        "metadata",
        "must not name a field twice",
    );
    check(
        r#"{"name":"a","items":[{"quantity":1},{}]}"#,
        invalid,
        "items[1].quantity",
        "is required",
    );
    check(
        r#"{"name":"a","items":[{"quantity":1,"z":0}]}"#,
        invalid,
        "items[0].z",
        "is not a known field",
    );
    check(
        r#"{"name":"a","items":[[1]]}"#,
        invalid,
        "items[0]",
        "must be an object",
    );
    check("[\"a\"]", invalid, "", "must be an object");
    check("5", invalid, "", "must be an object");
    check("\"secret\"", invalid, "", "must be an object");
}

#[test]
fn malformed_json_is_a_bad_request() {
    let malformed = "The body is not valid JSON.";
    for body in [
        "{",
        "{\"name\":}",
        "{\"name\":\"a\"} x",
        "{\"x\":1,}",
        "nul",
        "{'name':'a'}",
    ] {
        check(body, Code::BadRequest, "", malformed);
    }
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(40), "]".repeat(40));
    check(&deep, Code::BadRequest, "", "The body is nested too deep.");
}

#[test]
fn character_that_cannot_be_stored_is_not_valid() {
    let message = "must not hold the character NUL";
    for body in [r#"{"name":"a\u0000"}"#, r#"{"name":"\\\u0000"}"#] {
        check(body, Code::ValidationError, "name", message);
    }
    let deep = r#"{"x":{"y":["a","\u0000"]}}"#;

    check(deep, Code::ValidationError, "x.y.[1]", message);
    for body in [
        r#"{"name":"\\u0000"}"#,
        r#"{"name":"\"#,
        r#"{"name":"\u0000""#,
    ] {
        let refused = parse::<Order>(body.as_bytes()).err();
        assert!(
            refused.is_none_or(|error| !error.message().contains("NUL")),
            "{body}"
        );
    }
}

fn head(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                header::HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .collect()
}

#[test]
fn head_alone_decides_type_size_and_encoding() {
    let json = ("content-type", "application/json");
    for (pairs, code) in [
        (vec![], None),
        (vec![("content-length", "0")], None),
        (vec![json, ("content-length", "10")], None),
        (
            vec![
                ("content-type", "Application/JSON; charset=UTF-8"),
                ("content-length", "10"),
            ],
            None,
        ),
        (
            vec![json, ("content-length", "65")],
            Some(Code::PayloadTooLarge),
        ),
        (vec![json, ("content-length", "x")], Some(Code::BadRequest)),
        (
            vec![("content-length", "10")],
            Some(Code::UnsupportedMediaType),
        ),
        (
            vec![("transfer-encoding", "chunked")],
            Some(Code::UnsupportedMediaType),
        ),
        (
            vec![("content-type", "text/plain")],
            Some(Code::UnsupportedMediaType),
        ),
        (
            vec![("content-type", "application/json; charset=latin1")],
            Some(Code::UnsupportedMediaType),
        ),
        (
            vec![json, ("content-encoding", "gzip"), ("content-length", "10")],
            Some(Code::UnsupportedMediaType),
        ),
    ] {
        let checked = check_head(&Method::POST, &head(&pairs), (Takes::Json, 64)).err();
        assert_eq!(checked.map(|error| error.code()), code, "{pairs:?}");
    }
}

#[test]
fn form_is_taken_where_a_form_is_wanted_and_nothing_else() {
    let form = ("content-type", "application/x-www-form-urlencoded");
    let json = ("content-type", "application/json");
    for (sent, takes, taken) in [
        (form, Takes::Form, true),
        (json, Takes::Form, false),
        (form, Takes::Json, false),
    ] {
        let pairs = vec![sent, ("content-length", "10")];
        let checked = check_head(&Method::POST, &head(&pairs), (takes, 64));
        assert_eq!(checked.is_ok(), taken, "{sent:?} {takes:?}");
    }
}

#[tokio::test]
async fn body_beyond_the_bound_is_refused_even_if_its_head_was_silent() {
    let error = collect(Stream::from(vec![b' '; 65]), 64).await.unwrap_err();
    assert_eq!(error.code(), Code::PayloadTooLarge);
    assert_eq!(collect(Stream::from("{}"), 64).await.unwrap(), "{}");
}

/// JSON with the names of real fields, and values that may fit or not.
fn bodies() -> impl Strategy<Value = serde_json::Value> {
    const NAMES: &str = "external_order_id|product_id|variant_id|quantity|customer_email|max_total|\
        max_unit_price|custom_fields|metadata|items|rows|serials|label|amount|type|reference|title|\
        status|base_price|wholesale_price|variants|id|name|locale|email|password|reason|mode|code|\
        product_ids|product_access|purchase_limit_daily|default_mode|payout_assets|replacement|[a-z]{1,4}";
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        (-3_i64..200).prop_map(serde_json::Value::from),
        "[0-9]{1,4}(\\.[0-9]{1,3})?|ann@example.com|prd_[0-9a-z]{26}|.{0,12}"
            .prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map(NAMES, inner, 0..7)
                .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn refused_in_its_place<T: DeserializeOwned>(body: &[u8]) -> bool {
    parse::<T>(body).err().is_none_or(|error| {
        let named = error
            .details()
            .iter()
            .all(|detail| !detail.message.is_empty());
        named && matches!(error.code(), Code::BadRequest | Code::ValidationError)
    })
}

proptest! {
    #[test]
    fn any_json_is_one_of_our_bodies_or_refused_by_field(body in bodies()) {
        let body = body.to_string();
        prop_assert!(refused_in_its_place::<CreateFulfillment>(body.as_bytes()));
        prop_assert!(refused_in_its_place::<CreateOrder>(body.as_bytes()));
        prop_assert!(refused_in_its_place::<CreditBalance>(body.as_bytes()));
        prop_assert!(refused_in_its_place::<UpdateProduct>(body.as_bytes()));
        prop_assert!(refused_in_its_place::<UploadSerials>(body.as_bytes()));
        prop_assert!(refused_in_its_place::<UpdateProgram>(body.as_bytes()));
        prop_assert!(refused_in_its_place::<UpdateReseller>(body.as_bytes()));
        prop_assert!(refused_in_its_place::<StepReason>(body.as_bytes()));
        prop_assert!(refused_in_its_place::<UpdateMe>(body.as_bytes()));
        prop_assert!(refused_in_its_place::<SignIn>(body.as_bytes()));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        if let Err(error) = parse::<Order>(&bytes) {
            prop_assert!(matches!(error.code(), Code::BadRequest | Code::ValidationError));
        }
    }

    #[test]
    fn callers_text_never_stands_in_the_error(secret in "[a-z]{12,20}") {
        let body = serde_json::json!({"name": "a", "quantity": secret, "metadata": secret});
        let error = parse::<Order>(body.to_string().as_bytes()).err().unwrap();
        prop_assert!(!error.message().contains(&secret));
    }
}
