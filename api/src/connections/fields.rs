//! What owners write about a connection, read and bounded.

use engine::{
    catalog::Sku,
    connections::{
        Answer, Custom, Delivers, Digest, Kind, Mapped, Namespace, OVERLAP_HOURS_DEFAULT,
        OVERLAP_HOURS_MAX, Paths, Pointer, ProductMap, Status, Unfit, VALUES_MAX,
    },
    ids::{ProductId, VariantId},
    random::Random,
    vault::Opened,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    error::ApiError,
    wire::{
        fields::{Hidden, Object, Text, Whole},
        texts,
    },
};

const NAME_CHARS_MAX: usize = 80;
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 8..=256;
const HEADER_BYTES_MAX: usize = 60;

/// One line of a map, as it is sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MapLine {
    #[schema(min_length = 1, max_length = 200)]
    foreign_product: String,
    #[schema(min_length = 1, max_length = 200)]
    foreign_variant: Option<String>,
    #[schema(value_type = String)]
    product_id: Text<ProductId>,
    #[schema(value_type = Option<String>)]
    variant_id: Option<Text<VariantId>>,
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 100)]
    quantity_factor: Option<Whole>,
}

/// How calls are read, as it is sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SentPaths {
    #[schema(max_length = 60)]
    signature_header: String,
    algorithm: Option<String>,
    answer: Option<String>,
    order_id: String,
    /// Where the line of the order stands, of a shop that calls once for each.
    line_id: Option<String>,
    product: String,
    variant: Option<String>,
    quantity: Option<String>,
    customer_email: Option<String>,
    /// Where it stands what a call is about, and what stands there if it delivers.
    event: Option<String>,
    #[schema(min_items = 1, max_items = 10)]
    event_values: Option<Vec<String>>,
}

pub(super) fn name(sent: Option<String>) -> Result<Option<String>, ApiError> {
    texts::line(sent, "name", NAME_CHARS_MAX)
}

pub(super) fn kind(sent: String) -> Result<Kind, ApiError> {
    let found = texts::word(Some(sent), "kind", Kind::parse)?;
    found.ok_or_else(|| ApiError::field("kind", "is needed"))
}

/// Its own, unless its owner wants it to share.
pub(super) fn namespace(sent: Option<String>) -> Result<Namespace, ApiError> {
    let found = texts::word(sent, "namespace", Namespace::parse)?;
    Ok(found.unwrap_or(Namespace::Own))
}

/// What an owner may set: the end has a call of its own.
pub(super) fn status(sent: Option<String>) -> Result<Option<Status>, ApiError> {
    texts::word(sent, "status", |name| {
        Status::parse(name).filter(|status| *status != Status::Revoked)
    })
}

/// The secret of the shop, if it has one of its own.
pub(super) fn secret(sent: Option<Hidden>) -> Result<Option<Opened>, ApiError> {
    let Some(secret) = sent else { return Ok(None) };
    let text = secret.expose();
    if SECRET_BYTES.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Some(Opened::new(text)));
    }
    Err(ApiError::field(
        "secret",
        "must have 8 to 256 printable characters without spaces",
    ))
}

/// A secret of ours, for a shop that takes one.
pub(super) fn new_secret(random: &dyn Random) -> Opened {
    Opened::new(engine::api_keys::base62_secret(random))
}

pub(super) fn overlap_hours(sent: Option<Whole>) -> Result<u32, ApiError> {
    let hours = sent.map_or(OVERLAP_HOURS_DEFAULT, |Whole(hours)| hours);
    if hours > OVERLAP_HOURS_MAX {
        return Err(ApiError::field("overlap_hours", "must be from 0 to 168"));
    }
    Ok(hours)
}

