//! `GET /openapi.json`: the HTTP contract as a document, from the types that are read and written.
//!
//! Keeps: fields come from the wire types, codes from their one table; a route that the menu has and the
//! document has not, or the other way round, fails a test, and so does a file that was not written anew.

mod connections;
mod dev;
mod earnings;
mod history;
mod invoices;
mod operation;
mod own;
mod parameters;
mod payouts;
mod portal;
mod reseller;
mod selling;
mod stock;
#[cfg(test)]
mod tests;
mod webhooks;
mod wholesale;

use std::{collections::BTreeMap, sync::LazyLock};

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
pub(super) use operation::{Caller, Operation};
use serde_json::{Value, json};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::error::{Code, Detail};

/// What opening a top-up may be answered besides.
const TOP_UP_OPENED: [Code; 5] = [
    Code::RelationshipInactive,
    Code::ModeNotAllowed,
    Code::AmountOutOfRange,
    Code::InvalidState,
    Code::ProviderUnavailable,
];

static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let text = serde_json::to_string_pretty(&document()).expect("a document has a JSON form");
    format!("{text}\n")
});

/// The document as it is served and committed.
pub fn text() -> &'static str {
    &DOCUMENT
}

pub(crate) async fn get() -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], text()).into_response()
}

/// Every route with a key or a session.
pub(super) fn operations() -> Vec<Operation> {
    let mut all = reseller::operations();
    all.extend(dev::operations());
    all.extend(portal::operations());
    all.extend(webhooks::dev());
    all.extend(webhooks::portal());
    all.extend(wholesale::operations());
    all.extend(selling::dev());
    all.extend(selling::portal());
    all.extend(history::operations());
    all.extend(connections::operations());
    all
}

pub(super) fn document() -> Value {
    let mut paths = BTreeMap::<&str, BTreeMap<&str, Value>>::new();
    let mut schemas = operation::Schemas::new();
    for operation in operations() {
        let of_path = paths.entry(operation.path).or_default();
        of_path.insert(operation.method, operation.to_json());
        schemas.extend(operation.schemas);
    }
    let detail = serde_json::to_value(Detail::schema()).expect("schemas have a JSON form");
    schemas.insert(Detail::name().into_owned(), detail);
    schemas.insert("Error".to_owned(), error());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Consign",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "`/reseller/v1` is for a reseller's own shop, `/dev/v1` for the merchant, \
                `/portal/v1` for people who sign in. \
                Clients tolerate new fields in answers and new values of enumerations.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {
                "type": "http",
                "scheme": "bearer",
                "description": "`crk_...` of a reseller, `cmk_...` of the merchant.",
            }, "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": "__Host-consign",
                "description": "Of `POST /portal/v1/session`; changes need our own `Origin`. On `/dev/v1` of a member of the merchant.",
            }},
        },
    })
}

fn error() -> Value {
    let codes: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
    let error = json!({
        "type": "object",
        "required": ["code", "message", "doc_url", "details"],
        "properties": {
            "code": {"type": "string", "enum": codes},
            "message": {"type": "string", "description": "For people; it may change."},
            "doc_url": {"type": "string"},
            "details": {"type": "array", "items": {"$ref": "#/components/schemas/ErrorDetail"}},
        },
    });
    json!({"type": "object", "required": ["error"], "properties": {"error": error}})
}
