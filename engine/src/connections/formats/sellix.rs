//! Sellix: one call for each dynamic product of a paid order. Which product it is for stands in a header that
//! the signature does not cover, so it must be one that the signed order names.

use serde_json::Value;

use crate::connections::call::{Call, Unreadable, email, name, order_id, quantity, text};

const EVENT: &str = "product:dynamic";
const PRODUCT_ID: &str = "x-sellix-product-id";

pub(in crate::connections) fn read<'a>(
    header: impl Fn(&str) -> Option<&'a str>,
    body: &Value,
) -> Result<Call, Unreadable> {
    if body.get("event").and_then(Value::as_str) != Some(EVENT) {
        return Err(Unreadable::new("event", "is no delivery"));
    }
    let order = body.get("data");
    let of_order = |field: &str| order.and_then(|order| order.get(field));
    let named = header(PRODUCT_ID).map(|id| Value::String(id.to_owned()));
    let product = name(
        named.as_ref().or_else(|| of_order("product_id")),
        "product_id",
    )?;
    let sold = if text(of_order("product_id")).as_ref() == Some(&product) {
        of_order("quantity")
    } else {
        let line = in_cart(of_order("cart"), &product).ok_or(Unreadable::new(
            "X-Sellix-Product-Id",
            "is no product of this order",
        ))?;
        line.get("unit_quantity").or_else(|| line.get("quantity"))
    };
    Ok(Call {
        order_id: order_id(
            "sellix",
            &[&name(of_order("uniqid"), "data.uniqid")?, &product],
        ),
        quantity: quantity(sold)?,
        email: email(of_order("customer_email"))?,
        variants: Vec::new(),
        product,
    })
}

/// The line of a cart that is about a product.
fn in_cart<'a>(cart: Option<&'a Value>, product: &str) -> Option<&'a Value> {
    let cart = cart?;
    let lines = cart
        .as_array()
        .or_else(|| cart.get("products")?.as_array())?;
    lines.iter().find(|line| {
        let ids = ["uniqid", "product_id"];
        ids.iter()
            .any(|id| text(line.get(id)).as_deref() == Some(product))
    })
}
