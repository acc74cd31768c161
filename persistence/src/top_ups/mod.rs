//! Top-ups as they are stored: invoices, and the payments that arrived for them.
//!
//! Keeps: whoever changes a relationship's top-ups takes its balance's row first, then the invoice, so
//! changes of one relationship come one after the other. A payment is stored before its credit and noted
//! as credited after it, so one that was cut off in between is found ([`waiting`]) and completed. What is
//! taken back is stored, taken and noted likewise ([`takings_waiting`]).

mod all;
mod automatic;
mod cancel;
mod complete;
mod expire;
mod find;
mod open;
pub(crate) mod rows;
mod settings;
pub(crate) mod settle;
mod take_back;
pub(crate) mod takings;
mod watch;

pub use all::{find_of, list_all, list_all_numbered, stream_all};
pub use automatic::{may_open_automatic, open_automatic};
pub use cancel::cancel;
pub use complete::{Noted, Waiting, credited, waiting};
pub use expire::{Paused, expire};
pub use find::{Filter, Payer, find, list, open_of, payer};
pub(crate) use open::is_current;
pub use open::{Announcement, Opened, Opening, may_open, open};
pub(crate) use rows::note;
pub use settings::{Settings, save, settings};
pub use settle::{NotSettled, Settled, settle};
pub use take_back::{Done, Refused, Wanted, take_back};
pub use takings::{Cause, Taking, debt, taken, takings_waiting};
pub use watch::{Low, Watched, Which, note_low, watched};
