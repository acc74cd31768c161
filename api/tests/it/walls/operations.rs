//! What `openapi.json` describes, as operations to be tried: for whom each is, and the least that it takes.

use std::sync::LazyLock;

use engine::api_keys::Scope;
use serde_json::{Map, Value, json};

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../openapi.json")).unwrap());

/// Whom an operation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    Reseller,
    Merchant,
    Owner,
    Person,
    Anybody,
}

pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) caller: For,
    pub(super) scope: Option<Scope>,
    /// Password or code must have been repeated, whatever the body says.
    pub(super) steps_up: bool,
    pub(super) body: Option<Value>,
}

impl Operation {
    pub(super) fn all() -> Vec<Self> {
        let paths = DOCUMENT["paths"].as_object().unwrap();
        let operations = paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().iter();
            methods.map(move |(method, described)| Self::of(path, method, described))
        });
        operations.collect()
    }

    fn of(path: &'static str, method: &str, described: &'static Value) -> Self {
        let security = described["security"].as_array().unwrap();
        let key = security.iter().find_map(|one| one["key"].as_array());
        let session = security.iter().find_map(|one| one["session"].as_array());
        let caller = match (key, session) {
            (Some(_), None) => For::Reseller,
            (Some(_), Some(_)) => For::Merchant,
            (None, Some(roles)) if roles.is_empty() => For::Person,
            (None, Some(_)) => For::Owner,
            (None, None) => For::Anybody,
        };
        let scope = key.and_then(|scopes| scopes.first()?.as_str());
        let codes = &described["responses"]["403"]["x-codes"];
        let codes = codes.as_array().map(Vec::as_slice).unwrap_or_default();
        let schema = &described["requestBody"]["content"]["application/json"]["schema"];
        Self {
            method: match method {
                "get" => "GET",
                "post" => "POST",
                "patch" => "PATCH",
                "put" => "PUT",
                "delete" => "DELETE",
                other => panic!("{other} is no method that is tried"),
            },
            path,
            caller,
            scope: scope.map(|name| Scope::parse(name).unwrap()),
            // A name is changed without a step-up, an address with one.
            steps_up: codes.contains(&json!("STEP_UP_REQUIRED")) && path != "/portal/v1/me",
            body: (!schema.is_null()).then(|| sample(schema, "")),
        }
    }

    pub(super) fn reads(&self) -> bool {
        self.method == "GET"
    }

    /// Whether it names something that is somebody's.
    pub(super) fn names_something(&self) -> bool {
        self.path.contains('{')
    }

    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// The least that a schema takes.
fn sample(schema: &Value, name: &str) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap();
        return sample(schema, name);
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[choice].as_array() {
            return sample(&choices[0], name);
        }
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds[0].as_str().unwrap(),
        one => one.as_str().unwrap_or("object"),
    };
    match kind {
        "object" => {
            let required = schema["required"].as_array();
            let required = required.map(Vec::as_slice).unwrap_or_default();
            let fields = required.iter().map(|field| {
                let field = field.as_str().unwrap();
                (
                    field.to_owned(),
                    sample(&schema["properties"][field], field),
                )
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        "array" => json!([sample(&schema["items"], name)]),
        "integer" | "number" => json!(1),
        "boolean" => json!(true),
        _ => json!(text(name)),
    }
}

fn text(name: &str) -> &'static str {
    match name {
        "email" | "customer_email" => "walls@example.com",
        "amount" | "base_price" | "price" => "1.00",
        "type" => "PROMO",
        "scopes" => "balance.read",
        "role" => "VIEWER",
        "status" => "ACTIVE",
        "kind" => "SERIALS",
        "outcome" => "OPENED",
        "product_id" => "prd_00000000000000000000000000",
        "new_password" | "password" => "marble-7-window-tea",
        _ => "walls",
    }
}
