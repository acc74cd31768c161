//! A shop whose calls its owner describes: where things stand in the body, and how it is signed.
//!
//! Keeps: the order id is the shop's as it stands, so an order that came by key and comes again by call is
//! the same order.

use serde_json::Value;

use crate::{
    connections::call::{Call, Unreadable, email, name, names, quantity, text},
    fulfillments::OrderId,
};

const CHARS_MAX: usize = 200;

/// Where in a body something stands: a JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer(String);

impl Pointer {
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.starts_with('/')
            && text.chars().count() <= CHARS_MAX
            && !text.contains(char::is_control);
        fits.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of<'a>(&self, body: &'a Value) -> Option<&'a Value> {
        body.pointer(&self.0)
    }
}

/// What a body is signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    Sha256,
    Sha512,
}

impl Digest {
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "HMAC-SHA256",
            Self::Sha512 => "HMAC-SHA512",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|digest| digest.name() == name)
    }
}

/// The form of an answer that delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A line for each serial.
    Text,
    /// `{"serials": [...]}`.
    Json,
}

impl Answer {
    pub const ALL: [Self; 2] = [Self::Text, Self::Json];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::Json => "JSON",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|answer| answer.name() == name)
    }
}

/// Where things stand in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    pub order_id: Pointer,
    pub product: Pointer,
    pub variant: Option<Pointer>,
    /// None: each call is for one.
    pub quantity: Option<Pointer>,
    pub customer_email: Option<Pointer>,
}

/// How calls are read, verified and answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custom {
    pub paths: Paths,
    /// The header with the signature over the body, in lower case.
    pub signature_header: String,
    pub digest: Digest,
    pub answer: Answer,
}

pub(in crate::connections) fn read(custom: &Custom, body: &Value) -> Result<Call, Unreadable> {
    let Paths {
        order_id,
        product,
        variant,
        quantity: sold,
        customer_email,
    } = &custom.paths;
    let id = text(order_id.of(body)).ok_or(Unreadable::new("order_id", "is missing"))?;
    Ok(Call {
        order_id: OrderId::parse(&id).map_err(|message| Unreadable::new("order_id", message))?,
        product: name(product.of(body), "product")?,
        variants: names([variant.as_ref().and_then(|variant| variant.of(body))]),
        quantity: match sold {
            Some(sold) => quantity(sold.of(body))?,
            None => 1,
        },
        email: email(customer_email.as_ref().and_then(|email| email.of(body)))?,
    })
}
