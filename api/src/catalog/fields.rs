//! What a merchant says of a product, the same when it is made and when it is changed.

use engine::{
    catalog::{CUSTOM_FIELDS_MAX, CustomField, Edit, FieldKind, Status, Unchanged, VARIANTS_MAX},
    money::{Currency, Money},
};
use persistence::catalog::get::AboutChange;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    error::{ApiError, Code},
    wire::{
        fields::{Object, Sent, Whole},
        money::Amount,
        texts::{edit, line, word},
    },
};

const TITLE_CHARS_MAX: usize = 200;
const DESCRIPTION_CHARS_MAX: usize = 10_000;
const QUANTITY_MAX: u32 = 1000;
const THRESHOLD_MAX: u32 = 1_000_000;
const FIELD_CHARS_MAX: usize = 80;
const PLACEHOLDER_CHARS_MAX: usize = 200;

/// What is asked for with each order of a product.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetCustomField {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    required: Option<bool>,
    placeholder: Option<String>,
    regex: Option<String>,
}

pub(super) fn title(sent: Option<String>) -> Result<Option<String>, ApiError> {
    line(sent, "title", TITLE_CHARS_MAX)
}

/// A product ends by being deleted or archived, a variant not at all.
pub(super) fn status(sent: Option<String>, allowed: &[Status]) -> Result<Option<Status>, ApiError> {
    let parse = |name: &str| Status::parse(name).filter(|status| allowed.contains(status));
    word(sent, "status", parse)
}

pub(super) fn base_price(
    sent: Option<Amount>,
    currency: Currency,
) -> Result<Option<Money>, ApiError> {
    let read = sent.map(|amount| amount.read(currency, "base_price"));
    read.transpose()
}

pub(super) fn wholesale_price(
    sent: &Sent<Amount>,
    currency: Currency,
) -> Result<Edit<Money>, ApiError> {
    edit(sent, |amount| amount.read(currency, "wholesale_price"))
}

pub(super) fn quantity(sent: Sent<Whole>, field: &'static str) -> Result<Edit<u32>, ApiError> {
    edit(&sent, |Whole(quantity)| {
        let fits = (1..=QUANTITY_MAX).contains(quantity);
        let refused = || ApiError::field(field, "must be from 1 to 1000");
        fits.then_some(*quantity).ok_or_else(refused)
    })
}

/// What no order is judged by.
pub(super) fn about(
    description: Option<String>,
    auto_fulfilled: Option<bool>,
    low_stock_threshold: Sent<Whole>,
) -> Result<AboutChange, ApiError> {
    let bounded = |text: &String| text.chars().count() <= DESCRIPTION_CHARS_MAX;
    if !description.as_ref().is_none_or(bounded) {
        return Err(ApiError::field(
            "description",
            "must have at most 10000 characters",
        ));
    }
    let threshold = edit(&low_stock_threshold, |Whole(threshold)| {
        let fits = *threshold <= THRESHOLD_MAX;
        let refused = || ApiError::field("low_stock_threshold", "must be from 0 to 1000000");
        fits.then_some(*threshold).ok_or_else(refused)
    });
    Ok(AboutChange {
        description,
        auto_fulfilled,
        low_stock_threshold: threshold?,
    })
}

pub(super) fn custom_fields(
    sent: Vec<Object<SetCustomField>>,
) -> Result<Vec<CustomField>, ApiError> {
    if sent.len() > CUSTOM_FIELDS_MAX {
        return Err(too_many_fields());
    }
    let fields = sent.into_iter().map(|Object(field)| field.read());
    fields.collect()
}

impl SetCustomField {
    fn read(self) -> Result<CustomField, ApiError> {
        let name = line(Some(self.name), "custom_fields.name", FIELD_CHARS_MAX)?;
        let kind = word(Some(self.kind), "custom_fields.type", FieldKind::parse)?;
        let missing = || ApiError::new(Code::ValidationError);
        let placeholder = line(
            self.placeholder,
            "custom_fields.placeholder",
            PLACEHOLDER_CHARS_MAX,
        )?;
        let pattern = self.regex.map(|text| {
            let odd =
                || ApiError::field("custom_fields.regex", "is no pattern, or too large a one");
            CustomField::pattern(&text).ok_or_else(odd)
        });
        Ok(CustomField {
            name: name.ok_or_else(missing)?,
            kind: kind.ok_or_else(missing)?,
            required: self.required.unwrap_or_default(),
            placeholder,
            pattern: pattern.transpose()?,
        })
    }
}

fn too_many_fields() -> ApiError {
    ApiError::field(
        "custom_fields",
        "must be at most 20, each with a name of its own",
    )
}

pub(super) fn check_variants(count: usize) -> Result<(), ApiError> {
    if count > VARIANTS_MAX {
        return Err(refusal(Unchanged::Variants));
    }
    Ok(())
}

pub(super) fn refusal(unchanged: Unchanged) -> ApiError {
    match unchanged {
        Unchanged::Archived => {
            let said = "An archived product stays as it is.";
            ApiError::saying(Code::InvalidState, said).detail("status", "ARCHIVED")
        }
        Unchanged::Kind => {
            let said = "A product stays what it is: make another one.";
            ApiError::saying(Code::InvalidState, said).detail("type", "cannot be changed")
        }
        Unchanged::Stocked => {
            let said = "The product has serials of its own, which nobody could order any more.";
            ApiError::saying(Code::InvalidState, said).detail("variants", "need an empty shelf")
        }
        Unchanged::UnknownVariant(_) => {
            ApiError::field("variants", "must be variants of this product")
        }
        Unchanged::Variants => ApiError::field("variants", "must be at most 100"),
        Unchanged::CustomFields => too_many_fields(),
        Unchanged::Quantities => {
            ApiError::field("min_quantity", "must be at most the largest quantity")
        }
    }
}
