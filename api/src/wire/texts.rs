//! Texts that people write: their lengths, and words of closed sets.

use engine::catalog::Edit;

use super::{fields::Sent, money::Amount, percent};
use crate::{error::ApiError, extract::Query};

/// How the references begin under which Consign itself gives money back.
pub(crate) const OWN_REFERENCES: &str = "consign:";
/// Of what somebody else knows a payment or a movement by.
pub(crate) const REFERENCE_CHARS_MAX: usize = 128;
/// Of what somebody gives as the reason of a step.
pub(crate) const REASON_CHARS_MAX: usize = 500;

/// The `refund_ref` of whoever gives money back: its own, never one under which Consign itself does.
pub(crate) fn refund_ref(sent: String) -> Result<String, ApiError> {
    let text = one_line(sent, "refund_ref", REFERENCE_CHARS_MAX)?;
    if text.starts_with(OWN_REFERENCES) {
        let message = format!("must not begin with `{OWN_REFERENCES}`");
        return Err(ApiError::field("refund_ref", message));
    }
    Ok(text)
}

/// A text of 1 to so many characters, none of them a control character.
pub(crate) fn one_line(
    sent: String,
    field: &'static str,
    chars_max: usize,
) -> Result<String, ApiError> {
    let printable = !sent.trim().is_empty() && !sent.contains(char::is_control);
    if printable && sent.chars().count() <= chars_max {
        return Ok(sent);
    }
    let message =
        format!("must have 1 to {chars_max} characters, none of them a control character");
    Err(ApiError::field(field, message))
}

/// The same, if there is one.
pub(crate) fn line(
    sent: Option<String>,
    field: &'static str,
    chars_max: usize,
) -> Result<Option<String>, ApiError> {
    sent.map(|sent| one_line(sent, field, chars_max))
        .transpose()
}

/// A text of at most so many characters, over several lines.
pub(crate) fn lines(
    sent: Option<String>,
    field: &'static str,
    chars_max: usize,
) -> Result<Option<String>, ApiError> {
    let odd = |c: char| c.is_control() && c != '\n' && c != '\r' && c != '\t';
    let fits = |text: &String| text.chars().count() <= chars_max && !text.contains(odd);
    if sent.as_ref().is_none_or(fits) {
        return Ok(sent.filter(|text| !text.trim().is_empty()));
    }
    let message = format!("must have at most {chars_max} characters");
    Err(ApiError::field(field, message))
}

/// A word of a closed set, in any case.
pub(crate) fn word<T>(
    sent: Option<String>,
    field: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    let read = |text: String| {
        let found = parse(&text.to_ascii_uppercase());
        found.ok_or_else(|| ApiError::field(field, "is none of the words that this can be"))
    };
    sent.map(read).transpose()
}

/// Words of a closed set in the query, with commas between them.
pub(crate) fn words<T>(
    query: &Query,
    field: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, ApiError> {
    let sent = query
        .get(field)
        .into_iter()
        .flat_map(|text| text.split(','));
    let words = sent.map(|text| word(Some(text.to_owned()), field, &parse));
    let found: Vec<Option<T>> = words.collect::<Result<_, _>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// What a change of a percentage is.
pub(crate) fn percentage(
    sent: &Sent<Amount>,
    field: &'static str,
) -> Result<Edit<engine::money::Percent>, ApiError> {
    edit(sent, |amount| percent::read(amount, field))
}

/// What a change of a value that may be missing is.
pub(crate) fn edit<T, U>(
    sent: &Sent<T>,
    read: impl FnOnce(&T) -> Result<U, ApiError>,
) -> Result<Edit<U>, ApiError> {
    Ok(match sent {
        Sent::Not => Edit::Keep,
        Sent::Null => Edit::Clear,
        Sent::Value(value) => Edit::Set(read(value)?),
    })
}
