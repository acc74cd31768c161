//! `SellAuth`: one call for each item of a paid invoice. Its other notices are signed with the same secret
//! and are no orders.

use serde_json::Value;

use crate::connections::call::{Said, Unreadable, email, name, names, quantity};

const EVENT: &str = "INVOICE.ITEM.DELIVER-DYNAMIC";

pub(in crate::connections) fn read(body: &Value) -> Result<Said, Unreadable> {
    if body.get("event").and_then(Value::as_str) != Some(EVENT) {
        return Err(Unreadable::new("event", "is no delivery"));
    }
    let item = body.get("item");
    let of_item = |field: &str| item.and_then(|item| item.get(field));
    let of_customer = || body.pointer("/customer/email");
    Ok(Said {
        order: vec![
            name(body.get("unique_id"), "unique_id")?,
            name(of_item("id"), "item.id")?,
        ],
        product: name(of_item("product_id"), "item.product_id")?,
        variants: names([of_item("variant_id")]),
        quantity: quantity(of_item("quantity"))?,
        email: email(body.get("email").or_else(of_customer))?,
    })
}
