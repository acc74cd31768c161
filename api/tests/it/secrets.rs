//! Nothing secret in logs, metrics and errors: marked values are sent everywhere, and then looked for.

use serde_json::json;

use crate::support::{Call, Key, LogWatch, Reply, World, forms, order_of, with_world};

const SERIAL: &str = "CANARY-SERIAL-7Q2X9WDM";
const EMAIL: &str = "canary+person@canary.example";

#[test]
fn marked_values_are_in_no_log_metric_or_error() {
    with_world(async |world| {
        let (key, dynamic) = (world.key("demo-both"), world.dynamic_key("demo-both"));
        let merchant = world.cast.key.expose();
        let mut marks = vec![
            SERIAL.to_owned(),
            EMAIL.to_owned(),
            dynamic.url_secret.clone(),
        ];
        marks.extend([&key, &dynamic.text, merchant.expose()].map(secret_of));
        let watch = LogWatch::of_process();
        for mark in &marks {
            watch.look_for(mark);
        }

        deliver(world, &key, merchant.expose()).await;
        let errors = refusals(world, &key, &dynamic).await;
        let metrics = Call::new(world.server.ops_address(), "GET", "/metrics")
            .send()
            .await
            .text();
        for mark in marks.iter().flat_map(|mark| forms(mark)) {
            assert!(!metrics.contains(&mark), "{mark} is in the metrics");
            for error in &errors {
                assert!(error.status.is_client_error(), "{}", error.text());
                assert!(
                    !error.text().contains(&mark),
                    "{mark} is in {}",
                    error.text()
                );
            }
        }
        let (found, lines) = watch.found();
        assert!(found.is_empty(), "{found:#?}");
        assert!(lines > 0, "nothing was logged, so nothing was looked at");
    });
}

/// The part of a key's text that nobody may see.
fn secret_of(text: impl AsRef<str>) -> String {
    text.as_ref().split('_').nth(3).unwrap().to_owned()
}

/// Imports the marked serial and sells it to the marked address.
async fn deliver(world: &World, key: &str, merchant_key: &str) {
    let product = world.product("Closed beta");
    let path = format!("/dev/v1/products/{}/serials", product.id);
    let upload = world.call("POST", &path).key(merchant_key);
    upload
        .json(&json!({"serials": [SERIAL]}))
        .send()
        .await
        .data(201);
    let mut order = order_of("canary", product);
    order["quantity"] = json!(4);
    order["customer_email"] = json!(EMAIL);
    let told = world.order(key, &order).await.data(201);
    assert!(told["serials"].as_array().unwrap().contains(&json!(SERIAL)));
}

/// Everything marked in every wrong place.
async fn refusals(world: &World, key: &str, dynamic: &Key) -> Vec<Reply> {
    let product = world.product("Closed beta");
    let mut errors = Vec::new();
    for (field, value) in [
        ("product_id", EMAIL),
        ("quantity", SERIAL),
        ("customer_email", SERIAL),
        ("unknown", EMAIL),
        ("custom_fields", key),
    ] {
        let mut wrong = order_of("canary", product);
        wrong[field] = json!(value);
        errors.push(world.order(key, &wrong).await);
    }
    let order = format!("external_order_id=canary-2&product_id={}", product.id);
    let (text, secret) = (&dynamic.text, &dynamic.url_secret);
    let encoded = "customer_email=canary%2Bperson%40canary.example";
    for path in [
        format!("fulfillments/dynamic?api_key={text}&{order}&{encoded}&quantity=9"),
        format!("fulfillments/dynamic?api_key={text}&{order}&customer_email={SERIAL}"),
        format!("fulfillments/dynamic?api_key={text}&api_key={SERIAL}"),
        format!(
            "fulfillments/dynamic?key_id={}&ts=1&sig={secret}&{order}",
            dynamic.id
        ),
        format!("fulfillments?external_order_id={SERIAL}&status={EMAIL}"),
        format!("{SERIAL}?api_key={key}"),
    ] {
        let path = format!("/reseller/v1/{path}");
        errors.push(world.call("GET", &path).key(key).send().await);
    }
    let garbled = world.call("POST", "/reseller/v1/fulfillments").key(key);
    errors.push(
        garbled
            .body("application/json", format!("{{{EMAIL}"))
            .send()
            .await,
    );
    errors
}
