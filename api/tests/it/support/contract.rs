//! Every answer of every test is what `openapi.json` says: a status that its operation names, a
//! code that belongs to it, and exactly the fields of its schema.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::Reply;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../openapi.json")).unwrap());

/// # Panics
/// If the answer is not what the document says.
pub(crate) fn check(method: &str, path: &str, reply: &Reply) {
    let path = path.split('?').next().unwrap_or_default();
    let path = path.strip_suffix('/').unwrap_or(path);
    let Some((template, operations)) = operations_of(path) else {
        return;
    };
    let operation = &operations[method.to_lowercase()];
    if operation.is_null() {
        return;
    }
    let route = format!("{method} {template}");
    let answer = &operation["responses"][reply.status.as_str()];
    assert!(
        answer.is_object(),
        "{route} says nothing of {}",
        reply.status
    );
    if reply.status == 204 {
        assert!(reply.body.is_empty(), "{route} has nothing to say");
        return;
    }
    let content_type = reply.header("content-type").unwrap_or_default();
    let content_type = content_type.split(';').next().unwrap_or_default();
    let schema = &answer["content"][content_type]["schema"];
    assert!(
        schema.is_object(),
        "{route} says nothing of {} {content_type}",
        reply.status
    );
    if content_type != "application/json" || reply.header("content-encoding").is_some() {
        return;
    }
    let body = reply.json();
    if let Err(wrong) = fits(&body, schema) {
        panic!("{route} {}: {wrong}\n{body:#}", reply.status);
    }
    if let Some(codes) = answer["x-codes"].as_array() {
        let code = &body["error"]["code"];
        assert!(codes.contains(code), "{route} says nothing of {code}");
    }
}

/// The operations of a path: fixed words win over parameters.
fn operations_of(path: &str) -> Option<(&'static str, &'static Value)> {
    let fits = |template: &str| {
        let (mut words, mut wanted) = (path.split('/'), template.split('/'));
        let same = wanted.by_ref().all(|wanted| {
            words
                .next()
                .is_some_and(|word| wanted.starts_with('{') || wanted == word)
        });
        same && words.next().is_none()
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let known = paths.iter().filter(|(template, _)| fits(template));
    let found = known.min_by_key(|(template, _)| template.matches('{').count());
    found.map(|(template, operations)| (template.as_str(), operations))
}

fn fits(value: &Value, schema: &Value) -> Result<(), String> {
    let schema = resolved(schema);
    // A schema that says nothing lets everything be.
    if schema.as_object().is_some_and(Map::is_empty) {
        return Ok(());
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[choice].as_array() {
            let wrong: Vec<_> = choices
                .iter()
                .filter_map(|one| fits(value, one).err())
                .collect();
            if wrong.len() == choices.len() {
                return Err(wrong.join("; "));
            }
            return Ok(());
        }
    }
    if let Some(words) = schema["enum"]
        .as_array()
        .filter(|words| !words.contains(value))
    {
        return Err(format!("{value} is none of {words:?}"));
    }
    if !of_type(value, &schema["type"]) && schema["allOf"].is_null() {
        return Err(format!("{value} is no {}", schema["type"]));
    }
    match value {
        Value::Object(fields) => fields_fit(fields, schema),
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| fits(item, &schema["items"])),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn fields_fit(fields: &Map<String, Value>, schema: &Value) -> Result<(), String> {
    let (mut known, mut required) = (Map::new(), Vec::new());
    collect(schema, &mut known, &mut required);
    if let Some(missing) = required.iter().find(|name| !fields.contains_key(**name)) {
        return Err(format!("`{missing}` is missing"));
    }
    let others = &schema["additionalProperties"];
    for (name, value) in fields {
        match known.get(name) {
            Some(field) => fits(value, field).map_err(|wrong| format!("{name}: {wrong}"))?,
            None if others.is_object() => fits(value, others)?,
            None => return Err(format!("`{name}` is not described")),
        }
    }
    Ok(())
}

/// The fields of a schema and of all it is put together from.
fn collect<'a>(schema: &'a Value, known: &mut Map<String, Value>, required: &mut Vec<&'a str>) {
    let schema = resolved(schema);
    for part in schema["allOf"].as_array().into_iter().flatten() {
        collect(part, known, required);
    }
    known.extend(
        schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, field)| (name.clone(), field.clone())),
    );
    let names = schema["required"].as_array().into_iter().flatten();
    required.extend(names.filter_map(Value::as_str));
}

fn resolved(schema: &Value) -> &Value {
    match schema["$ref"].as_str() {
        Some(path) => DOCUMENT.pointer(path.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

fn of_type(value: &Value, kind: &Value) -> bool {
    let is = |kind: &str| match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    };
    match kind {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).any(is),
        Value::String(kind) => is(kind),
        // Anything.
        _ => true,
    }
}
