//! What a request carries beside its caller: body, query, path, headers - checked, or refused with the
//! documented error.

pub(crate) mod body;
pub(crate) mod idempotency_key;
pub(crate) mod once;
pub(crate) mod path;
pub(crate) mod query;

pub(crate) use body::Body;
pub(crate) use once::{Changer, Known, Once};
pub(crate) use path::PathIds;
pub(crate) use query::Query;
