//! Shoppex: one call for each line of a paid order, under a delivery id that its signature covers.

use serde_json::Value;

use crate::connections::call::{Said, Unreadable, email, name, names, quantity};

/// Stands in what is signed, before the time and the body.
pub(in crate::connections) const DELIVERY_ID: &str = "x-shoppex-delivery-id";

pub(in crate::connections) fn read<'a>(
    header: impl Fn(&str) -> Option<&'a str>,
    body: &Value,
) -> Result<Said, Unreadable> {
    // Most fields are there in both spellings.
    let field = |camel: &str, snake: &str| body.get(camel).or_else(|| body.get(snake));
    let delivery = header(DELIVERY_ID).filter(|id| !id.trim().is_empty());
    let delivery = delivery.ok_or(Unreadable::new("X-Shoppex-Delivery-Id", "is missing"))?;
    Ok(Said {
        order: vec![delivery.to_owned()],
        product: name(field("productId", "product_id"), "productId")?,
        variants: names([
            field("variantId", "variant_id"),
            field("variantTitle", "variant_title"),
        ]),
        quantity: quantity(body.get("quantity"))?,
        email: email(field("customerEmail", "customer_email"))?,
    })
}
