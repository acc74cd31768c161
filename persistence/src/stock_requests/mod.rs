//! Wholesale purchases and inventories as they are stored.
//!
//! Keeps: whoever changes a request, or an item of it, locks the request's row first; a request's items are
//! stored in the transaction that says that it is allocated.

mod allocated;
mod hand_over;
mod items;
mod list;
mod open;
mod rows;
mod step;
mod waiting;

pub use allocated::{Serials, allocated};
pub use hand_over::{Delivery, Given, deliver, resend, reveal};
pub use items::{ItemFilter, Summary, find_item, items, numbered_items, summary};
pub use list::{Filter, find, list, numbered};
pub use open::{Limits, Opened, Wanted, asked, open};
pub use step::{Step, Steps, step};
pub use waiting::take_waiting;