pub(super) fn map(sent: Vec<Object<MapLine>>) -> Result<ProductMap, ApiError> {
    let lines = sent.into_iter().map(|Object(line)| Mapped {
        foreign_product: line.foreign_product,
        foreign_variant: line.foreign_variant,
        sku: Sku {
            product: line.product_id.0,
            variant: line.variant_id.map(|id| id.0),
        },
        factor: line.quantity_factor.map_or(1, |Whole(factor)| factor),
    });
    ProductMap::new(lines.collect()).map_err(|unfit| match unfit {
        Unfit::Length => ApiError::field("product_map", "must have 1 to 200 lines"),
        Unfit::Text(at) => ApiError::field(
            format!("product_map.{at}"),
            "must name product and variant with 1 to 200 characters",
        ),
        Unfit::Factor(at) => ApiError::field(
            format!("product_map.{at}.quantity_factor"),
            "must be from 1 to 100",
        ),
        Unfit::Twice(at) => ApiError::field(
            format!("product_map.{at}"),
            "says what a line before it says",
        ),
    })
}

/// The description of calls, which kind CUSTOM needs and no other has.
pub(super) fn custom(
    kind: Kind,
    sent: Option<Object<SentPaths>>,
) -> Result<Option<Custom>, ApiError> {
    match (kind, sent) {
        (Kind::Custom, Some(Object(paths))) => paths.read().map(Some),
        (Kind::Custom, None) => Err(ApiError::field("paths", "is needed by kind CUSTOM")),
        (Kind::Shoppex | Kind::SellAuth | Kind::Sellix | Kind::SellApp, None) => Ok(None),
        (Kind::Shoppex | Kind::SellAuth | Kind::Sellix | Kind::SellApp, Some(_)) => {
            Err(not_custom())
        }
    }
}

pub(super) fn not_custom() -> ApiError {
    ApiError::field("paths", "is for kind CUSTOM only")
}

impl SentPaths {
    pub(super) fn read(self) -> Result<Custom, ApiError> {
        let digest = texts::word(self.algorithm, "paths.algorithm", Digest::parse)?;
        let answer = texts::word(self.answer, "paths.answer", Answer::parse)?;
        Ok(Custom {
            signature_header: header(&self.signature_header)?,
            digest: digest.unwrap_or(Digest::Sha256),
            answer: answer.unwrap_or(Answer::Text),
            delivers: delivers(self.event, self.event_values)?,
            paths: Paths {
                order_id: pointer(&self.order_id, "paths.order_id")?,
                line_id: maybe(self.line_id, "paths.line_id")?,
                product: pointer(&self.product, "paths.product")?,
                variant: maybe(self.variant, "paths.variant")?,
                quantity: maybe(self.quantity, "paths.quantity")?,
                customer_email: maybe(self.customer_email, "paths.customer_email")?,
            },
        })
    }
}

fn delivers(
    event: Option<String>,
    values: Option<Vec<String>>,
) -> Result<Option<Delivers>, ApiError> {
    let Some(at) = maybe(event, "paths.event")? else {
        return match values {
            None => Ok(None),
            Some(_) => Err(ApiError::field("paths.event", "is needed by event_values")),
        };
    };
    let delivers = Delivers::new(at, values.unwrap_or_default());
    let message = format!("must be 1 to {VALUES_MAX} texts of 1 to 200 characters");
    let delivers = delivers.ok_or_else(|| ApiError::field("paths.event_values", message))?;
    Ok(Some(delivers))
}

fn header(text: &str) -> Result<String, ApiError> {
    let fits = (1..=HEADER_BYTES_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if fits {
        return Ok(text.to_ascii_lowercase());
    }
    let message = "must be the name of a header, of letters, digits and hyphens";
    Err(ApiError::field("paths.signature_header", message))
}

fn maybe(sent: Option<String>, field: &'static str) -> Result<Option<Pointer>, ApiError> {
    sent.map(|text| pointer(&text, field)).transpose()
}

fn pointer(text: &str, field: &'static str) -> Result<Pointer, ApiError> {
    let message = "must be a JSON pointer such as /order/id, of at most 200 characters";
    Pointer::parse(text).ok_or_else(|| ApiError::field(field, message))
}
