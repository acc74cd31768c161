//! What a caller is told when the answer is no: a stable code, its status, and one shape on every surface.
//!
//! An [`ApiError`] is only rendered at the outermost layer, which knows the public origin; handlers
//! pass it up. The meaning of each code is fixed by the HTTP contract, not by the message.

mod api_error;
mod code;
mod refusals;

pub(crate) use api_error::{ApiError, Detail};
pub(crate) use code::Code;
#[cfg(test)]
pub(crate) use code::Executed;
