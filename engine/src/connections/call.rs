//! What a shop asks for, whatever its words.
//!
//! Keeps: the same call is read as the same order id each time it is sent, so a shop that asks again gets
//! what it got, and two bought lines are two ids. What an order is known by stands in what the shop signed.

use serde_json::Value;

use super::{
    Connection, Kind,
    formats::{custom, sellapp, sellauth, sellix, shoppex},
    map::is_name,
    namespace,
};
use crate::fulfillments::{Email, LINE_QUANTITY_MAX, OrderId};

/// A call as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub order_id: OrderId,
    /// The shop's product.
    pub product: String,
    /// What the shop calls its variant, the surest name first.
    pub variants: Vec<String>,
    pub quantity: u32,
    pub email: Option<Email>,
}

/// A call in its shop's own words.
pub(super) struct Said {
    /// The shop's order, and the line of it where the shop has a name for that.
    pub order: Vec<String>,
    pub product: String,
    pub variants: Vec<String>,
    pub quantity: u32,
    pub email: Option<Email>,
}

/// What is missing in a call, or is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable {
    pub field: &'static str,
    pub message: &'static str,
}

impl Unreadable {
    pub(super) const fn new(field: &'static str, message: &'static str) -> Self {
        Self { field, message }
    }
}

/// Reads a call. `header` looks a header up that the shop sent, by its name in lower case.
pub fn read<'a>(
    connection: &Connection,
    header: impl Fn(&str) -> Option<&'a str>,
    body: &Value,
) -> Result<Call, Unreadable> {
    let said = match (connection.kind, &connection.custom) {
        (Kind::Shoppex, _) => shoppex::read(header, body),
        (Kind::SellAuth, _) => sellauth::read(body),
        (Kind::Sellix, _) => sellix::read(header, body),
        (Kind::SellApp, _) => sellapp::read(body),
        (Kind::Custom, Some(custom)) => custom::read(custom, body),
        (Kind::Custom, None) => Err(Unreadable::new("paths", "are missing")),
    }?;
    Ok(Call {
        order_id: namespace::order_id(connection, &said.order)?,
        product: said.product,
        variants: said.variants,
        quantity: said.quantity,
        email: said.email,
    })
}

/// A text, or a whole number as its digits.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

/// The same where something stands that is a name.
pub(super) fn name(value: Option<&Value>, field: &'static str) -> Result<String, Unreadable> {
    let found = text(value).filter(|text| is_name(text));
    found.ok_or(Unreadable::new(field, "is missing or is no name"))
}

/// The names that are there.
pub(super) fn names<'a>(values: impl IntoIterator<Item = Option<&'a Value>>) -> Vec<String> {
    let texts = values.into_iter().filter_map(text);
    texts.filter(|text| is_name(text)).collect()
}

pub(super) fn quantity(value: Option<&Value>) -> Result<u32, Unreadable> {
    let number = text(value).and_then(|text| text.parse().ok());
    number
        .filter(|number| (1..=LINE_QUANTITY_MAX).contains(number))
        .ok_or(Unreadable::new("quantity", "must be 1 to 100"))
}

/// The customer's address; none if the shop says none.
pub(super) fn email(value: Option<&Value>) -> Result<Option<Email>, Unreadable> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(value) => {
            let parsed = value.as_str().and_then(Email::parse);
            let wrong = Unreadable::new("customer_email", "is no e-mail address");
            parsed.map(Some).ok_or(wrong)
        }
    }
}
