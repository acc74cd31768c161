//! Sellix: one call for each dynamic product of a paid order. Which product it is for stands in a header that
//! the signature does not cover, so it must be one that the signed order names; a product has two names there,
//! and is one line under either.

use serde_json::Value;

use crate::connections::call::{Said, Unreadable, email, name, names, quantity, text};

const EVENT: &str = "product:dynamic";
const PRODUCT_ID: &str = "x-sellix-product-id";

pub(in crate::connections) fn read<'a>(
    header: impl Fn(&str) -> Option<&'a str>,
    body: &Value,
) -> Result<Said, Unreadable> {
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
    let line = Line::of(order, &product).ok_or(Unreadable::new(
        "X-Sellix-Product-Id",
        "is no product of this order",
    ))?;
    Ok(Said {
        order: vec![name(of_order("uniqid"), "data.uniqid")?, line.name],
        quantity: line.quantity?,
        email: email(of_order("customer_email"))?,
        variants: Vec::new(),
        product,
    })
}

/// What an order has of one product.
struct Line {
    /// The same by whichever of its names it was asked for.
    name: String,
    quantity: Result<u32, Unreadable>,
}

impl Line {
    fn of(order: Option<&Value>, product: &str) -> Option<Self> {
        let order = order?;
        let mut lines = in_cart(order.get("cart"), product).peekable();
        if let Some(first) = lines.peek() {
            let known = names(NAMES.map(|name| first.get(name)));
            return Some(Self {
                name: known.into_iter().next()?,
                quantity: sum(lines),
            });
        }
        let is_it = text(order.get("product_id")).as_deref() == Some(product);
        is_it.then(|| Self {
            name: product.to_owned(),
            quantity: quantity(order.get("quantity")),
        })
    }
}

/// What a line of a cart calls its product, the surest name first.
const NAMES: [&str; 2] = ["uniqid", "product_id"];

/// The lines of a cart that are about a product.
fn in_cart<'a>(cart: Option<&'a Value>, product: &str) -> impl Iterator<Item = &'a Value> {
    let lines = cart.and_then(|cart| {
        let listed = cart.as_array();
        listed.or_else(|| cart.get("products")?.as_array())
    });
    lines.into_iter().flatten().filter(move |line| {
        let mut names = NAMES.iter();
        names.any(|name| text(line.get(name)).as_deref() == Some(product))
    })
}

/// A shop asks once for a product, on however many lines it stands.
fn sum<'a>(lines: impl Iterator<Item = &'a Value>) -> Result<u32, Unreadable> {
    let mut sum = 0;
    for line in lines {
        sum += quantity(line.get("unit_quantity").or_else(|| line.get("quantity")))?;
    }
    quantity(Some(&Value::from(sum)))
}
