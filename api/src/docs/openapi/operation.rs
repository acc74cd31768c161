//! One route as the document describes it.

use std::collections::BTreeMap;

use engine::api_keys::Scope;
use serde_json::{Value, json};
use utoipa::{PartialSchema, ToSchema};

use super::parameters::Parameter;
use crate::{
    error::Code,
    events::FeedPagination,
    wire::page::{CursorPagination, NumberedPagination},
};

/// What every call with a key may be answered.
const ALWAYS: [Code; 8] = [
    Code::BadRequest,
    Code::Unauthorized,
    Code::IpNotAllowed,
    Code::Forbidden,
    Code::RateLimited,
    Code::InternalError,
    Code::Overloaded,
    Code::OutcomeUnknown,
];
const BODY: [Code; 3] = [
    Code::PayloadTooLarge,
    Code::UnsupportedMediaType,
    Code::ValidationError,
];
/// What a change with an `Idempotency-Key` may be answered besides.
const ONCE: [Code; 2] = [Code::RequestInProgress, Code::IdempotencyMismatch];

/// Fields of answers that are left out when there is nothing to say.
const OPTIONAL: [&str; 1] = ["serials_withheld"];

/// Named schemas.
pub(super) type Schemas = BTreeMap<String, Value>;

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    Key,
    /// A key, or somebody who is signed in and acts for the merchant.
    KeyOrMember,
    /// An owner of the merchant who is signed in.
    Owner,
    Session,
    /// Anybody, from our own pages.
    Pages,
}

/// See the module.
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) scope: Option<Scope>,
    pub(crate) caller: Caller,
    parameters: Vec<Parameter>,
    body: Option<Value>,
    /// By status.
    answers: BTreeMap<u16, Value>,
    codes: Vec<Code>,
    pub(super) schemas: Schemas,
}

