//! How merchants take money: their methods, and what of a chain is watched for them.

mod cursors;
mod deposits;
mod methods;
mod place;
mod stores;
mod tell;

pub use cursors::{advance_cursor, begin_cursor, cursor};
pub(crate) use deposits::of_invoices;
pub use deposits::{Counted, Watched, counted_since, watched};
pub(crate) use methods::find_enabled;
pub use methods::{list, replace};
pub(crate) use place::place;
pub(crate) use stores::of_invoices as hosted_of;
pub use stores::{Due, ask_now, asked, due, stores};
pub(crate) use tell::tell;
