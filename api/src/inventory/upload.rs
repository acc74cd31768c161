//! What a merchant uploads, as it is written: one serial per line, or a list.
//!
//! Keeps: a refusal names lines, counted from 1, and never repeats what they say.

use std::fmt;

use engine::inventory::import::{
    Duplicates, Flaw, LABEL_CHARACTERS_MAX, Problem, Refusal, SERIALS_MAX, Upload,
};
use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema, schema::OneOfBuilder},
};

use crate::error::{ApiError, Code};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UploadSerials {
    serials: Lines,
    remove_duplicates: Option<bool>,
    label: Option<String>,
}

/// One text with line breaks, or one text per serial.
enum Lines {
    Text(String),
    List(Vec<String>),
}

impl PartialSchema for Lines {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .item(String::schema())
            .item(Vec::<String>::schema())
            .into()
    }
}

impl ToSchema for Lines {}

impl UploadSerials {
    /// The serials in it, checked line by line.
    pub(super) fn read(&self) -> Result<Upload<'_>, Refusal> {
        let duplicates = match self.remove_duplicates {
            Some(true) => Duplicates::Remove,
            Some(false) | None => Duplicates::Refuse,
        };
        match &self.serials {
            Lines::Text(text) => Upload::read(text.split('\n'), duplicates),
            Lines::List(list) => Upload::read(list.iter().map(String::as_str), duplicates),
        }
    }

    /// The name of the delivery, if it has one.
    pub(super) fn label(&self) -> Result<Option<String>, ApiError> {
        let label = self
            .label
            .as_deref()
            .map(str::trim)
            .filter(|label| !label.is_empty());
        let fits = |label: &str| {
            label.chars().count() <= LABEL_CHARACTERS_MAX && !label.contains(char::is_control)
        };
        if label.is_some_and(|label| !fits(label)) {
            return Err(ApiError::field(
                "label",
                "must have at most 100 characters, none of them a control character",
            ));
        }
        Ok(label.map(str::to_owned))
    }
}

/// What the merchant is told of an upload that is not taken.
pub(super) fn refused(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::NotFound => ApiError::new(Code::NotFound),
        Refusal::NotSerials => ApiError::new(Code::ProductNotEligible),
        Refusal::VariantRequired => ApiError::field(
            "variant_id",
            "is missing: the product has variants, and serials belong to one of them",
        ),
        Refusal::Empty => ApiError::field("serials", "has no serial"),
        Refusal::TooMany => {
            ApiError::field("serials", format!("has more than {SERIALS_MAX} serials"))
        }
        Refusal::Lines { problems, count } => {
            let message = format!("Lines that are not taken: {count}. Nothing was added.");
            problems
                .iter()
                .fold(ApiError::saying(Code::ValidationError, message), named)
        }
    }
}

fn named(error: ApiError, problem: &Problem) -> ApiError {
    let message = match problem.flaw {
        Flaw::TooLong => "has more than 4096 bytes".into(),
        Flaw::ControlCharacter => "contains a control character".into(),
        Flaw::Repeated { first } => format!("repeats line {first}").into(),
        Flaw::Stored => std::borrow::Cow::from("is stored already"),
    };
    error.detail(format!("line {}", problem.line), message)
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LinesVisitor)
    }
}

struct LinesVisitor;

impl<'de> Visitor<'de> for LinesVisitor {
    type Value = Lines;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text with one serial per line, or a list of texts")
    }

    fn visit_str<E>(self, text: &str) -> Result<Lines, E> {
        Ok(Lines::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Lines, E> {
        Ok(Lines::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sent: A) -> Result<Lines, A::Error> {
        let mut list = Vec::new();
        while let Some(line) = sent.next_element()? {
            list.push(line);
        }
        Ok(Lines::List(list))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(body: Value) -> (&'static str, Vec<String>) {
        let wire: UploadSerials = serde_json::from_value(body).unwrap();
        let refused = match (wire.label(), wire.read()) {
            (Err(error), _) => error,
            (Ok(_), Err(refusal)) => refused(refusal),
            (Ok(_), Ok(_)) => return ("", Vec::new()),
        };
        let told = refused.details().iter();
        let told = told
            .map(|detail| format!("{} {}", detail.field, detail.message))
            .collect();
        (refused.code().name(), told)
    }

    #[test]
    fn text_and_list_are_taken() {
        for body in [
            json!({"serials": "A-1\r\n\n B-2 \n"}),
            json!({"serials": ["A-1", "", " B-2 "], "label": null, "remove_duplicates": null}),
            json!({"serials": "A\nA", "remove_duplicates": true, "label": " May "}),
        ] {
            assert_eq!(check(body), ("", vec![]));
        }
    }

    #[test]
    fn every_line_at_fault_is_named() {
        let faults = [
            "line 2 contains a control character",
            "line 3 repeats line 1",
        ];
        for serials in [json!("A\nB\u{7}\nA"), json!(["A", "two\nlines", "A"])] {
            let (code, told) = check(json!({"serials": serials}));
            assert_eq!(
                (code, told),
                ("VALIDATION_ERROR", faults.map(str::to_owned).to_vec())
            );
        }
    }

    #[test]
    fn label_has_a_bound() {
        let label = "x".repeat(LABEL_CHARACTERS_MAX + 1);
        let (code, told) = check(json!({"serials": "A", "label": label}));
        assert_eq!((code, told.len()), ("VALIDATION_ERROR", 1));
    }

    #[test]
    fn other_shapes_are_refused() {
        for body in [
            json!({"serials": 7}),
            json!({"serials": [7]}),
            json!({"serials": null}),
            json!({}),
            json!({"serials": "A", "surprise": 1}),
        ] {
            assert!(serde_json::from_value::<UploadSerials>(body).is_err());
        }
    }
}
