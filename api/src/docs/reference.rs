//! `GET /docs`: every route on one page, from the same document as `/openapi.json`. No script, nothing
//! from elsewhere.

use std::{fmt::Write as _, sync::LazyLock};

use axum::response::Response;
use serde_json::Value;

use super::openapi::Caller;
use super::{
    openapi::{self, Operation},
    page::{Page, text},
};

static PAGE: LazyLock<Page> = LazyLock::new(|| Page::new("Consign: HTTP", &body()));

pub(crate) async fn page() -> Response {
    PAGE.answer()
}

const OPENING: &str = "<h1>Consign over HTTP</h1>\n\
    <p>The same as a document: <a href=\"/openapi.json\">openapi.json</a>. Every code: \
    <a href=\"/docs/errors\">errors</a>.</p>\n\
    <p>Send the key as <code>Authorization: Bearer ...</code>. A success is \
    <code>{\"data\": ...}</code>. Money is text with the decimals of its currency. Tolerate new fields \
    in answers and new values of enumerations.</p>\n";

fn body() -> String {
    let (mut body, document) = (OPENING.to_owned(), openapi::document());
    for operation in openapi::operations() {
        section(&mut body, &document, &operation).expect("writing to a string");
    }
    body.push_str("<h1>Objects</h1>\n");
    let schemas = document["components"]["schemas"].as_object();
    for (name, schema) in schemas.expect("a document has schemas") {
        object(&mut body, name, schema).expect("writing to a string");
    }
    body
}

fn section(body: &mut String, document: &Value, operation: &Operation) -> std::fmt::Result {
    let (method, path) = (operation.method, operation.path);
    let described = &document["paths"][path][method];
    let id = described["operationId"].as_str().unwrap_or_default();
    let method = method.to_uppercase();
    writeln!(
        body,
        "<h2 id=\"{id}\"><a href=\"#{id}\"><code>{method} {path}</code></a></h2>"
    )?;
    let scope = match operation.caller {
        Caller::Key => operation.scope.map_or("any key", |scope| scope.name()),
        Caller::KeyOrMember => operation
            .scope
            .map_or("any key or session", |scope| scope.name()),
        Caller::Owner => "session of an owner",
        Caller::Session => "session",
        Caller::Pages => "nobody need be signed in",
    };
    writeln!(
        body,
        "<p>{} <small>{scope}</small></p>",
        text(operation.summary)
    )?;
    let parameters = described["parameters"].as_array();
    let parameters = parameters.map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        writeln!(body, "<table>")?;
        for one in parameters {
            let place = one["in"].as_str().unwrap_or_default();
            let needed = if one["required"] == true {
                ", required"
            } else {
                ""
            };
            let says = one["description"].as_str().unwrap_or_default();
            let (name, kind) = (
                one["name"].as_str().unwrap_or_default(),
                kind(&one["schema"]),
            );
            writeln!(
                body,
                "<tr><td><code>{name}</code></td><td>{place}{needed}</td><td>{kind}</td><td>{}</td></tr>",
                text(says)
            )?;
        }
        writeln!(body, "</table>")?;
    }
    let schema = &described["requestBody"]["content"]["application/json"]["schema"];
    if !schema.is_null() {
        writeln!(body, "<p>Body: {}</p>", kind(schema))?;
    }
    for status in ["200", "201"] {
        let content = &described["responses"][status]["content"];
        for (content_type, form) in content.as_object().into_iter().flatten() {
            writeln!(
                body,
                "<p>{status} <small>{content_type}</small> {}</p>",
                kind(&form["schema"])
            )?;
        }
    }
    writeln!(body, "<p><small>")?;
    for (status, codes) in operation.codes() {
        write!(body, "{status}")?;
        for code in codes {
            write!(body, " <a href=\"/docs/errors#{code}\">{code}</a>")?;
        }
        writeln!(body, "<br>")?;
    }
    writeln!(body, "</small></p>")
}

fn object(body: &mut String, name: &str, schema: &Value) -> std::fmt::Result {
    writeln!(body, "<h2 id=\"{name}\">{name}</h2>")?;
    if let Some(says) = schema["description"].as_str() {
        writeln!(body, "<p>{}</p>", text(says))?;
    }
    let Some(fields) = schema["properties"].as_object() else {
        return writeln!(body, "<p>{}</p>", kind(schema));
    };
    let required = |name: &str| {
        let names = schema["required"].as_array();
        names.is_some_and(|names| names.iter().any(|required| required == name))
    };
    writeln!(body, "<table>")?;
    for (name, field) in fields {
        let needed = if required(name) { "" } else { "optional" };
        let says = text(field["description"].as_str().unwrap_or_default());
        let kind = kind(field);
        writeln!(
            body,
            "<tr><td><code>{name}</code></td><td>{kind}</td><td>{needed}</td><td>{says}</td></tr>"
        )?;
    }
    writeln!(body, "</table>")
}

/// A schema in a few words.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next())
    {
        return format!("<a href=\"#{name}\">{name}</a>");
    }
    let joined = |parts: &Value, by: &str| -> String {
        let parts = parts.as_array().map(Vec::as_slice).unwrap_or_default();
        parts.iter().map(kind).collect::<Vec<_>>().join(by)
    };
    for (name, by) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if schema[name].is_array() {
            return joined(&schema[name], by);
        }
    }
    if let Some(words) = schema["enum"].as_array() {
        let words = words.iter().filter_map(Value::as_str);
        return words.map(text).collect::<Vec<_>>().join(", ");
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect::<Vec<_>>(),
        one => vec![one.as_str().unwrap_or("anything")],
    };
    match types[0] {
        "array" => format!("list of {}", kind(&schema["items"])),
        "object" if schema["properties"].is_object() => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            let fields = fields.map(|(name, field)| format!("<code>{name}</code> {}", kind(field)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        _ => types.join(" or "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_names_every_route_and_its_links_lead_somewhere() {
        let html = PAGE.html();
        for operation in openapi::operations() {
            let title = format!(
                "<code>{} {}</code>",
                operation.method.to_uppercase(),
                operation.path
            );
            assert_eq!(html.matches(&title).count(), 1, "{title}");
        }
        let links = html.split("href=\"#").skip(1);
        for target in links.filter_map(|rest| rest.split('"').next()) {
            assert!(html.contains(&format!(" id=\"{target}\"")), "{target}");
        }
    }
}
