//! `SellApp`: one call for each line of a completed order. Its other notices are signed with the same secret
//! and are no orders.

use serde_json::Value;

use crate::connections::call::{Said, Unreadable, email, name, names, quantity, text};

const EVENT: &str = "order.completed";
/// What a paid order says of itself, in whatever case.
const PAID: [&str; 2] = ["COMPLETED", "PAID"];

pub(in crate::connections) fn read(body: &Value) -> Result<Said, Unreadable> {
    let event = body.get("event");
    if event.is_some_and(|event| event.as_str() != Some(EVENT)) {
        return Err(Unreadable::new("event", "is no delivery"));
    }
    if !is_paid(body) {
        return Err(Unreadable::new("status", "is not that of a paid order"));
    }
    let lines = body.get("product_variants").and_then(Value::as_array);
    let [line] = lines.map(Vec::as_slice).unwrap_or_default() else {
        return Err(Unreadable::new("product_variants", "must have one line"));
    };
    let mut order = vec![name(body.get("id"), "id")?];
    // A line that names its variant has an id of its own.
    let named = line.get("product_variant_id").filter(|id| !id.is_null());
    let variant = name(named.or_else(|| line.get("id")), "product_variants.id")?;
    order.push(variant.clone());
    if named.is_some() {
        order.push(name(line.get("id"), "product_variants.id")?);
    }
    let product = line
        .get("product_id")
        .or_else(|| line.pointer("/product/id"));
    Ok(Said {
        order,
        // A variant's id says which product it is of, where the call does not.
        product: names([product]).pop().unwrap_or_else(|| variant.clone()),
        variants: names([Some(&Value::String(variant)), line.get("title")]),
        quantity: quantity(line.get("quantity"))?,
        email: email(body.pointer("/customer_information/email"))?,
    })
}

/// Whether an order is paid. A call that says nothing of it is one for a paid order: no other makes one.
fn is_paid(order: &Value) -> bool {
    let places = ["/status/status/status", "/status/status", "/status"];
    let mut words = places.iter().filter_map(|place| text(order.pointer(place)));
    words.next().is_none_or(|word| {
        let mut paid = PAID.iter();
        paid.any(|paid| paid.eq_ignore_ascii_case(&word))
    })
}
