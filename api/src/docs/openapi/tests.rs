//! The document says what the server does: its routes, and the file that others generate from.

use std::collections::BTreeSet;

use super::*;
use crate::fulfillments::dynamic_url;

/// The lines of a menu: method and path.
fn menu(source: &'static str) -> BTreeSet<(&'static str, &'static str)> {
    let lines = source
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with('.'));
    let routes = lines.filter_map(|line| {
        let method = match line.split_once('(')? {
            (".get" | ".get_within", _) => "get",
            (".patch", _) => "patch",
            (".put", _) => "put",
            (".delete", _) => "delete",
            (".post" | ".post_of", _) => "post",
            (".executes", rest) if rest.starts_with("POST") => "post",
            (".executes", rest) if rest.starts_with("GET") => "get",
            _ => return None,
        };
        let path = line.split('"').nth(1).unwrap_or(dynamic_url::PATH);
        Some((method, path))
    });
    routes.collect()
}

#[test]
fn every_route_is_described_and_every_description_is_a_route() {
    let mut routes = menu(include_str!("../../routes/reseller_v1.rs"));
    routes.extend(menu(include_str!("../../routes/dev_v1.rs")));
    routes.extend(menu(include_str!("../../routes/portal_v1.rs")));
    routes.extend(menu(include_str!("../../routes/webhooks.rs")));
    routes.extend(menu(include_str!("../../routes/selling.rs")));
    routes.extend(menu(include_str!("../../routes/connections.rs")));
    let described = operations();
    assert_eq!(described.len(), routes.len());
    let described = described.iter().map(|one| (one.method, one.path));
    assert_eq!(described.collect::<BTreeSet<_>>(), routes);
}

#[test]
fn committed_file_is_the_document() {
    let committed = include_str!("../../../openapi.json");
    assert!(committed == text(), "write it anew: make openapi");
}

#[test]
fn every_reference_leads_to_a_schema() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                let reference = fields.get("$ref").and_then(Value::as_str);
                found.extend(reference.map(str::to_owned));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let (document, mut found) = (document(), Vec::new());
    references(&document, &mut found);
    assert!(found.len() > 50);
    for reference in found {
        let path = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(path).is_some(), "{reference}");
    }
}
