//! A shop whose calls its owner describes: where things stand in the body, and how it is signed.
//!
//! Keeps: where its owner says what a call says that delivers, no other call does.

use serde_json::Value;

use crate::connections::{
    call::{Said, Unreadable, email, name, names, quantity, text},
    map::is_name,
};

const CHARS_MAX: usize = 200;
/// Values under which calls may deliver.
pub const VALUES_MAX: usize = 10;

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

/// What a call must say to be one for a paid order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivers {
    at: Pointer,
    values: Vec<String>,
}

impl Delivers {
    /// None if these are no values.
    pub fn new(at: Pointer, values: Vec<String>) -> Option<Self> {
        let fits =
            (1..=VALUES_MAX).contains(&values.len()) && values.iter().all(|value| is_name(value));
        fits.then_some(Self { at, values })
    }

    pub const fn at(&self) -> &Pointer {
        &self.at
    }

    pub fn values(&self) -> &[String] {
        &self.values
    }

    fn says_so(&self, body: &Value) -> bool {
        let found = match self.at.of(body) {
            Some(Value::Bool(yes)) => Some(yes.to_string()),
            found => text(found),
        };
        found.is_some_and(|found| self.values.contains(&found))
    }
}

/// Where things stand in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    pub order_id: Pointer,
    /// None: an order is one line.
    pub line_id: Option<Pointer>,
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
    /// None: every call is for a paid order.
    pub delivers: Option<Delivers>,
    /// The header with the signature over the body, in lower case.
    pub signature_header: String,
    pub digest: Digest,
    pub answer: Answer,
}

pub(in crate::connections) fn read(custom: &Custom, body: &Value) -> Result<Said, Unreadable> {
    let Paths {
        order_id,
        line_id,
        product,
        variant,
        quantity: sold,
        customer_email,
    } = &custom.paths;
    let delivers = custom.delivers.as_ref();
    if delivers.is_some_and(|delivers| !delivers.says_so(body)) {
        return Err(Unreadable::new("event", "is no delivery"));
    }
    let named = |pointer: &Pointer| text(pointer.of(body)).filter(|text| !text.is_empty());
    let mut order = vec![named(order_id).ok_or(Unreadable::new("order_id", "is missing"))?];
    if let Some(line_id) = line_id {
        order.push(named(line_id).ok_or(Unreadable::new("line_id", "is missing"))?);
    }
    Ok(Said {
        order,
        product: name(product.of(body), "product")?,
        variants: names([variant.as_ref().and_then(|variant| variant.of(body))]),
        quantity: match sold {
            Some(sold) => quantity(sold.of(body))?,
            None => 1,
        },
        email: email(customer_email.as_ref().and_then(|email| email.of(body)))?,
    })
}
