//! `GET /llms.txt`: what programs that read text are told first: where the documents are, and each route in a line,
//! from the same tables as `/docs`.

use std::{fmt::Write as _, sync::LazyLock};

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};

use super::openapi;

static TEXT: LazyLock<String> = LazyLock::new(text);

/// The faces of the contract, by how their paths begin.
const FACES: [(&str, &str); 3] = [
    (
        "/reseller/v1",
        "For a reseller's own shop, with a key `crk_...`",
    ),
    ("/dev/v1", "For the merchant, with a key `cmk_...`"),
    ("/portal/v1", "For people who sign in"),
];

pub(crate) async fn get() -> Response {
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    ([(header::CONTENT_TYPE, plain)], TEXT.as_str()).into_response()
}

const OPENING: &str = "# Consign\n\n\
    > Merchants of digital goods sell through resellers: one order checks what the reseller may sell, debits its \
    prepaid balance, claims the serials and returns them, once per external order id, all or nothing.\n\n\
    Send the key as `Authorization: Bearer ...`, never in an address. A success is `{\"data\": ...}`, a failure \
    `{\"error\": {\"code\", \"message\", \"doc_url\", \"details\"}}`: match on the code. Money is text with the \
    decimals of its currency. Repeat an order whose outcome you do not know with the same order id, never with a \
    new one. Tolerate new fields in answers and new values of enumerations.\n\n\
    ## Documents\n\n\
    - [Contract](/openapi.json): every route with its fields, as OpenAPI 3.1\n\
    - [Reference](/docs): the same as one page\n\
    - [Errors](/docs/errors): every code, and whether anything was executed\n";

fn text() -> String {
    let mut text = OPENING.to_owned();
    let (document, operations) = (openapi::document(), openapi::operations());
    for (prefix, says) in FACES {
        write!(text, "\n## {says}\n\n").expect("writing to a string");
        for operation in &operations {
            let (method, path) = (operation.method, operation.path);
            if !path.starts_with(prefix) {
                continue;
            }
            let id = document["paths"][path][method]["operationId"].as_str();
            let (id, method) = (id.unwrap_or_default(), method.to_uppercase());
            writeln!(
                text,
                "- [{method} {path}](/docs#{id}): {}",
                operation.summary
            )
            .expect("writing to a string");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_named_once_in_a_line() {
        for operation in openapi::operations() {
            let method = operation.method.to_uppercase();
            let line = format!("- [{method} {}](/docs#", operation.path);
            assert_eq!(TEXT.matches(&line).count(), 1, "{line}");
            assert!(!operation.summary.contains('\n'), "{line}");
        }
        assert!(
            !TEXT.contains("(/docs#)"),
            "every route has a place in the page"
        );
    }
}
