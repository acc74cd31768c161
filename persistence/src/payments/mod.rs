//! How merchants take money: their methods, and what of a chain is watched for them.

mod cursors;
mod deposits;
mod methods;
mod stores;

pub use cursors::{advance_cursor, begin_cursor, cursor};
pub use deposits::{Watched, watched};
pub(crate) use deposits::{of_invoices, take};
pub(crate) use methods::find_enabled;
pub use methods::{list, replace};
pub use stores::{Due, ask_now, asked, due, stores};
pub(crate) use stores::{host, of_invoices as hosted_of};
