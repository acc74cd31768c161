//! What a customer's browser sends: who calls, and the fields of a form.
//!
//! Keeps: a field that the form does not have is refused by its name, whatever it says.

use std::{collections::BTreeMap, net::IpAddr};

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderName, header, request::Parts},
    response::Response,
};
use engine::{fulfillments::Email, links::Attribution};

use super::look::refused;
use crate::{
    auth::verify,
    error::{ApiError, Code},
    extract::{Query, body::RawBody},
    layers::address::network,
    links::TOKEN,
    state::App,
};

/// Fields that stand in these brackets are what the merchant wants to know.
const CUSTOM: (&str, &str) = ("custom_fields[", "]");
const SHOWN_IN: HeaderName = HeaderName::from_static("sec-fetch-dest");
const ANSWER_CHARS_MAX: usize = 500;

/// Somebody who looks at a page.
pub(crate) struct Customer {
    /// The network that counts as one address.
    pub(super) address: IpAddr,
    /// By which link this browser came last.
    pub(super) clicked: Option<Attribution>,
    /// Whether the browser says that it shows the page in a frame. It decides about a cookie, and nothing else.
    pub(super) in_frame: bool,
}

impl FromRequestParts<App> for Customer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let call = verify::call(parts).map_err(|error| refused(&error))?;
        let address = network(call.address);
        if !app.pages.take(&address.to_string(), app.now()) {
            return Err(refused(&ApiError::new(Code::RateLimited)));
        }
        let lines = parts.headers.get_all(header::COOKIE).iter();
        let pairs = lines.flat_map(|line| line.to_str().unwrap_or_default().split(';'));
        let mut tokens = pairs.filter_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == TOKEN).then_some(value)
        });
        let clicked = tokens.next();
        let clicked = clicked.and_then(|token| Attribution::read(token, app.engine.vault()));
        let shown_in = parts.headers.get(SHOWN_IN);
        let in_frame = shown_in.is_some_and(|place| place == "iframe");
        Ok(Self {
            address,
            clicked,
            in_frame,
        })
    }
}

/// The fields of a form, each at most once.
pub(crate) struct Form(Query);

impl FromRequest<App> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let read = async {
            let RawBody(bytes) = RawBody::from_request(request, app).await?;
            let text = std::str::from_utf8(&bytes);
            let text = text.map_err(|_| ApiError::new(Code::BadRequest))?;
            Query::parse(text)
        };
        read.await.map(Self).map_err(|error| refused(&error))
    }
}

impl Form {
    /// Refuses what is none of these fields, and no answer to what the merchant wants to know.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), ApiError> {
        let mut names = self.0.names();
        let unknown = names.find(|name| !known.contains(name) && custom(name).is_none());
        unknown.map_or(Ok(()), |name| {
            Err(ApiError::field(name.to_owned(), "is not a known field"))
        })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.names()
    }

    /// What was written into a field; none if nothing was.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    /// Units; one if nothing is said.
    pub(super) fn quantity(&self) -> Result<u32, ApiError> {
        self.units("quantity")
    }

    /// Units in a field of this name; one if nothing is said.
    pub(super) fn units(&self, name: &str) -> Result<u32, ApiError> {
        let Some(text) = self.get(name) else {
            return Ok(1);
        };
        let number = text.parse();
        number.map_err(|_| ApiError::field(name.to_owned(), "must be a whole number"))
    }

    pub(super) fn email(&self) -> Result<Option<Email>, ApiError> {
        let read = |text| Email::parse(text).ok_or_else(not_an_address);
        self.get("email").map(read).transpose()
    }

    /// What the customer says of each field of the product.
    pub(super) fn answers(&self) -> Result<BTreeMap<String, String>, ApiError> {
        let mut answers = BTreeMap::new();
        for (name, value) in self.0.pairs() {
            let Some(field) = custom(name) else { continue };
            if value.chars().count() > ANSWER_CHARS_MAX || value.contains(char::is_control) {
                let message = format!("must have at most {ANSWER_CHARS_MAX} characters");
                return Err(ApiError::field(name.to_owned(), message));
            }
            answers.insert(field.to_owned(), value.to_owned());
        }
        Ok(answers)
    }
}

pub(super) fn not_an_address() -> ApiError {
    ApiError::field("email", "must be an e-mail address")
}

/// The name under which a form has a field of the product.
pub(super) fn custom_name(field: &str) -> String {
    let (before, after) = CUSTOM;
    format!("{before}{field}{after}")
}

fn custom(name: &str) -> Option<&str> {
    let (before, after) = CUSTOM;
    name.strip_prefix(before)?.strip_suffix(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Form {
        Form(Query::parse(text).unwrap_or_default())
    }

    #[test]
    fn fields_that_a_form_does_not_have_are_refused_by_name() {
        let known = ["quantity"];
        for text in ["", "quantity=2", "quantity=2&custom_fields%5Bprice%5D=1"] {
            assert!(form(text).only(&known).is_ok(), "{text}");
        }
        for name in [
            "price",
            "unit_price",
            "reseller_id",
            "relationship_id",
            "link_id",
        ] {
            let refused = form(&format!("quantity=2&{name}=1")).only(&known);
            let refused = refused.err().map(|error| error.details()[0].field.clone());
            assert_eq!(refused.as_deref(), Some(name));
        }
    }

    #[test]
    fn what_is_written_is_read_or_refused() {
        let read = form("quantity=3&email=Ann%40Example.com&custom_fields%5BDevice%5D=7");
        assert_eq!(read.quantity(), Ok(3));
        let email = read.email().ok().flatten();
        assert_eq!(
            email.map(|email| email.as_str().to_owned()).as_deref(),
            Some("ann@example.com")
        );
        let answers = read.answers().ok();
        assert_eq!(
            answers.and_then(|it| it.get("Device").cloned()).as_deref(),
            Some("7")
        );
        assert_eq!(form("").quantity(), Ok(1));
        assert!(form("quantity=-1").quantity().is_err());
        assert!(form("email=nobody").email().is_err());
        let long = format!("custom_fields%5Ba%5D={}", "x".repeat(ANSWER_CHARS_MAX + 1));
        assert!(form(&long).answers().is_err());
    }
}
