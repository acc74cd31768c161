//! `SellApp`: one call for each variant of a completed order.

use serde_json::Value;

use crate::connections::call::{Call, Unreadable, email, name, names, order_id, quantity};

pub(in crate::connections) fn read(body: &Value) -> Result<Call, Unreadable> {
    let lines = body.get("product_variants").and_then(Value::as_array);
    let [line] = lines.map(Vec::as_slice).unwrap_or_default() else {
        return Err(Unreadable::new("product_variants", "must have one line"));
    };
    let order = name(body.get("id"), "id")?;
    let variant = name(line.get("id"), "product_variants.id")?;
    let product = line
        .get("product_id")
        .or_else(|| line.pointer("/product/id"));
    Ok(Call {
        order_id: order_id("sellapp", &[&order, &variant]),
        // A variant's id says which product it is of, where the call does not.
        product: names([product]).pop().unwrap_or_else(|| variant.clone()),
        variants: names([line.get("id"), line.get("title")]),
        quantity: quantity(line.get("quantity"))?,
        email: email(body.pointer("/customer_information/email"))?,
    })
}
