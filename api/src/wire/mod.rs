//! How values look on the wire: envelopes, lists, ids, money, times.
//!
//! Only this crate knows these forms. Input types refuse what they do not know; output types borrow
//! from the domain and are written once, straight into the body.

pub(crate) mod answer;
pub(crate) mod csv;
pub(crate) mod fields;
pub(crate) mod filters;
pub(crate) mod money;
pub(crate) mod page;
pub(crate) mod percent;
mod schema;
pub(crate) mod texts;
pub(crate) mod time;
