//! Which mails resellers and merchants get: what they set, mails queued by it, and facts that wait to be mailed.
//!
//! Keeps: a mail that can be switched off is sent by what its side set, or not at all; a fact that is mailed is
//! mailed once.

mod about;
mod causes;
mod settings;
mod turns;

pub use about::{About, Happened};
pub(crate) use causes::note;
pub(crate) use settings::tell;
pub use settings::{find, find_of_merchant, save, save_of_merchant};
pub use turns::{Turn, due, end};
