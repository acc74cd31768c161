//! Wholesale purchases and inventories as they are stored.
//!
//! Keeps: whoever changes a request, or an item of it, locks the request's row first; a request's items are
//! stored in the transaction that says that it is allocated.

mod allocated;
mod bill;
pub(crate) mod committed;
mod expire;
mod export;
mod hand_over;
mod items;
mod list;
mod open;
mod pay;
mod refunds;
pub(crate) mod replace;
mod revoke;
mod rows;
mod step;
mod waiting;

pub use allocated::{Serials, allocated};
pub use bill::Billing;
pub use expire::expire;
pub use export::{Exported, Exporting, export, exports};
pub use hand_over::{Delivery, Given, deliver, resend, reveal};
pub use items::{ItemFilter, Summary, find_item, items, numbered_items, stream_items, summary};
pub use list::{Filter, find, find_of, list, numbered, stream};
pub use open::{AtOnce, Limits, Opened, Wanted, asked, has_room, open};
pub use pay::{
    NotGivenBack, NotSettled, Said, Settled, TakenBack, accept, give_back, reverse, settle,
};
pub use refunds::{find_refund, refund_credited, refunds_waiting};
pub use revoke::{Revoke, Revoked, handed_over, revoke, revoke_item};
pub use step::{Step, Steps, step};
pub use waiting::{paid_waiting, take_waiting};