impl Operation {
    pub(super) fn new(method: &'static str, path: &'static str, summary: &'static str) -> Self {
        let ids = path
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next());
        let mut parameters: Vec<_> = ids.map(Parameter::path).collect();
        let mut codes = ALWAYS.to_vec();
        if !parameters.is_empty() {
            codes.push(Code::NotFound);
        }
        let of_merchant = path.starts_with("/dev/");
        if of_merchant {
            parameters.push(Parameter::CONSIGN_MERCHANT);
        }
        Self {
            method,
            path,
            summary,
            scope: None,
            caller: if of_merchant {
                Caller::KeyOrMember
            } else {
                Caller::Key
            },
            parameters,
            body: None,
            answers: BTreeMap::new(),
            codes,
            schemas: Schemas::new(),
        }
    }

    /// An operation of somebody who is signed in.
    pub(super) fn of_session(
        method: &'static str,
        path: &'static str,
        summary: &'static str,
    ) -> Self {
        let mut operation = Self::new(method, path, summary);
        operation.caller = Caller::Session;
        operation.codes.retain(|code| *code != Code::IpNotAllowed);
        operation
    }

    /// An operation of an owner of the merchant who is signed in.
    pub(super) fn of_owner(
        method: &'static str,
        path: &'static str,
        summary: &'static str,
    ) -> Self {
        let mut operation = Self::of_session(method, path, summary);
        operation.caller = Caller::Owner;
        operation
    }

    /// An operation that needs nobody to be signed in.
    pub(super) fn of_pages(
        method: &'static str,
        path: &'static str,
        summary: &'static str,
    ) -> Self {
        let mut operation = Self::of_session(method, path, summary);
        operation.caller = Caller::Pages;
        operation
    }

    pub(super) fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    pub(super) fn query(mut self, parameters: &[Parameter]) -> Self {
        self.parameters.extend_from_slice(parameters);
        self.refuses(&[Code::ValidationError])
    }

    /// A body of this type.
    pub(super) fn takes<T: ToSchema>(mut self) -> Self {
        let (schema, schemas) = described::<T>();
        self.schemas.extend(schemas);
        self.body = Some(schema);
        self.refuses(&BODY)
    }

    /// A body of this schema, which names this type.
    pub(super) fn takes_many<T: ToSchema>(self, schema: fn(Value) -> Value) -> Self {
        let mut one = self.takes::<T>();
        one.body = one.body.map(schema);
        one
    }

    /// A change that may be sent again under an `Idempotency-Key`.
    pub(super) fn once(mut self) -> Self {
        self.parameters.push(Parameter::IDEMPOTENCY_KEY);
        self.refuses(&ONCE)
    }

    pub(super) fn refuses(mut self, codes: &[Code]) -> Self {
        self.codes.extend_from_slice(codes);
        self
    }

    /// `{"data": T}` under this status.
    pub(super) fn answers<T: ToSchema>(self, status: u16) -> Self {
        self.told::<T>(
            status,
            |data| json!({"type": "object", "required": ["data"], "properties": {"data": data}}),
        )
    }

    /// `{"data": [T]}`: all there are, which are few.
    pub(super) fn answers_all<T: ToSchema>(self) -> Self {
        self.answers_all_with::<T>(200)
    }

    /// The same under this status.
    pub(super) fn answers_all_with<T: ToSchema>(self, status: u16) -> Self {
        self.told::<T>(status, |one| {
            let all = json!({"type": "array", "items": one});
            json!({"type": "object", "required": ["data"], "properties": {"data": all}})
        })
    }

    /// A success without a body.
    pub(super) fn answers_nothing(mut self) -> Self {
        self.answers.insert(204, json!({"description": "Done."}));
        self
    }

    /// A page of `T`, by cursor.
    pub(super) fn lists<T: ToSchema>(self) -> Self {
        self.told::<CursorPagination>(200, |pagination| pagination)
            .told::<T>(200, |one| {
                page_of(&one, &json!({"$ref": reference::<CursorPagination>()}))
            })
    }

    /// A page of `T` by its numbers.
    pub(super) fn feeds<T: ToSchema>(self) -> Self {
        self.told::<FeedPagination>(200, |pagination| pagination)
            .told::<T>(200, |one| {
                page_of(&one, &json!({"$ref": reference::<FeedPagination>()}))
            })
    }

    /// A page of `T`, by its number.
    pub(super) fn lists_numbered<T: ToSchema>(self) -> Self {
        self.told::<NumberedPagination>(200, |pagination| pagination)
            .told::<T>(200, |one| {
                page_of(&one, &json!({"$ref": reference::<NumberedPagination>()}))
            })
    }

    /// A page of `T`, by cursor or by number.
    pub(super) fn lists_both_ways<T: ToSchema>(self) -> Self {
        self.lists::<T>()
            .told::<NumberedPagination>(200, |pagination| pagination)
            .told::<T>(200, |one| {
                let styles = [
                    reference::<CursorPagination>(),
                    reference::<NumberedPagination>(),
                ];
                let styles = styles.map(|name| json!({"$ref": name}));
                page_of(&one, &json!({"oneOf": styles}))
            })
    }

    /// A field that stands beside a list.
    pub(super) fn beside<T: ToSchema>(mut self, name: &'static str) -> Self {
        let (schema, schemas) = described::<T>();
        let complete = schemas
            .into_iter()
            .map(|(name, schema)| (name, completed(schema)));
        self.schemas.extend(complete);
        let list = self.answers.get_mut(&200).expect("it is beside a list");
        let list = &mut list["content"]["application/json"]["schema"];
        list["properties"][name] = schema;
        list["required"] = json!(["data", "pagination", name]);
        self
    }

    /// Another form of the answer with status 200.
    pub(super) fn or(mut self, content_type: &'static str) -> Self {
        let answer = self
            .answers
            .get_mut(&200)
            .expect("it is another form of the first");
        answer["content"][content_type] = json!({"schema": {"type": "string"}});
        self
    }

    /// Lines of JSON, one after the other.
    pub(super) fn answers_lines(mut self) -> Self {
        let content = json!({"application/x-ndjson": {"schema": {"type": "string"}}});
        let answer = json!({"description": "Told.", "content": content});
        self.answers.insert(200, answer);
        self
    }

    /// A file with status 200, in one of these forms.
    pub(super) fn answers_file(mut self, content_types: &[&'static str]) -> Self {
        let text = json!({"schema": {"type": "string"}});
        let forms = content_types.iter().map(|&one| (one, text.clone()));
        let content: BTreeMap<_, _> = forms.collect();
        let answer = json!({"description": "A file.", "content": content});
        self.answers.insert(200, answer);
        self
    }

    fn told<T: ToSchema>(mut self, status: u16, wrap: impl FnOnce(Value) -> Value) -> Self {
        let (schema, schemas) = described::<T>();
        let complete = schemas
            .into_iter()
            .map(|(name, schema)| (name, completed(schema)));
        self.schemas.extend(complete);
        let answer = json!({
            "description": if status == 201 { "Executed." } else { "Told." },
            "content": {"application/json": {"schema": wrap(schema)}},
        });
        self.answers.insert(status, answer);
        self
    }

    /// The codes by status, each once.
    pub(crate) fn codes(&self) -> BTreeMap<u16, Vec<&'static str>> {
        let mut codes = BTreeMap::<u16, Vec<_>>::new();
        for code in Code::ALL.iter().filter(|code| self.codes.contains(code)) {
            codes
                .entry(code.status().as_u16())
                .or_default()
                .push(code.name());
        }
        codes
    }

    pub(super) fn to_json(&self) -> Value {
        let mut responses: BTreeMap<String, Value> = BTreeMap::new();
        for (status, codes) in self.codes() {
            let schema = json!({"$ref": "#/components/schemas/Error"});
            let mut content = json!({"application/json": {"schema": schema}});
            let both = |answer: &Value| {
                let content = &answer["content"];
                ["application/json", "text/plain"]
                    .iter()
                    .all(|form| !content[form].is_null())
            };
            if self.answers.get(&200).is_some_and(both) {
                content["text/plain"] = json!({"schema": {"type": "string"}});
            }
            let says = codes.join(", ");
            let answer = json!({"description": says, "content": content, "x-codes": codes});
            responses.insert(status.to_string(), answer);
        }
        for (status, answer) in &self.answers {
            responses.insert(status.to_string(), answer.clone());
        }
        let scopes: Vec<_> = self.scope.iter().map(|scope| scope.name()).collect();
        let security = match self.caller {
            Caller::Key => json!([{"key": scopes}]),
            Caller::KeyOrMember => json!([{"key": scopes}, {"session": []}]),
            Caller::Owner => json!([{"session": ["OWNER"]}]),
            Caller::Session => json!([{"session": []}]),
            Caller::Pages => json!([]),
        };
        let mut operation = json!({
            "operationId": self.id(),
            "tags": [self.tag()],
            "summary": self.summary,
            "security": security,
            "parameters": self.parameters.iter().copied().map(Parameter::to_json).collect::<Vec<_>>(),
            "responses": responses,
        });
        if let Some(body) = &self.body {
            operation["requestBody"] =
                json!({"required": true, "content": {"application/json": {"schema": body}}});
        }
        operation
    }

    /// `/reseller/v1/...` is of the reseller.
    pub(crate) fn tag(&self) -> &'static str {
        self.path.split('/').nth(1).unwrap_or_default()
    }

    fn id(&self) -> String {
        let words = self
            .path
            .split(['/', '{', '}', '-'])
            .skip(1)
            .filter(|word| *word != "v1");
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        format!("{}_{}", self.method, words.join("_"))
    }
}

fn page_of(one: &Value, pagination: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["data", "pagination"],
        "properties": {"data": {"type": "array", "items": one}, "pagination": pagination},
    })
}

fn reference<T: ToSchema>() -> String {
    format!("#/components/schemas/{}", T::name())
}

/// A reference to a type, and it with all it refers to.
fn described<T: ToSchema>() -> (Value, Schemas) {
    let mut found = Vec::new();
    T::schemas(&mut found);
    found.push((T::name().into_owned(), <T as PartialSchema>::schema()));
    let as_json = |schema| serde_json::to_value(schema).expect("schemas have a JSON form");
    let schemas = found
        .into_iter()
        .map(|(name, schema)| (name, as_json(schema)));
    (json!({"$ref": reference::<T>()}), schemas.collect())
}

/// Answers have all their fields, null where there is nothing.
fn completed(mut schema: Value) -> Value {
    if let Some(properties) = schema["properties"].as_object() {
        let names = properties
            .keys()
            .filter(|name| !OPTIONAL.contains(&name.as_str()));
        let names: Vec<_> = names.cloned().collect();
        schema["required"] = json!(names);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        schema["allOf"] = parts.iter().cloned().map(completed).collect();
    }
    schema
}
